//! One block of 32 columns: some rows of activations times some vectors of weights.

use super::{
    formats::{KScales, Quantized},
    isa::{Float, Int, Isa, Vector},
};

/// One block of `VS` vectors of weights, unpacked.
pub(super) struct Weights<I: Isa, const VS: usize> {
    w: [[Int<I>; 8]; VS],
    scale: [[Float<I>; VS]; 2],
    minimum: [Float<I>; VS],
}

impl<I: Isa, const VS: usize> Weights<I, VS> {
    /// Block `block` of each of the tiles, each from its own lane on.
    ///
    /// # Safety
    /// The tiles must be valid for reads, and the instruction set there.
    #[inline(always)]
    pub(super) unsafe fn read<F: Quantized>(
        tiles: [(*const u8, usize); VS],
        scales: &[KScales; VS],
        block: usize,
    ) -> Self {
        // SAFETY: by the caller's promise.
        unsafe {
            let first = F::block::<I>(tiles[0].0, &scales[0], block, tiles[0].1);
            let mut all = Self {
                w: [first.w; VS],
                scale: [[first.scale[0]; VS], [first.scale[1]; VS]],
                minimum: [first.minimum; VS],
            };
            for v in 1..VS {
                let one = F::block::<I>(tiles[v].0, &scales[v], block, tiles[v].1);
                all.w[v] = one.w;
                all.scale[0][v] = one.scale[0];
                all.scale[1][v] = one.scale[1];
                all.minimum[v] = one.minimum;
            }
            all
        }
    }
}

/// Where one block of a row of activations is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    /// 32 values.
    pub(super) q: *const i8,
    /// What they are worth.
    pub(super) scale: *const f32,
    /// What their integer products start from: one number, or two for two halves.
    pub(super) start: *const i32,
    /// Their scaled sum.
    pub(super) sum: *const f32,
}

/// The shift that makes the kept offsets what the products with `F` start from.
pub(super) const fn zero_shift<I: Isa, F: Quantized>() -> Option<i32> {
    if F::BITS == 8 && I::SIGNED_BYTES { None } else { F::ZERO_SHIFT }
}

/// Adds the products of a block of `R` rows to `acc`. `SHIFTED` says that the rows' starts are shifted already.
///
/// # Safety
/// The rows must be valid for reads, and the instruction set there.
#[inline(always)]
pub(super) unsafe fn step<I: Isa, F: Quantized, const SHIFTED: bool, const R: usize, const VS: usize>(
    weights: &Weights<I, VS>,
    rows: &[Row; R],
    acc: &mut [[Float<I>; VS]; R],
) {
    // SAFETY: by the caller's promise.
    unsafe {
        for half in 0..F::HALVES {
            let mut start = [I::V::splat_int(0); R];
            let mut q = [rows[0].q; R];
            for row in 0..R {
                q[row] = rows[row].q.add(16 * half);
                if let Some(shift) = zero_shift::<I, F>() {
                    let offset = I::V::splat_int(rows[row].start.add(half).read());
                    start[row] = if SHIFTED { offset } else { I::V::shifted(offset, shift) };
                }
            }
            let dots = match (F::HALVES, half) {
                (1, _) => I::dots::<F, 0, 8, R, VS>(&weights.w, q, start),
                (_, 0) => I::dots::<F, 0, 4, R, VS>(&weights.w, q, start),
                _ => I::dots::<F, 4, 4, R, VS>(&weights.w, q, start),
            };
            for row in 0..R {
                let scale = I::V::splat(rows[row].scale.read());
                for v in 0..VS {
                    let scale = I::V::mul(weights.scale[half][v], scale);
                    acc[row][v] = I::V::fma(I::V::to_float(dots[row][v]), scale, acc[row][v]);
                }
            }
        }
        if F::MINIMA {
            for row in 0..R {
                let sum = I::V::splat(rows[row].sum.read());
                for v in 0..VS {
                    acc[row][v] = I::V::fma(weights.minimum[v], sum, acc[row][v]);
                }
            }
        }
    }
}
