//! Products with packed weights.

mod floats;
mod formats;
mod panel;
mod single;

use std::arch::is_aarch64_feature_detected;

use self::{
    floats::Float,
    formats::Blocks,
    panel::{PANEL, Panel, Place},
};
use crate::{
    activations::ActivationRows,
    format::{BLOCK, Format},
    ops::{MatmulKernel, Out, Strips},
};

/// Integer dot products (`dotprod`: Cortex-A76, Neoverse N1, Apple A13 and later). A value of this type proves that the
/// processor has them.
#[derive(Debug, Clone, Copy)]
pub struct NeonDotprod(());

/// Integer matrix products (`i8mm`: Cortex-A710, Neoverse V1, Apple M2 and later) beside dot products. A value of this
/// type proves that the processor has both.
#[derive(Debug, Clone, Copy)]
pub struct NeonI8mm(());

impl NeonDotprod {
    /// `None` if the processor lacks the instructions.
    pub fn new() -> Option<Self> {
        is_aarch64_feature_detected!("dotprod").then_some(Self(()))
    }
}

impl NeonI8mm {
    /// `None` if the processor lacks the instructions.
    pub fn new() -> Option<Self> {
        (is_aarch64_feature_detected!("dotprod") && is_aarch64_feature_detected!("i8mm")).then_some(Self(()))
    }
}

impl MatmulKernel for NeonDotprod {
    fn name(&self) -> &'static str {
        "neon_dotprod"
    }

    unsafe fn product(&self, weights: &Strips<'_>, x: &ActivationRows<'_>, out: Out) {
        // SAFETY: the processor has `dotprod`, since there is a value of this type; the rest by the caller's promise.
        unsafe { product::<false>(weights, x, out) }
    }
}

impl MatmulKernel for NeonI8mm {
    fn name(&self) -> &'static str {
        "neon_i8mm"
    }

    unsafe fn product(&self, weights: &Strips<'_>, x: &ActivationRows<'_>, out: Out) {
        // SAFETY: the processor has both, since there is a value of this type; the rest by the caller's promise.
        unsafe { product::<true>(weights, x, out) }
    }
}

/// # Safety
/// The processor must have `dotprod`, and `i8mm` if `MATRICES`; the rest as for [`MatmulKernel::product`].
unsafe fn product<const MATRICES: bool>(weights: &Strips<'_>, x: &ActivationRows<'_>, out: Out) {
    assert_eq!(weights.width, x.width, "weights and activations of the same width");
    // SAFETY: by the caller's promise.
    unsafe {
        match weights.format {
            Format::F32 => floats::<floats::F32>(weights, x, out),
            Format::F16 => floats::<floats::F16>(weights, x, out),
            Format::BF16 => floats::<floats::BF16>(weights, x, out),
            Format::Q4_0 => quantized::<formats::Q4_0, MATRICES>(weights, x, out),
            Format::Q4_1 => quantized::<formats::Q4_1, MATRICES>(weights, x, out),
            Format::Q5_0 => quantized::<formats::Q5_0, MATRICES>(weights, x, out),
            Format::Q5_1 => quantized::<formats::Q5_1, MATRICES>(weights, x, out),
            Format::Q8_0 => quantized::<formats::Q8_0, MATRICES>(weights, x, out),
            Format::Q4K => quantized::<formats::Q4K, MATRICES>(weights, x, out),
            Format::Q5K => quantized::<formats::Q5K, MATRICES>(weights, x, out),
            Format::Q6K => quantized::<formats::Q6K, MATRICES>(weights, x, out),
        }
    }
}

/// # Safety
/// As for [`MatmulKernel::product`], with weights in `F`'s format.
unsafe fn floats<F: Float>(weights: &Strips<'_>, x: &ActivationRows<'_>, out: Out) {
    assert!(F::FORMAT.fits(x.width) && x.exact.len() >= x.rows * x.width, "rows as they are");
    for (index, strip) in weights.bytes.chunks_exact(F::FORMAT.strip_bytes(x.width)).enumerate() {
        // SAFETY: a whole strip, and as many activations as were just checked; the rest by the caller's promise.
        unsafe { floats::strip::<F>(strip.as_ptr(), x, panel::strip_out(out, index)) };
    }
}

/// # Safety
/// As for [`product`], with weights in `B`'s format.
#[target_feature(enable = "neon")]
unsafe fn quantized<B: Blocks, const MATRICES: bool>(weights: &Strips<'_>, x: &ActivationRows<'_>, out: Out) {
    let blocks = x.width / BLOCK;
    assert!(B::FORMAT.fits(x.width), "whole tiles");
    assert!(x.q.len() >= x.rows * x.width && x.scale.len() >= x.rows * blocks, "quantized rows");
    assert!(x.offset32.len() >= x.rows * blocks && x.offset16.len() >= 2 * x.rows * blocks, "their sums");
    assert!(x.scaled_sum.len() >= x.rows * blocks, "their scaled sums");
    let strips = weights.bytes.chunks_exact(B::FORMAT.strip_bytes(x.width));
    if x.rows == 1 {
        for (index, strip) in strips.enumerate() {
            // SAFETY: a whole strip, and as many activations as were just checked; the rest by the caller's promise.
            unsafe { single::single::<B>(strip.as_ptr(), x, panel::strip_out(out, index).at) };
        }
        return;
    }
    let mut panel = Panel::new();
    // Columns outside, strips inside: these columns of the activations stay in the cache for all strips.
    for block in (0..blocks).step_by(PANEL) {
        let n = PANEL.min(blocks - block);
        for (index, strip) in strips.clone().enumerate() {
            // SAFETY: a whole strip with these blocks.
            unsafe { panel.unpack::<B>(strip.as_ptr(), block, n, MATRICES) };
            let mut p = Place { x, row: 0, block, n, out: panel::strip_out(out, index) };
            while p.row < x.rows {
                // SAFETY: no more rows than there are, as many activations as were just checked; the rest by the
                // caller's promise.
                p.row += unsafe { rows::<B, MATRICES>(&panel, p, x.rows - p.row) };
            }
        }
    }
}

/// Computes some of the `left` rows from `p.row` on; how many.
///
/// # Safety
/// As for [`product`], where `p` is within its rows and strips.
unsafe fn rows<B: Blocks, const MATRICES: bool>(panel: &Panel, p: Place<'_>, left: usize) -> usize {
    // SAFETY: by the caller's promise.
    unsafe {
        match (MATRICES, left) {
            (true, 1..=2) => panel::by_matrices::<B, 1>(panel, p, left),
            (true, 3..=4) => panel::by_matrices::<B, 2>(panel, p, left),
            (true, _) => panel::by_matrices::<B, 4>(panel, p, left.min(8)),
            (false, 1) => panel::by_dots::<B, 1>(panel, p),
            (false, 2..4) => panel::by_dots::<B, 2>(panel, p),
            (false, _) => panel::by_dots::<B, 4>(panel, p),
        }
    }
    match (MATRICES, left) {
        (true, _) => left.min(8),
        (false, 2..4) => 2,
        (false, _) => left.min(4),
    }
}
