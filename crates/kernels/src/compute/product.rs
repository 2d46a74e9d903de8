//! Products with packed weights.

use std::{cell::RefCell, ops::Range};

use super::{Compute, Parts};
use crate::{
    Activations, Matrix,
    activations::ActivationRows,
    format::{BLOCK, STRIP_ROWS},
    ops::{Out, Strips},
};

/// Bytes of weights that one item of a job reads when there are few rows: small enough that a thread which loses its
/// core holds up little, large enough that claiming an item costs nothing beside it.
const ITEM_BYTES: usize = 96 << 10;
/// Up to so many rows a product takes about as long as reading its weights; with more it takes as long as computing.
const FEW_ROWS: usize = 8;
/// Rows of an item of a job that computes: a multiple of what kernels take together.
const ITEM_ROWS: usize = 96;
/// Strips of such an item, at least and at most: preparing the rows should cost little beside multiplying them, and the
/// weights should stay in the second-level cache from some rows to the next.
const ITEM_STRIPS: (usize, usize) = (8, 32);
/// Items of such a job for each thread, if there are strips enough, so that none waits long for the last.
const ITEMS_A_THREAD: usize = 6;
/// Rows whose gate and up values wait together for the multiplication.
const GATED_ROWS: usize = 96;
/// Blocks of columns for which they do.
const GATED_BLOCKS: usize = 8;

thread_local! {
    /// Gate and up values on their way to the multiplication.
    static GATED: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// A product to be computed: `out` is `(rows, n_rows of the matrix)`.
#[derive(Debug)]
pub struct Product<'a> {
    /// The weights.
    pub weights: Matrix<'a>,
    /// Where the result goes.
    pub out: &'a mut [f32],
}

