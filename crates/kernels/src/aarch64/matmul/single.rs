//! One row of activations: weights are used as they are unpacked.

use std::arch::aarch64::*;

use super::{
    super::instructions::dot,
    formats::{Blocks, QUAD, QUADS},
};
use crate::{activations::ActivationRows, format::BLOCK};

/// Row 0 of `x` times one strip, sixteen values.
///
/// # Safety
/// The processor must have `dotprod`; `strip` must be a strip of `x.width` columns in `B`'s format, `x` have a quantized
/// row, and sixteen values be writable at `out`.
#[target_feature(enable = "neon,dotprod")]
pub(super) unsafe fn single<B: Blocks>(strip: *const u8, x: &ActivationRows<'_>, out: *mut f32) {
    let mut sums = [vdupq_n_f32(0.0); QUADS];
    for block in 0..x.width / BLOCK {
        let b = block % B::TILE_BLOCKS;
        let scale = x.scale[block];
        // SAFETY: tiles, activations and results are there by the caller's promise.
        unsafe {
            let tile = strip.add(block / B::TILE_BLOCKS * B::FORMAT.tile_bytes());
            let x0 = vld1q_s8(x.q.as_ptr().add(block * BLOCK));
            let x1 = vld1q_s8(x.q.as_ptr().add(block * BLOCK + 16));
            let scales = B::scales(tile, b, 0);
            // The zero comes in through the activations' sums, which are stored −8 and −32 times as large.
            let (start, second) = if B::TWO_SCALES {
                let (first, second) = (x.offset16[2 * block], x.offset16[2 * block + 1]);
                (first * (i32::from(B::ZERO) / 32), (second * (i32::from(B::ZERO) / 32), B::scales(tile, b, 1)))
            } else {
                (x.offset32[block] * (i32::from(B::ZERO) / 8), (0, scales))
            };
            for g in 0..QUADS {
                let w = B::quad(tile, b, g);
                let mut d = vdupq_n_s32(start);
                d = dot::<0>(d, w[0], x0);
                d = dot::<1>(d, w[1], x0);
                d = dot::<2>(d, w[2], x0);
                d = dot::<3>(d, w[3], x0);
                if B::TWO_SCALES {
                    sums[g] = vfmaq_f32(sums[g], vcvtq_f32_s32(d), vmulq_n_f32(scales[g], scale));
                    d = vdupq_n_s32(second.0);
                }
                d = dot::<0>(d, w[4], x1);
                d = dot::<1>(d, w[5], x1);
                d = dot::<2>(d, w[6], x1);
                d = dot::<3>(d, w[7], x1);
                sums[g] = vfmaq_f32(sums[g], vcvtq_f32_s32(d), vmulq_n_f32(second.1[g], scale));
            }
            if B::MINIMA {
                let (minima, sum) = (B::minima(tile, b), vdupq_n_f32(x.scaled_sum[block]));
                for g in 0..QUADS {
                    sums[g] = vfmaq_f32(sums[g], minima[g], sum);
                }
            }
        }
    }
    for (g, sums) in sums.into_iter().enumerate() {
        // SAFETY: by the caller's promise.
        unsafe { vst1q_f32(out.add(QUAD * g), sums) };
    }
}
