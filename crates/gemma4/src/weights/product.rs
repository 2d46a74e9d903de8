//! The product of activations with weights on the CPU, one dot product after another.
//!
//! candle's dot products of single rows do the arithmetic; what this adds is the order in which rows are visited and
//! the threads. A dot product never depends on the other rows, so neither does its result.

use candle_core::quantized::GgmlType;
use rayon::prelude::*;

/// Weight rows that one thread takes at a time.
const WEIGHT_ROWS: usize = 64;
/// Activation rows that stay in the innermost cache while weight rows pass by.
const TILE: usize = 16;
/// Below this many multiplications one thread is faster than several.
const WORTH_THREADS: usize = 1 << 18;

/// Activations, ready to be multiplied with weight rows of blocks `T`.
pub(super) trait Activations<T>: Sync {
    /// Blocks of one weight row.
    fn row_blocks(&self) -> usize;

    /// Dot products of up to four weight rows (`w`, row after row) with each of the rows of activations from `first`
    /// on: `put(index of the weight row, index of the activations' row, result)`.
    fn dot(&self, w: &[T], rows: std::ops::Range<usize>, put: &mut dyn FnMut(usize, usize, f32));
}

/// f32 activations, multiplied in f32. Rounding them to the weights' 16 bits, as candle's product does, would cost
/// precision, and overflow f16 in Gemma's feed-forward part.
pub(super) struct Exact<'a> {
    /// `(m, k)`.
    pub(super) x: &'a [f32],
    /// Values in a row.
    pub(super) k: usize,
}

impl<T: GgmlType> Activations<T> for Exact<'_> {
    fn row_blocks(&self) -> usize {
        self.k
    }

    fn dot(&self, w: &[T], rows: std::ops::Range<usize>, put: &mut dyn FnMut(usize, usize, f32)) {
        let mut widened = vec![0f32; self.k];
        for (col, w) in w.chunks_exact(self.k).enumerate() {
            T::to_float(w, &mut widened);
            for row in rows.clone() {
                put(col, row, f32::vec_dot(self.k, &widened, &self.x[row * self.k..][..self.k]));
            }
        }
    }
}

/// Activations rounded to 8 bits, block by block, in the form that dot products with `T` take.
pub(super) struct Rounded<T: GgmlType> {
    blocks: Vec<T::VecDotType>,
    k: usize,
}

impl<T: GgmlType> Rounded<T> {
    /// `x` of shape `(m, k)`.
    pub(super) fn new(x: &[f32], k: usize) -> Self {
        let mut blocks = vec![T::VecDotType::zeros(); x.len() / T::BLCK_SIZE];
        let round = |(x, blocks): (&[f32], &mut [T::VecDotType])| T::VecDotType::from_float(x, blocks);
        let rows = (x.par_chunks(k), blocks.par_chunks_mut(k / T::BLCK_SIZE));
        if x.len() < WORTH_THREADS {
            x.chunks(k).zip(blocks.chunks_mut(k / T::BLCK_SIZE)).for_each(round);
        } else {
            rows.into_par_iter().for_each(round);
        }
        Self { blocks, k }
    }
}

impl<T: GgmlType> Activations<T> for Rounded<T> {
    fn row_blocks(&self) -> usize {
        self.k / T::BLCK_SIZE
    }

    fn dot(&self, w: &[T], rows: std::ops::Range<usize>, put: &mut dyn FnMut(usize, usize, f32)) {
        let (n, k) = (self.k / T::BLCK_SIZE, self.k);
        for row in rows {
            let x = &self.blocks[row * n..(row + 1) * n];
            if w.len() == 4 * n {
                let (a, b, c, d) = T::vec_dot_4(k, &w[..n], &w[n..2 * n], &w[2 * n..3 * n], &w[3 * n..], x);
                put(0, row, a);
                put(1, row, b);
                put(2, row, c);
                put(3, row, d);
            } else {
                w.chunks_exact(n).enumerate().for_each(|(col, w)| put(col, row, T::vec_dot(k, w, x)));
            }
        }
    }
}

/// `x · wᵀ` for `m` rows of activations `x` and any number `n` of rows of weights `w`: `(m, n)`.
pub(super) fn product<T: GgmlType>(w: &[T], x: &impl Activations<T>, m: usize) -> Vec<f32> {
    let row_blocks = x.row_blocks();
    let n = w.len() / row_blocks;
    let mut transposed = vec![0f32; n * m]; // (n, m): each weight row owns a piece of it
    let part = |(w, out): (&[T], &mut [f32])| {
        for first in (0..m).step_by(TILE) {
            let rows = first..m.min(first + TILE);
            for (four, w) in w.chunks(4 * row_blocks).enumerate() {
                x.dot(w, rows.clone(), &mut |col, row, dot| out[(4 * four + col) * m + row] = dot);
            }
        }
    };
    let size = WEIGHT_ROWS.min(n.div_ceil(rayon::current_num_threads()).next_multiple_of(4));
    if w.len() * T::BLCK_SIZE * m < WORTH_THREADS {
        w.chunks(size * row_blocks).zip(transposed.chunks_mut(size * m)).for_each(part);
    } else {
        w.par_chunks(size * row_blocks).zip(transposed.par_chunks_mut(size * m)).for_each(part);
    }
    if m == 1 { transposed } else { transpose(&transposed, n, m) }
}

/// `(n, m)` → `(m, n)`.
fn transpose(x: &[f32], n: usize, m: usize) -> Vec<f32> {
    let mut out = vec![0f32; m * n];
    let fill = |(row, out): (usize, &mut [f32])| {
        for (col, out) in out.iter_mut().enumerate() {
            *out = x[col * m + row];
        }
    };
    if out.len() < WORTH_THREADS {
        out.chunks_mut(n).enumerate().for_each(fill);
    } else {
        out.par_chunks_mut(n).enumerate().for_each(fill);
    }
    out
}
