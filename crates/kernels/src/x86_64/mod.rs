//! Kernels for x86-64 processors.

mod attention;
mod lanes;
pub mod matmul;
mod math;
mod rows;

pub use lanes::{Avx2, Avx512};
