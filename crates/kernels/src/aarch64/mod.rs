//! Kernels for 64-bit ARM processors.

mod instructions;
mod lanes;
pub mod matmul;

pub use lanes::Neon;