impl Compute {
    /// `x · Wᵀ` for matrices that share their input, in one job.
    ///
    /// # Panics
    /// If a shape does not fit, or `x` lacks the form that a format needs.
    pub fn products(&self, x: &Activations, products: &mut [Product<'_>]) {
        self.products_then(x, products, &|_| ());
    }

    /// Logits: `x · Wᵀ` and the softcap, in one job.
    ///
    /// # Panics
    /// As [`Self::products`].
    pub fn head(&self, x: &Activations, weights: Matrix<'_>, softcap: f32, logits: &mut [f32]) {
        let rows = self.kernels.rows;
        self.products_then(x, &mut [Product { weights, out: logits }], &|values| rows.softcap(values, softcap));
    }

    /// [`Self::products`], with `then` applied to each piece of a row of the results.
    fn products_then(&self, x: &Activations, products: &mut [Product<'_>], then: &(dyn Fn(&mut [f32]) + Sync)) {
        let x = x.view();
        if x.rows == 0 {
            return;
        }
        const MOST: usize = 4;
        assert!(products.len() <= MOST, "{} products at once", products.len());
        let mut plans = [const { None }; MOST];
        let mut n_items = 0;
        for (plan, product) in plans.iter_mut().zip(&mut *products) {
            check(&product.weights, &x, product.out.len());
            let grid = Grid::new(&product.weights, x.rows, self.pool.active());
            *plan = Some((product.weights, Parts::new(product.out), grid, n_items));
            n_items += grid.n_items();
        }
        self.pool.run(n_items, &|item| {
            let Some((weights, out, grid, start)) = plans.iter().flatten().rev().find(|plan| plan.3 <= item) else {
                return;
            };
            let (strips, rows) = grid.item(item - start);
            let columns = strips.start * STRIP_ROWS..weights.n_rows().min(strips.end * STRIP_ROWS);
            // SAFETY: items have disjoint ranges of columns or rows of disjoint outputs, which outlive the job.
            unsafe { self.strips(weights, strips, &x, rows.clone(), *out) };
            for row in rows {
                // SAFETY: as above.
                then(unsafe { out.part(row * weights.n_rows() + columns.start, columns.len()) });
            }
        });
    }

    /// Some rows of `x` times some strips of `weights`, into the places of `out` that belong to them.
    ///
    /// # Safety
    /// Nobody else may use those places meanwhile.
    unsafe fn strips(
        &self,
        weights: &Matrix<'_>,
        strips: Range<usize>,
        x: &ActivationRows<'_>,
        rows: Range<usize>,
        out: Parts<f32>,
    ) {
        let (format, width, n_rows) = (weights.format(), weights.width(), weights.n_rows());
        let kernel = self.kernels.matmul[format as usize];
        let whole = strips.start..strips.end.min(n_rows / STRIP_ROWS);
        if !whole.is_empty() {
            let bytes = weights.strips(whole.clone());
            let at = out.at.wrapping_add(rows.start * n_rows + whole.start * STRIP_ROWS);
            let x = x.range(rows.start, rows.len());
            // SAFETY: whole strips lie within the rows of `out`, whose size `check` has compared with the shape.
            unsafe { kernel.product(&Strips { format, width, bytes }, &x, Out { at, stride: n_rows }) };
        }
        if strips.end > whole.end.max(strips.start) {
            // The last strip is partly beyond the matrix: its rows go through a buffer.
            let bytes = weights.strips(strips.end - 1..strips.end);
            let first = (strips.end - 1) * STRIP_ROWS;
            for row in rows {
                let mut values = [0f32; STRIP_ROWS];
                let one = x.row(row);
                let to = Out { at: values.as_mut_ptr(), stride: STRIP_ROWS };
                // SAFETY: one row of one strip is sixteen values.
                unsafe { kernel.product(&Strips { format, width, bytes }, &one, to) };
                // SAFETY: by the caller's promise.
                let part = unsafe { out.part(row * n_rows + first, n_rows - first) };
                part.copy_from_slice(&values[..part.len()]);
            }
        }
    }

    /// `gelu(gate · x) · (up · x)`, ready for the next product: the first half of the gated feed-forward part.
    ///
    /// # Panics
    /// If a shape does not fit, or the two matrices differ in theirs.
    pub fn gated(&self, x: &Activations, gate: Matrix<'_>, up: Matrix<'_>, out: &mut Activations) {
        let x = x.view();
        let n_rows = gate.n_rows();
        assert!((gate.n_rows(), gate.width()) == (up.n_rows(), up.width()) && n_rows.is_multiple_of(BLOCK));
        check(&gate, &x, x.rows * n_rows);
        check(&up, &x, x.rows * n_rows);
        out.resize(x.rows, n_rows);
        let writer = out.writer();
        let few = x.rows <= FEW_ROWS;
        let (item_blocks, item_rows) = if few { (1, x.rows) } else { (GATED_BLOCKS, GATED_ROWS) };
        let (n_blocks, n_parts) = (n_rows / BLOCK, x.rows.div_ceil(item_rows.max(1)));
        self.pool.run(n_blocks.div_ceil(item_blocks) * n_parts, &|item| {
            // Neighbouring items share their weights.
            let first = item / n_parts * item_blocks;
            let columns = item_blocks.min(n_blocks - first) * BLOCK;
            let strips = first * BLOCK / STRIP_ROWS..(first * BLOCK + columns) / STRIP_ROWS;
            let first_row = item % n_parts * item_rows;
            let some = x.range(first_row, item_rows.min(x.rows - first_row));
            GATED.with_borrow_mut(|values| {
                let size = some.rows * columns;
                if values.len() < 2 * size {
                    values.resize(2 * size, 0.0);
                }
                let (gates, ups) = values[..2 * size].split_at_mut(size);
                for (weights, values) in [(&gate, &mut *gates), (&up, &mut *ups)] {
                    let bytes = weights.strips(strips.clone());
                    let w = Strips { format: weights.format(), width: weights.width(), bytes };
                    let kernel = self.kernels.matmul[weights.format() as usize];
                    // SAFETY: the buffer holds these rows and columns.
                    unsafe { kernel.product(&w, &some, Out { at: values.as_mut_ptr(), stride: columns }) };
                }
                for (row, (gate, up)) in gates.chunks_exact_mut(columns).zip(ups.chunks_exact(columns)).enumerate() {
                    let mut values = [0f32; GATED_BLOCKS * BLOCK];
                    let values = &mut values[..columns];
                    self.kernels.rows.gelu_mul(gate, up, values);
                    // SAFETY: these blocks of these rows are this item's; the buffers were sized above.
                    unsafe { self.write(writer, first_row + row, first * BLOCK, values) };
                }
            });
        });
    }
}

/// How a product is cut into items: some strips and some rows each. Neighbouring items share their strips.
#[derive(Debug, Clone, Copy)]
struct Grid {
    n_strips: usize,
    strips: usize,
    n_rows: usize,
    rows: usize,
}

impl Grid {
    /// For `rows` rows of activations on `threads` threads.
    fn new(weights: &Matrix<'_>, rows: usize, threads: usize) -> Self {
        let n_strips = weights.n_strips();
        if rows <= FEW_ROWS {
            return Self { n_strips, strips: strips_per_item(weights), n_rows: rows, rows };
        }
        let item_rows = rows.min(ITEM_ROWS);
        let all = n_strips * rows.div_ceil(item_rows);
        let strips = (all / (ITEMS_A_THREAD * threads)).clamp(ITEM_STRIPS.0, ITEM_STRIPS.1) / 2 * 2;
        Self { n_strips, strips, n_rows: rows, rows: item_rows }
    }

    fn parts(&self) -> usize {
        self.n_rows.div_ceil(self.rows)
    }

    fn n_items(&self) -> usize {
        self.n_strips.div_ceil(self.strips) * self.parts()
    }

    /// The strips and the rows of an item.
    fn item(&self, item: usize) -> (Range<usize>, Range<usize>) {
        let (strip, row) = (item / self.parts() * self.strips, item % self.parts() * self.rows);
        (strip..self.n_strips.min(strip + self.strips), row..self.n_rows.min(row + self.rows))
    }
}

/// What must hold for a product of `x` with `weights` into `len` values.
fn check(weights: &Matrix<'_>, x: &ActivationRows<'_>, len: usize) {
    assert_eq!(weights.width(), x.width, "the width of the input");
    assert_eq!(len, x.rows * weights.n_rows(), "the size of the output");
    let kept = if weights.format().is_float() { !x.exact.is_empty() } else { !x.q.is_empty() };
    assert!(kept, "activations without the form that {:?} takes", weights.format());
}

/// How many strips one item takes.
fn strips_per_item(weights: &Matrix<'_>) -> usize {
    let size = weights.format().strip_bytes(weights.width());
    (ITEM_BYTES / size).clamp(1, 64)
}
