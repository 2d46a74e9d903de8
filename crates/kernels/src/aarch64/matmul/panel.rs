//! Many rows of activations: some columns of a strip are unpacked once for all of them.

use std::arch::aarch64::*;

use super::{
    super::instructions::{dot, matrix},
    formats::{Blocks, QUAD, QUADS},
};
use crate::{
    activations::ActivationRows,
    format::{BLOCK, STRIP_ROWS},
    ops::Out,
};

/// Blocks of a panel: 4 KiB of weights and 2 KiB of activations stay in the first-level cache.
pub(super) const PANEL: usize = 8;

/// Vectors of four rows of a block.
type Quad = [int8x16_t; 8];

/// Some blocks of a strip, unpacked.
pub(super) struct Panel {
    /// For dot products vector `i` holds columns `4·i..4·i + 4` of four rows; for matrix products vector `2·c` holds
    /// columns `8·c..8·c + 8` of the first two rows, vector `2·c + 1` those of the others.
    q: [[Quad; QUADS]; PANEL],
    scales: [[[float32x4_t; QUADS]; 2]; PANEL],
    minima: [[float32x4_t; QUADS]; PANEL],
}

impl Panel {
    #[target_feature(enable = "neon")]
    pub(super) fn new() -> Self {
        let zero = vdupq_n_f32(0.0);
        Self {
            q: [[[vdupq_n_s8(0); 8]; QUADS]; PANEL],
            scales: [[[zero; QUADS]; 2]; PANEL],
            minima: [[zero; QUADS]; PANEL],
        }
    }

    /// Unpacks blocks `first..first + n` of `strip`, in pairs of rows for matrix products if `paired`.
    ///
    /// # Safety
    /// `strip` must be a strip in `B`'s format that has these blocks; `n` at most [`PANEL`].
    #[target_feature(enable = "neon")]
    pub(super) unsafe fn unpack<B: Blocks>(&mut self, strip: *const u8, first: usize, n: usize, paired: bool) {
        let zero = vdupq_n_s8(B::ZERO);
        for at in 0..n {
            let block = first + at;
            let b = block % B::TILE_BLOCKS;
            let tile = strip.wrapping_add(block / B::TILE_BLOCKS * B::FORMAT.tile_bytes());
            for g in 0..QUADS {
                // SAFETY: by the caller's promise.
                let mut q = unsafe { B::quad(tile, b, g) };
                if B::ZERO != 0 {
                    for q in &mut q {
                        *q = vsubq_s8(*q, zero);
                    }
                }
                if paired {
                    for c in 0..4 {
                        let (a, b) = (vreinterpretq_s32_s8(q[2 * c]), vreinterpretq_s32_s8(q[2 * c + 1]));
                        q[2 * c] = vreinterpretq_s8_s32(vzip1q_s32(a, b));
                        q[2 * c + 1] = vreinterpretq_s8_s32(vzip2q_s32(a, b));
                    }
                }
                self.q[at][g] = q;
            }
            // SAFETY: by the caller's promise.
            unsafe {
                self.scales[at][0] = B::scales(tile, b, 0);
                if B::TWO_SCALES {
                    self.scales[at][1] = B::scales(tile, b, 1);
                }
                if B::MINIMA {
                    self.minima[at] = B::minima(tile, b);
                }
            }
        }
    }
}

/// Where a group of rows meets a panel.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    /// The activations.
    pub(super) x: &'a ActivationRows<'a>,
    /// The first row.
    pub(super) row: usize,
    /// The first block.
    pub(super) block: usize,
    /// Blocks, at most [`PANEL`].
    pub(super) n: usize,
    /// Where row 0 of the strip goes. What is there counts unless `block` is 0.
    pub(super) out: Out,
}

impl Place<'_> {
    /// Sums so far of row `r` of the group in quad `g`.
    ///
    /// # Safety
    /// The row must be there.
    #[inline]
    #[target_feature(enable = "neon")]
    unsafe fn load(&self, r: usize, g: usize) -> float32x4_t {
        if self.block == 0 {
            return vdupq_n_f32(0.0);
        }
        // SAFETY: by the caller's promise; earlier panels wrote it.
        unsafe { vld1q_f32(self.out.at.add((self.row + r) * self.out.stride + QUAD * g)) }
    }

    /// # Safety
    /// As for [`Self::load`].
    #[inline]
    #[target_feature(enable = "neon")]
    unsafe fn store(&self, r: usize, g: usize, sums: float32x4_t) {
        // SAFETY: by the caller's promise.
        unsafe { vst1q_f32(self.out.at.add((self.row + r) * self.out.stride + QUAD * g), sums) }
    }

    /// The place of block `at` of the panel of row `r` among all blocks.
    #[inline]
    fn index(&self, r: usize, at: usize) -> usize {
        (self.row + r) * (self.x.width / BLOCK) + self.block + at
    }
}

