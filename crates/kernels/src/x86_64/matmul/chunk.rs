//! Many rows: a chunk of a prompt.
//!
//! Some rows at a time are copied so that a block of columns of all of them is contiguous, together with their scales;
//! as many columns as fit into the second-level cache. Then each group of vectors of weights goes along these columns: a
//! block of it is unpacked once and meets all rows, whose sums wait in the first-level cache.

use std::{
    arch::x86_64::{_MM_HINT_T0, _mm_prefetch},
    cell::RefCell,
};

use super::{
    formats::{KScales, Quantized},
    isa::{Isa, Vector},
    step::{Row, Weights, step, zero_shift},
};
use crate::{
    activations::ActivationRows,
    format::{BLOCK, STRIP_ROWS},
    ops::{Out, Strips},
};

/// Rows that are copied together: a multiple of every group, and so few that their sums and one block of them leave room
/// in a first-level cache of 32 KiB.
const ROWS: usize = 48;
/// Rows with those that fill up the last group.
const PADDED: usize = ROWS + 8;
/// Columns that are copied together, at most.
const COLUMNS: usize = 2048;
/// Bytes of a row in a copied block: values, scale, two starts, sum.
const ROW_BYTES: usize = BLOCK + 4 + 8 + 4;

/// How far ahead of the reads weights are asked for: they are read slowly, and a block at once.
const AHEAD: usize = 1024;

/// Asks for the line of `at`, wherever that is.
#[inline(always)]
fn prefetch(at: *const u8) {
    // SAFETY: every x86-64 processor has SSE, and asking for memory that is not there does nothing.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
}

/// A line of the cache.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Line(#[expect(dead_code, reason = "only its place in memory is used")] [u8; 64]);

thread_local! {
    /// Copied rows. Kept by each thread, so that nothing is allocated once it has grown.
    static COPIED: RefCell<Vec<Line>> = const { RefCell::new(Vec::new()) };
}

/// Gives `body` room for copied rows.
pub(super) fn with_room(body: impl FnOnce(*mut u8)) {
    COPIED.with_borrow_mut(|lines| {
        lines.resize((COLUMNS / BLOCK * PADDED * ROW_BYTES).div_ceil(64), Line([0; 64]));
        body(lines.as_mut_ptr().cast());
    });
}

/// Where a block of `rows` copied rows has what.
#[derive(Debug, Clone, Copy)]
struct Copied {
    at: *mut u8,
    rows: usize,
}

impl Copied {
    /// Row `row` of block `block`.
    ///
    /// # Safety
    /// Both must be in what was copied.
    #[inline(always)]
    unsafe fn row(self, block: usize, row: usize) -> Row {
        // SAFETY: by the caller's promise all parts lie in the block; each but the first is aligned to 4, since the
        // sizes before it are multiples of 4.
        unsafe {
            let at = self.at.add(block * self.rows * ROW_BYTES);
            let numbers = at.add(self.rows * BLOCK).cast::<f32>();
            Row {
                q: at.add(row * BLOCK).cast(),
                scale: numbers.add(row),
                start: numbers.add(self.rows + 2 * row).cast(),
                sum: numbers.add(3 * self.rows + row),
            }
        }
    }

    /// Copies `n` blocks from `first` on of all rows of `x`; rows beyond them become zeros.
    ///
    /// # Safety
    /// There must be room, and `x` must have the blocks.
    #[inline(always)]
    unsafe fn fill<I: Isa, F: Quantized>(self, x: &ActivationRows<'_>, first: usize, n: usize) {
        let blocks = x.width / BLOCK;
        for row in 0..self.rows {
            for block in 0..n {
                // SAFETY: by the caller's promise; nobody else has this thread's room.
                unsafe {
                    let to = self.row(block, row);
                    let (q, scale) = (to.q.cast_mut(), to.scale.cast_mut());
                    let (start, sum) = (to.start.cast_mut(), to.sum.cast_mut());
                    if row >= x.rows {
                        q.write_bytes(0, BLOCK);
                        (*scale, *sum) = (0.0, 0.0);
                        start.write_bytes(0, 2);
                        continue;
                    }
                    let at = row * blocks + first + block;
                    q.copy_from_nonoverlapping(x.q.as_ptr().add(at * BLOCK), BLOCK);
                    *scale = *x.scale.as_ptr().add(at);
                    if F::MINIMA {
                        *sum = *x.scaled_sum.as_ptr().add(at);
                    }
                    if let Some(shift) = zero_shift::<I, F>() {
                        if F::HALVES == 2 {
                            *start = *x.offset16.as_ptr().add(2 * at) << shift;
                            *start.add(1) = *x.offset16.as_ptr().add(2 * at + 1) << shift;
                        } else {
                            *start = *x.offset32.as_ptr().add(at) << shift;
                        }
                    }
                }
            }
        }
    }
}

/// Sums of all copied rows and one group of vectors.
#[repr(align(64))]
struct Sums([f32; PADDED * 2 * STRIP_ROWS]);

