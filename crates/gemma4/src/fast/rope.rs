//! Cosines and sines of a chunk's positions.

use kernels::Compute;

use super::scratch::sized;
use crate::plain::rope::Rope;

/// Cosines and sines of some positions for one kind of layer, each `(rows, head_dim / 2)`.
#[derive(Debug, Default)]
pub(super) struct Rotation {
    cos: Vec<f32>,
    sin: Vec<f32>,
    /// Pairs of elements that turn together.
    pairs: usize,
}

impl Rotation {
    /// Those of `n` positions from `first` on.
    pub(super) fn fill(&mut self, compute: &Compute, rope: &Rope, first: usize, n: usize) {
        let frequencies = rope.frequencies();
        self.pairs = frequencies.len();
        for (values, of) in [(&mut self.cos, f32::cos as fn(f32) -> f32), (&mut self.sin, f32::sin)] {
            compute.fill_rows(sized(values, n * self.pairs), self.pairs, &|row, values| {
                for (value, frequency) in values.iter_mut().zip(frequencies) {
                    // What does not turn needs no function of the angle: most of a global head.
                    *value = of(if *frequency == 0.0 { 0.0 } else { (first + row) as f32 * frequency });
                }
            });
        }
    }

    /// Those of the rows from `row` on.
    pub(super) fn from(&self, row: usize) -> (&[f32], &[f32]) {
        (&self.cos[row * self.pairs..], &self.sin[row * self.pairs..])
    }
}