/// `ROWS` rows by dot products.
///
/// # Safety
/// The processor must have `dotprod`; rows and blocks of `p` must be there, quantized, and `p.out` be writable for them.
#[target_feature(enable = "neon,dotprod")]
pub(super) unsafe fn by_dots<B: Blocks, const ROWS: usize>(panel: &Panel, p: Place<'_>) {
    for g in 0..QUADS {
        let mut sums = [vdupq_n_f32(0.0); ROWS];
        // SAFETY: rows and blocks are there by the caller's promise.
        unsafe {
            for (r, sums) in sums.iter_mut().enumerate() {
                *sums = p.load(r, g);
            }
            for at in 0..p.n {
                let w = &panel.q[at][g];
                let [first, second] = [panel.scales[at][0][g], panel.scales[at][1][g]];
                for (r, sums) in sums.iter_mut().enumerate() {
                    let index = p.index(r, at);
                    let x = p.x.q.as_ptr().add(index * BLOCK);
                    let (x0, x1) = (vld1q_s8(x), vld1q_s8(x.add(16)));
                    let scale = *p.x.scale.get_unchecked(index);
                    let mut d = vdupq_n_s32(0);
                    d = dot::<0>(d, w[0], x0);
                    d = dot::<1>(d, w[1], x0);
                    d = dot::<2>(d, w[2], x0);
                    d = dot::<3>(d, w[3], x0);
                    if B::TWO_SCALES {
                        *sums = vfmaq_f32(*sums, vcvtq_f32_s32(d), vmulq_n_f32(first, scale));
                        d = vdupq_n_s32(0);
                    }
                    d = dot::<0>(d, w[4], x1);
                    d = dot::<1>(d, w[5], x1);
                    d = dot::<2>(d, w[6], x1);
                    d = dot::<3>(d, w[7], x1);
                    let last = if B::TWO_SCALES { second } else { first };
                    *sums = vfmaq_f32(*sums, vcvtq_f32_s32(d), vmulq_n_f32(last, scale));
                    if B::MINIMA {
                        *sums = vfmaq_n_f32(*sums, panel.minima[at][g], *p.x.scaled_sum.get_unchecked(index));
                    }
                }
            }
            for (r, sums) in sums.into_iter().enumerate() {
                p.store(r, g, sums);
            }
        }
    }
}

/// Activations of some pairs of rows: vector `c` of a block holds columns `8·c..8·c + 8` of both rows.
pub(super) type Paired<const PAIRS: usize> = [[[int8x16_t; 4]; PANEL]; PAIRS];

/// Adds columns `8·C..8·C + 8` of block `at`.
#[inline]
#[target_feature(enable = "neon,i8mm")]
fn add<const PAIRS: usize, const C: usize>(d: &mut [[int32x4_t; 2]; PAIRS], x: &Paired<PAIRS>, at: usize, w: &Quad) {
    for pair in 0..PAIRS {
        let x = x[pair][at][C];
        d[pair] = [matrix(d[pair][0], x, w[2 * C]), matrix(d[pair][1], x, w[2 * C + 1])];
    }
}

/// `sums + d · (scale · x_scale)` for both rows of a pair, where `d` holds both rows' dot products with two rows of weights
/// and with two more.
#[inline]
#[target_feature(enable = "neon")]
fn scaled(sums: [float32x4_t; 2], d: [int32x4_t; 2], scale: float32x4_t, x_scales: [f32; 2]) -> [float32x4_t; 2] {
    let (low, high) = (vreinterpretq_s64_s32(d[0]), vreinterpretq_s64_s32(d[1]));
    let (a, b) = (vzip1q_s64(low, high), vzip2q_s64(low, high));
    [
        vfmaq_f32(sums[0], vcvtq_f32_s32(vreinterpretq_s32_s64(a)), vmulq_n_f32(scale, x_scales[0])),
        vfmaq_f32(sums[1], vcvtq_f32_s32(vreinterpretq_s32_s64(b)), vmulq_n_f32(scale, x_scales[1])),
    ]
}

