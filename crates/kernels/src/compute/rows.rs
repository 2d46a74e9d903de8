//! Norms, residual additions, rotation and gates, row by row.

use std::cell::RefCell;

use half::f16;

use super::{Compute, Parts};
use crate::{Activations, KvLayer, activations::ActivationWriter, format::BLOCK, ops::KEY_TILE};

/// Rows whose keys and values are stored before anybody else would have begun.
const FEW_STORED: usize = 8;
/// Values of a row that go through a buffer at a time.
const PIECE: usize = 1024;

thread_local! {
    /// A row between a norm and its quantization. One a thread, so that decoding does not allocate.
    static ROW: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
    /// A key and a value on the way into a layer.
    static HALVES: RefCell<Vec<f16>> = const { RefCell::new(Vec::new()) };
}

/// Gives `task` a buffer of `n` values of this thread.
pub(super) fn with_row<R>(n: usize, task: impl FnOnce(&mut [f32]) -> R) -> R {
    ROW.with_borrow_mut(|row| {
        if row.len() < n {
            row.resize(n, 0.0);
        }
        task(&mut row[..n])
    })
}

impl Compute {
    /// Writes `values`, whole blocks of row `row` from column `first` on, in the forms that the activations keep.
    ///
    /// # Safety
    /// The activations must live and have these columns, and nobody else may use them meanwhile.
    pub(super) unsafe fn write(&self, to: ActivationWriter, row: usize, first: usize, values: &[f32]) {
        if to.needs.quantized {
            // SAFETY: by the caller's promise.
            let blocks = unsafe { to.blocks(row, first / BLOCK, values.len() / BLOCK) };
            self.kernels.rows.quantize(values, blocks);
        }
        if to.needs.exact {
            // SAFETY: by the caller's promise.
            unsafe { to.exact(row, first, values.len()) }.copy_from_slice(values);
        }
    }

    /// `x` of shape `(rows, width)` as activations.
    ///
    /// # Panics
    /// If `x` is not whole rows, or `width` not whole blocks.
    pub fn quantize(&self, x: &[f32], width: usize, out: &mut Activations) {
        let rows = whole_rows(x.len(), width);
        out.resize(rows, width);
        let writer = out.writer();
        self.over_rows(rows, &|first, n| {
            for (row, x) in x[first * width..(first + n) * width].chunks_exact(width).enumerate() {
                // SAFETY: each row belongs to one item.
                unsafe { self.write(writer, first + row, 0, x) };
            }
        });
    }

    /// The RMS norm of each row of `x`, `(rows, w.len())`, as activations.
    ///
    /// # Panics
    /// If `x` is not whole rows.
    pub fn norm(&self, x: &[f32], w: &[f32], eps: f32, out: &mut Activations) {
        let width = w.len();
        let rows = whole_rows(x.len(), width);
        out.resize(rows, width);
        let writer = out.writer();
        self.over_rows(rows, &|first, n| {
            for (row, x) in x[first * width..(first + n) * width].chunks_exact(width).enumerate() {
                // SAFETY: each row belongs to one item.
                unsafe { self.norm_row(x, w, eps, writer, first + row) };
            }
        });
    }

    /// # Safety
    /// Nobody else may use `row` of the activations meanwhile.
    unsafe fn norm_row(&self, x: &[f32], w: &[f32], eps: f32, to: ActivationWriter, row: usize) {
        let k = self.kernels.rows;
        let factor = k.inverse_rms(x, eps);
        with_row(x.len().min(PIECE), |buffer| {
            for (piece, (x, w)) in x.chunks(PIECE).zip(w.chunks(PIECE)).enumerate() {
                let values = &mut buffer[..x.len()];
                k.scale(x, factor, Some(w), values);
                // SAFETY: by the caller's promise.
                unsafe { self.write(to, row, piece * PIECE, values) };
            }
        });
    }

    /// `x = (x + norm(y)) · gain` for each row, then, if asked for, `norm(x)` with another weight as activations.
    ///
    /// # Panics
    /// If the shapes differ.
    pub fn add_norm(
        &self,
        x: &mut [f32],
        y: &[f32],
        w: &[f32],
        eps: f32,
        gain: f32,
        next: Option<(&[f32], &mut Activations)>,
    ) {
        let width = w.len();
        let rows = whole_rows(x.len(), width);
        assert_eq!(x.len(), y.len(), "what is added");
        let x = Parts::new(x);
        let next = next.map(|(w, out)| {
            out.resize(rows, width);
            (w, out.writer())
        });
        self.over_rows(rows, &|first, n| {
            for row in first..first + n {
                // SAFETY: each row belongs to one item.
                let x = unsafe { x.part(row * width, width) };
                let y = &y[row * width..][..width];
                self.kernels.rows.add_scaled(x, y, self.kernels.rows.inverse_rms(y, eps), w, gain);
                if let Some((w, writer)) = next {
                    // SAFETY: as above.
                    unsafe { self.norm_row(x, w, eps, writer, row) };
                }
            }
        });
    }

