//! Kernels for 64-bit ARM processors.

mod instructions;
pub mod matmul;
