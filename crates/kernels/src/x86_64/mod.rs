//! Kernels for x86-64 processors.

mod lanes;
pub mod matmul;

pub use lanes::{Avx2, Avx512};
