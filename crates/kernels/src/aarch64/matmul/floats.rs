//! Weights that are floats.

use std::arch::aarch64::*;

use super::{
    super::instructions::widen,
    formats::{QUAD, QUADS},
};
use crate::{
    activations::ActivationRows,
    format::{Format, STRIP_ROWS},
    ops::Out,
};

/// How a weight is stored.
pub(super) trait Float {
    /// The format.
    const FORMAT: Format;

    /// Weights `at..at + 4`.
    ///
    /// # Safety
    /// They must be there.
    unsafe fn load(weights: *const u8, at: usize) -> float32x4_t;
}

pub(super) struct F32;
pub(super) struct F16;
pub(super) struct BF16;

impl Float for F32 {
    const FORMAT: Format = Format::F32;

    #[inline]
    #[target_feature(enable = "neon")]
    unsafe fn load(weights: *const u8, at: usize) -> float32x4_t {
        // SAFETY: by the caller's promise. Bytes, since a mapped file aligns to whatever it likes.
        unsafe { vreinterpretq_f32_u8(vld1q_u8(weights.add(4 * at))) }
    }
}

impl Float for F16 {
    const FORMAT: Format = Format::F16;

    #[inline]
    #[target_feature(enable = "neon")]
    unsafe fn load(weights: *const u8, at: usize) -> float32x4_t {
        // SAFETY: by the caller's promise.
        unsafe { widen(vreinterpret_u16_u8(vld1_u8(weights.add(2 * at)))) }
    }
}

impl Float for BF16 {
    const FORMAT: Format = Format::BF16;

    #[inline]
    #[target_feature(enable = "neon")]
    unsafe fn load(weights: *const u8, at: usize) -> float32x4_t {
        // SAFETY: by the caller's promise.
        let halves = unsafe { vreinterpret_u16_u8(vld1_u8(weights.add(2 * at))) };
        vreinterpretq_f32_u32(vshll_n_u16::<16>(halves))
    }
}

/// All rows of `x` times one strip.
///
/// # Safety
/// `strip` must be a strip of `x.width` columns in `F`'s format, `x` have exact rows, and `out` be writable for them.
#[target_feature(enable = "neon")]
pub(super) unsafe fn strip<F: Float>(strip: *const u8, x: &ActivationRows<'_>, out: Out) {
    let mut row = 0;
    while row < x.rows {
        // SAFETY: by the caller's promise; no more rows than there are.
        unsafe {
            match x.rows - row {
                1 => part::<F, 1, QUADS>(strip, x, (row, 0), out),
                // More rows fit into the registers beside half a strip.
                2 | 3 => part::<F, 2, QUADS>(strip, x, (row, 0), out),
                _ => {
                    part::<F, 4, 2>(strip, x, (row, 0), out);
                    part::<F, 4, 2>(strip, x, (row, 2), out);
                }
            }
        }
        row += match x.rows - row {
            1 => 1,
            2 | 3 => 2,
            _ => 4,
        };
    }
}

/// `ROWS` rows from `first` on times `N` quads of a strip.
///
/// # Safety
/// As for [`strip`], and these rows and quads must be there.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn part<F: Float, const ROWS: usize, const N: usize>(
    strip: *const u8,
    x: &ActivationRows<'_>,
    (first, quad): (usize, usize),
    out: Out,
) {
    // Sums of even and of odd columns.
    let mut sums = [[[vdupq_n_f32(0.0); N]; 2]; ROWS];
    let mut column = 0;
    while column < x.width {
        // SAFETY: widths are multiples of 32; weights and activations are there by the caller's promise.
        unsafe {
            let mut some = [vdupq_n_f32(0.0); ROWS];
            for (r, some) in some.iter_mut().enumerate() {
                *some = vld1q_f32(x.exact.as_ptr().add((first + r) * x.width + column));
            }
            macro_rules! step {
                ($j:literal) => {
                    for g in 0..N {
                        let w = F::load(strip, (column + $j) * STRIP_ROWS + QUAD * (quad + g));
                        for (sums, x) in sums.iter_mut().zip(some) {
                            sums[$j % 2][g] = vfmaq_laneq_f32::<$j>(sums[$j % 2][g], w, x);
                        }
                    }
                };
            }
            step!(0);
            step!(1);
            step!(2);
            step!(3);
        }
        column += 4;
    }
    for (r, [even, odd]) in sums.into_iter().enumerate() {
        for (g, (even, odd)) in even.into_iter().zip(odd).enumerate() {
            // SAFETY: by the caller's promise.
            unsafe { vst1q_f32(out.at.add((first + r) * out.stride + QUAD * (quad + g)), vaddq_f32(even, odd)) };
        }
    }
}
