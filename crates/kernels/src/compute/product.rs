//! Products with packed weights.

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
/// Rows whose gate and up values wait together for the multiplication.
const GATED_ROWS: usize = 64;

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
            let strips = strips_per_item(&product.weights);
            *plan = Some((product.weights, Parts::new(product.out), strips, n_items));
            n_items += product.weights.n_strips().div_ceil(strips);
        }
        self.pool.run(n_items, &|item| {
            let Some((weights, out, strips, start)) = plans.iter().flatten().rev().find(|plan| plan.3 <= item) else {
                return;
            };
            let first = (item - start) * strips;
            let end = weights.n_strips().min(first + strips);
            let columns = first * STRIP_ROWS..weights.n_rows().min(end * STRIP_ROWS);
            // SAFETY: items have disjoint ranges of columns of disjoint outputs, which outlive the job.
            unsafe { self.strips(weights, first..end, &x, *out) };
            for row in 0..x.rows {
                // SAFETY: as above.
                then(unsafe { out.part(row * weights.n_rows() + columns.start, columns.len()) });
            }
        });
    }

    /// Rows of `x` times some strips of `weights`, into the columns of `out` that belong to them.
    ///
    /// # Safety
    /// Nobody else may use those columns meanwhile.
    unsafe fn strips(
        &self,
        weights: &Matrix<'_>,
        strips: std::ops::Range<usize>,
        x: &ActivationRows<'_>,
        out: Parts<f32>,
    ) {
        let (format, width, n_rows) = (weights.format(), weights.width(), weights.n_rows());
        let kernel = self.kernels.matmul[format as usize];
        let whole = strips.start..strips.end.min(n_rows / STRIP_ROWS);
        if !whole.is_empty() {
            let bytes = weights.strips(whole.clone());
            let at = out.at.wrapping_add(whole.start * STRIP_ROWS);
            // SAFETY: whole strips lie within the rows of `out`, whose size `check` has compared with the shape.
            unsafe { kernel.product(&Strips { format, width, bytes }, x, Out { at, stride: n_rows }) };
        }
        if strips.end > whole.end.max(strips.start) {
            // The last strip is partly beyond the matrix: its rows go through a buffer.
            let bytes = weights.strips(strips.end - 1..strips.end);
            let first = (strips.end - 1) * STRIP_ROWS;
            for row in 0..x.rows {
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
        let per_item = BLOCK / STRIP_ROWS;
        self.pool.run(n_rows / BLOCK, &|block| {
            let strips = block * per_item..(block + 1) * per_item;
            let mut gates = [0f32; GATED_ROWS * BLOCK];
            let mut ups = [0f32; GATED_ROWS * BLOCK];
            for first in (0..x.rows).step_by(GATED_ROWS) {
                let some = x.range(first, GATED_ROWS.min(x.rows - first));
                for (weights, values) in [(&gate, &mut gates), (&up, &mut ups)] {
                    let bytes = weights.strips(strips.clone());
                    let w = Strips { format: weights.format(), width: weights.width(), bytes };
                    let kernel = self.kernels.matmul[weights.format() as usize];
                    // SAFETY: the buffer holds GATED_ROWS rows of one block of columns.
                    unsafe { kernel.product(&w, &some, Out { at: values.as_mut_ptr(), stride: BLOCK }) };
                }
                for (row, (gate, up)) in
                    gates.chunks_exact(BLOCK).zip(ups.chunks_exact(BLOCK)).take(some.rows).enumerate()
                {
                    let mut values = [0f32; BLOCK];
                    self.kernels.rows.gelu_mul(gate, up, &mut values);
                    // SAFETY: block `block` of every row is this item's; the buffers were sized above.
                    unsafe { self.write(writer, first + row, block * BLOCK, &values) };
                }
            }
        });
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
