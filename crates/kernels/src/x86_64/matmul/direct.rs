//! Few rows: each block of weights is read and unpacked once for all of them, in the order of memory.

use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};

use super::{
    formats::{KScales, Quantized},
    isa::{Isa, Vector},
    step::{Row, Weights, step},
};
use crate::{
    activations::ActivationRows,
    format::{BLOCK, STRIP_ROWS},
    ops::{Out, Strips},
};

/// How far ahead of the reads memory is asked for: beyond what the processor's own prefetcher does, which stops at the end
/// of a page of 4 KiB.
const AHEAD: usize = 4096;

/// `R` rows times all strips. `H` is the number of vectors of a strip.
///
/// # Safety
/// The instruction set must be there, `x` have `R` rows, and `out` be valid for writes.
#[inline(always)]
pub(super) unsafe fn direct<I: Isa, F: Quantized, const R: usize, const H: usize>(
    weights: &Strips<'_>,
    x: &ActivationRows<'_>,
    out: Out,
) {
    debug_assert!(x.rows == R && H * I::V::LANES == STRIP_ROWS);
    let blocks = x.width / BLOCK;
    let n_tiles = blocks / F::BLOCKS;
    // SAFETY: strips are whole tiles, rows are whole blocks, and the rest is the caller's promise.
    unsafe {
        let mut scales = [KScales::EMPTY];
        for strip in 0..weights.count() {
            let mut acc = [[[I::V::zero(); 1]; R]; H];
            for tile_index in 0..n_tiles {
                let tile = weights.bytes.as_ptr().add((strip * n_tiles + tile_index) * F::TILE);
                F::open(tile, &mut scales[0]);
                let ahead = tile.wrapping_add(AHEAD);
                for b in 0..F::BLOCKS {
                    let part = F::TILE / F::BLOCKS;
                    for line in 0..part.div_ceil(64) {
                        _mm_prefetch::<_MM_HINT_T0>(ahead.wrapping_add(b * part + 64 * line).cast());
                    }
                    let block = tile_index * F::BLOCKS + b;
                    let mut rows = [Row {
                        q: x.q.as_ptr(),
                        scale: x.scale.as_ptr(),
                        start: x.offset32.as_ptr(),
                        sum: x.scaled_sum.as_ptr(),
                    }; R];
                    for row in 0..R {
                        let at = row * blocks + block;
                        rows[row].q = x.q.as_ptr().add(at * BLOCK);
                        rows[row].scale = x.scale.as_ptr().add(at);
                        rows[row].start =
                            if F::HALVES == 2 { x.offset16.as_ptr().add(2 * at) } else { x.offset32.as_ptr().add(at) };
                        rows[row].sum = x.scaled_sum.as_ptr().add(at);
                    }
                    for half in 0..H {
                        let unpacked = Weights::<I, 1>::read::<F>([(tile, half * I::V::LANES)], &scales, b);
                        step::<I, F, false, R, 1>(&unpacked, &rows, &mut acc[half]);
                    }
                }
            }
            for row in 0..R {
                for half in 0..H {
                    let at = out.at.add(row * out.stride + strip * STRIP_ROWS + half * I::V::LANES);
                    I::V::store_f32(at, acc[half][row][0]);
                }
            }
        }
    }
}
