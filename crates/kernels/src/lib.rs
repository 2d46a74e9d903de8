//! What a forward pass spends its time on, for the processor: products with packed weights, attention, norms.
//!
//! * `format`, `matrix` – how packed weights lie in memory
//! * `pack` – from the rows of a file to that form
//! * `activations` – rows of values as products take them
//! * `ops` – what an instruction set has to offer, and the order of operations that is part of it
//! * `scalar` – the definition
//! * `lanes` – rows and attention for every set of vector instructions
//! * `select` – which implementation computes
//! * `pool` – the threads
//! * `kv` – keys and values of a layer
//! * `compute` – the operations of a forward pass, each spread over the threads
//!
//! Nothing here knows about files, layers or models. This crate is the home of `unsafe` for speed; what it offers outside
//! is safe.
#![expect(unsafe_code, reason = "the home of vector instructions and of work shared by threads")]
#![deny(clippy::undocumented_unsafe_blocks)]

#[cfg(target_arch = "aarch64")]
pub mod aarch64;
pub mod activations;
pub mod compute;
pub mod error;
pub mod format;
pub mod kv;
mod lanes;
pub mod matrix;
pub mod ops;
pub mod pack;
pub mod pool;
pub mod scalar;
pub mod select;
#[cfg(target_arch = "x86_64")]
pub mod x86_64;

pub use activations::{Activations, Needs};
pub use compute::{Attend, AttentionScratch, Compute, PerLayerScales, Product};
pub use error::Error;
pub use format::Format;
pub use kv::KvLayer;
pub use matrix::Matrix;
pub use pool::Pool;
pub use select::Kernels;