    /// Norms each head of `x`, `(rows, heads, head_dim)`, by `w` (of length `head_dim`; `None` is a norm without
    /// weight) and turns it by `rope`, if given: cosines and sines `(rows, head_dim / 2)`.
    ///
    /// # Panics
    /// If `x` is not whole rows of heads.
    pub fn norm_heads(
        &self,
        x: &mut [f32],
        heads: usize,
        head_dim: usize,
        w: Option<&[f32]>,
        eps: f32,
        rope: Option<(&[f32], &[f32])>,
    ) {
        let width = heads * head_dim;
        let rows = whole_rows(x.len(), width);
        let x = Parts::new(x);
        self.over_rows(rows, &|first, n| {
            for row in first..first + n {
                // SAFETY: each row belongs to one item.
                let x = unsafe { x.part(row * width, width) };
                for head in x.chunks_exact_mut(head_dim) {
                    self.norm_head(head, w, eps);
                    if let Some((cos, sin)) = rope {
                        let half = head_dim / 2;
                        self.kernels.rows.rotate(head, &cos[row * half..][..half], &sin[row * half..][..half]);
                    }
                }
            }
        });
    }

    fn norm_head(&self, head: &mut [f32], w: Option<&[f32]>, eps: f32) {
        let factor = self.kernels.rows.inverse_rms(head, eps);
        with_row(head.len(), |normed| {
            self.kernels.rows.scale(head, factor, w, normed);
            head.copy_from_slice(normed);
        });
    }

    /// Stores keys and values `(rows, kv_heads, head_dim)`, normed and turned, for the positions from `first` on.
    ///
    /// # Panics
    /// If they are not whole rows of the layer's heads, or more than fit.
    pub fn store(&self, kv: &mut KvLayer, first: usize, k: &[f32], v: &[f32]) {
        let (heads, d) = (kv.kv_heads(), kv.head_dim());
        let rows = whole_rows(k.len(), heads * d);
        assert_eq!(k.len(), v.len(), "keys and values");
        assert!(rows <= kv.capacity(), "{rows} positions of {}", kv.capacity());
        let writer = kv.writer();
        // An item is a tile of positions of one head: no tile is written by two threads.
        let first_tile = first / KEY_TILE;
        let tiles = if rows == 0 { 0 } else { (first + rows - 1) / KEY_TILE + 1 - first_tile };
        let task = |item: usize| {
            let (tile, head) = (first_tile + item / heads, item % heads);
            let positions = (tile * KEY_TILE).max(first)..((tile + 1) * KEY_TILE).min(first + rows);
            HALVES.with_borrow_mut(|halves| {
                if halves.len() < 2 * d {
                    halves.resize(2 * d, f16::ZERO);
                }
                let (k16, v16) = halves[..2 * d].split_at_mut(d);
                for position in positions {
                    let at = ((position - first) * heads + head) * d;
                    self.kernels.rows.to_f16(&k[at..at + d], k16);
                    self.kernels.rows.to_f16(&v[at..at + d], v16);
                    // SAFETY: this tile of this head is this item's.
                    unsafe { writer.store(position, head, k16, v16) };
                }
            });
        };
        // A chunk as long as the layer may begin and end in the same tile.
        if rows <= FEW_STORED || tiles > kv.capacity() / KEY_TILE {
            (0..tiles * heads).for_each(task);
        } else {
            self.pool.run(tiles * heads, &task);
        }
    }

    /// `gelu(gate) · p` as activations: `gate` is `(rows, width)`; row `i` of `p` begins at `i · stride`.
    ///
    /// # Panics
    /// If a shape does not fit.
    pub fn gate_by(&self, gate: &[f32], width: usize, p: &[f32], stride: usize, out: &mut Activations) {
        let rows = whole_rows(gate.len(), width);
        out.resize(rows, width);
        let writer = out.writer();
        self.over_rows(rows, &|first, n| {
            with_row(width, |values| {
                for row in first..first + n {
                    self.kernels.rows.gelu_mul(&gate[row * width..][..width], &p[row * stride..][..width], values);
                    // SAFETY: each row belongs to one item.
                    unsafe { self.write(writer, row, 0, values) };
                }
            });
        });
    }

    /// What goes into the layers besides the residual stream: `context` `(rows, n, w.len())` becomes
    /// `(norm(context · before) + table · scale) · gain`, where row `i` of `table` begins at `i · stride`.
    ///
    /// # Panics
    /// If a shape does not fit.
    pub fn per_layer(
        &self,
        context: &mut [f32],
        n: usize,
        table: &[f32],
        stride: usize,
        w: &[f32],
        scales: PerLayerScales,
    ) {
        let width = n * w.len();
        let rows = whole_rows(context.len(), width);
        let context = Parts::new(context);
        let k = self.kernels.rows;
        self.over_rows(rows, &|first, n_rows| {
            with_row(2 * w.len(), |buffer| {
                let (scaled, normed) = buffer.split_at_mut(w.len());
                for row in first..first + n_rows {
                    // SAFETY: each row belongs to one item.
                    let context = unsafe { context.part(row * width, width) };
                    let table = &table[row * stride..][..width];
                    for (context, table) in context.chunks_exact_mut(w.len()).zip(table.chunks_exact(w.len())) {
                        k.scale(context, scales.before, None, scaled);
                        k.scale(scaled, k.inverse_rms(scaled, scales.eps), Some(w), normed);
                        k.combine(table, scales.table, normed, scales.gain, context);
                    }
                }
            });
        });
    }
}

/// Factors of [`Compute::per_layer`].
#[derive(Debug, Clone, Copy)]
pub struct PerLayerScales {
    /// On the projected embedding, before its norm.
    pub before: f32,
    /// Under the root of the norm.
    pub eps: f32,
    /// On the rows of the table.
    pub table: f32,
    /// On the sum.
    pub gain: f32,
}

fn whole_rows(len: usize, width: usize) -> usize {
    assert!(width > 0 && len.is_multiple_of(width), "{len} values are not rows of {width}");
    len / width
}