/// All rows of `x` times all strips: `R` rows and `VS` vectors in registers.
///
/// # Safety
/// The instruction set must be there, `room` as large as [`with_room`] makes it, and `out` valid for writes.
#[inline(always)]
pub(super) unsafe fn chunk<I: Isa, F: Quantized, const R: usize, const VS: usize>(
    weights: &Strips<'_>,
    x: &ActivationRows<'_>,
    out: Out,
    room: *mut u8,
) {
    const { assert!(R <= PADDED - ROWS + 1 && VS * I::V::LANES <= 2 * STRIP_ROWS) };
    let n_vectors = weights.count() * STRIP_ROWS / I::V::LANES;
    let n_tiles = x.width / BLOCK / F::BLOCKS;
    // Pieces of about the same size.
    let piece = n_tiles.div_ceil(x.width.div_ceil(COLUMNS));
    let mut sums = Sums([0.0; PADDED * 2 * STRIP_ROWS]);
    for first_row in (0..x.rows).step_by(ROWS) {
        let x = x.range(first_row, ROWS.min(x.rows - first_row));
        let copied = Copied { at: room, rows: x.rows.next_multiple_of(R) };
        for first_tile in (0..n_tiles).step_by(piece) {
            let tiles = first_tile..n_tiles.min(first_tile + piece);
            // SAFETY: a piece has at most COLUMNS columns, and at most PADDED rows; the rest by the caller's promise.
            unsafe {
                copied.fill::<I, F>(&x, tiles.start * F::BLOCKS, tiles.len() * F::BLOCKS);
                let to = Out { at: out.at.add(first_row * out.stride), ..out };
                let mut vector = 0;
                while vector < n_vectors {
                    if vector + VS <= n_vectors {
                        panel::<I, F, R, VS>(weights, copied, x.rows, vector, tiles.clone(), to, &mut sums);
                        vector += VS;
                    } else {
                        panel::<I, F, R, 1>(weights, copied, x.rows, vector, tiles.clone(), to, &mut sums);
                        vector += 1;
                    }
                }
            }
        }
    }
}

/// The copied rows times `VS` vectors of weights from `vector` on, over some tiles. Sums of earlier tiles are in `out`.
///
/// # Safety
/// As for [`chunk`]; `copied` must have been filled with these tiles' columns.
#[inline(always)]
unsafe fn panel<I: Isa, F: Quantized, const R: usize, const VS: usize>(
    weights: &Strips<'_>,
    copied: Copied,
    rows: usize,
    vector: usize,
    tiles: std::ops::Range<usize>,
    out: Out,
    sums: &mut Sums,
) {
    let per_strip = STRIP_ROWS / I::V::LANES;
    let strip_bytes = weights.format.strip_bytes(weights.width);
    let at = sums.0.as_mut_ptr();
    let lanes = I::V::LANES;
    // SAFETY: `sums` has `PADDED` rows of `VS · LANES` values, at most twice 16; the rest by the caller's promise.
    unsafe {
        for row in 0..copied.rows {
            for v in 0..VS {
                let sum = if tiles.start == 0 || row >= rows {
                    I::V::zero()
                } else {
                    I::V::load_f32(out.at.add(row * out.stride + (vector + v) * lanes))
                };
                I::V::store_f32(at.add((row * VS + v) * lanes), sum);
            }
        }
        let written = rows.div_ceil(tiles.len() * F::BLOCKS);
        let mut scales = [KScales::EMPTY; VS];
        let mut from = [(weights.bytes.as_ptr(), 0); VS];
        for tile in tiles.clone() {
            for v in 0..VS {
                let (strip, part) = ((vector + v) / per_strip, (vector + v) % per_strip);
                from[v] = (weights.bytes.as_ptr().add(strip * strip_bytes + tile * F::TILE), part * lanes);
                F::open(from[v].0, &mut scales[v]);
            }
            for b in 0..F::BLOCKS {
                let part = F::TILE / F::BLOCKS;
                for (tile, _) in from {
                    for line in 0..part.div_ceil(64) {
                        prefetch(tile.wrapping_add(AHEAD + b * part + 64 * line));
                    }
                }
                let unpacked = Weights::<I, VS>::read::<F>(from, &scales, b);
                let block = (tile - tiles.start) * F::BLOCKS + b;
                // What is written in the end comes from far away, each row from its own page.
                for row in block * written..rows.min((block + 1) * written) {
                    for v in 0..VS {
                        prefetch(out.at.wrapping_add(row * out.stride + (vector + v) * lanes).cast());
                    }
                }
                for first in (0..copied.rows).step_by(R) {
                    let mut some = [copied.row(block, first); R];
                    let mut acc = [[I::V::zero(); VS]; R];
                    let next = some[0].q.wrapping_add(copied.rows * ROW_BYTES);
                    for line in 0..(R * BLOCK).div_ceil(64) {
                        prefetch(next.wrapping_add(64 * line).cast());
                    }
                    for row in 0..R {
                        some[row] = copied.row(block, first + row);
                        for v in 0..VS {
                            acc[row][v] = I::V::load_f32(at.add(((first + row) * VS + v) * lanes));
                        }
                    }
                    step::<I, F, true, R, VS>(&unpacked, &some, &mut acc);
                    for row in 0..R {
                        for v in 0..VS {
                            I::V::store_f32(at.add(((first + row) * VS + v) * lanes), acc[row][v]);
                        }
                    }
                }
            }
        }
        for row in 0..rows {
            for v in 0..VS {
                let sum = I::V::load_f32(at.add((row * VS + v) * lanes));
                I::V::store_f32(out.at.add(row * out.stride + (vector + v) * lanes), sum);
            }
        }
    }
}
