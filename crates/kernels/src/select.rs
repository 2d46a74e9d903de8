//! Which implementation computes.

use std::fmt;

use crate::{
    format::Format,
    ops::{AttentionKernel, MatmulKernel, RowKernel},
    scalar::Scalar,
};

/// The chosen kernels.
#[derive(Clone, Copy)]
pub struct Kernels {
    pub(crate) matmul: [&'static dyn MatmulKernel; Format::COUNT],
    pub(crate) rows: &'static dyn RowKernel,
    pub(crate) attention: &'static dyn AttentionKernel,
}

impl fmt::Debug for Kernels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Kernels {
    /// The definition.
    pub fn scalar() -> Self {
        static SCALAR: Scalar<true> = Scalar;
        Self { matmul: [&SCALAR; Format::COUNT], rows: &SCALAR, attention: &SCALAR }
    }

    /// The best for this processor.
    pub fn detect() -> Self {
        Self::scalar()
    }

    /// The instruction set that computes products of 4-bit weights.
    pub fn name(&self) -> &'static str {
        self.matmul[Format::Q4_0 as usize].name()
    }
}