/// `rows` rows, at most two for each pair, by matrix products. Without its second row a pair computes the first twice.
///
/// # Safety
/// The processor must have `i8mm`; rows and blocks of `p` must be there, quantized, and `p.out` be writable for them.
#[target_feature(enable = "neon,i8mm")]
pub(super) unsafe fn by_matrices<B: Blocks, const PAIRS: usize>(panel: &Panel, p: Place<'_>, rows: usize) {
    let mut x: Paired<PAIRS> = [[[vdupq_n_s8(0); 4]; PANEL]; PAIRS];
    let row_of = |pair: usize, second: usize| (2 * pair + second).min(rows - 1);
    for (pair, x) in x.iter_mut().enumerate() {
        for (at, x) in x[..p.n].iter_mut().enumerate() {
            let [a, b] = [p.index(row_of(pair, 0), at), p.index(row_of(pair, 1), at)];
            for half in 0..2 {
                // SAFETY: these blocks are there by the caller's promise.
                let (a, b) = unsafe {
                    let q = p.x.q.as_ptr().add(16 * half);
                    (vld1q_s64(q.add(a * BLOCK).cast()), vld1q_s64(q.add(b * BLOCK).cast()))
                };
                x[2 * half] = vreinterpretq_s8_s64(vzip1q_s64(a, b));
                x[2 * half + 1] = vreinterpretq_s8_s64(vzip2q_s64(a, b));
            }
        }
    }
    // Where the scales of each row begin.
    let mut first = [[0; 2]; PAIRS];
    for (pair, first) in first.iter_mut().enumerate() {
        *first = [p.index(row_of(pair, 0), 0), p.index(row_of(pair, 1), 0)];
    }
    // In the loops over blocks nothing is zipped or mapped: that is not always inlined here, and sums would leave their
    // registers.
    for g in 0..QUADS {
        let mut sums = [[vdupq_n_f32(0.0); 2]; PAIRS];
        // SAFETY: rows and blocks are there by the caller's promise, and no row beyond the last is asked for.
        unsafe {
            for (pair, sums) in sums.iter_mut().enumerate() {
                *sums = [p.load(row_of(pair, 0), g), p.load(row_of(pair, 1), g)];
            }
            for at in 0..p.n {
                let w = &panel.q[at][g];
                let scales = [panel.scales[at][0][g], panel.scales[at][1][g]];
                let mut d = [[vdupq_n_s32(0); 2]; PAIRS];
                add::<PAIRS, 0>(&mut d, &x, at, w);
                add::<PAIRS, 1>(&mut d, &x, at, w);
                if B::TWO_SCALES {
                    for pair in 0..PAIRS {
                        let [a, b] = first[pair];
                        let x_scales = [*p.x.scale.get_unchecked(a + at), *p.x.scale.get_unchecked(b + at)];
                        sums[pair] = scaled(sums[pair], d[pair], scales[0], x_scales);
                        d[pair] = [vdupq_n_s32(0); 2];
                    }
                }
                add::<PAIRS, 2>(&mut d, &x, at, w);
                add::<PAIRS, 3>(&mut d, &x, at, w);
                let last = if B::TWO_SCALES { scales[1] } else { scales[0] };
                for pair in 0..PAIRS {
                    let [a, b] = first[pair];
                    let x_scales = [*p.x.scale.get_unchecked(a + at), *p.x.scale.get_unchecked(b + at)];
                    sums[pair] = scaled(sums[pair], d[pair], last, x_scales);
                    if B::MINIMA {
                        let minima = panel.minima[at][g];
                        let (a, b) = (p.x.scaled_sum.get_unchecked(a + at), p.x.scaled_sum.get_unchecked(b + at));
                        sums[pair] = [vfmaq_n_f32(sums[pair][0], minima, *a), vfmaq_n_f32(sums[pair][1], minima, *b)];
                    }
                }
            }
            for (pair, sums) in sums.into_iter().enumerate() {
                for (second, sum) in sums.into_iter().enumerate() {
                    p.store(row_of(pair, second), g, sum);
                }
            }
        }
    }
}

/// Rows of a strip as [`Place`] takes them.
pub(super) fn strip_out(out: Out, strip: usize) -> Out {
    Out { at: out.at.wrapping_add(strip * STRIP_ROWS), ..out }
}
