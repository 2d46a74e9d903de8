//! Rows that are written by somebody else's code, spread over the pool.

use super::{Compute, Parts};

impl Compute {
    /// Runs `task(row, values)` once for every row of `out`, `(rows, width)`.
    ///
    /// # Panics
    /// If `out` is not whole rows, or `task` panics.
    pub fn fill_rows(&self, out: &mut [f32], width: usize, task: &(dyn Fn(usize, &mut [f32]) + Sync)) {
        assert!(width > 0 && out.len().is_multiple_of(width), "{} values are not rows of {width}", out.len());
        let rows = out.len() / width;
        let out = Parts::new(out);
        self.pool.run(rows, &|row| {
            // SAFETY: each row belongs to one item, and the borrow of `out` outlives the job.
            task(row, unsafe { out.part(row * width, width) });
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::{Compute, Kernels, Pool};

    #[test]
    fn every_row_is_written_once() {
        let compute = Compute::new(Pool::new(3), Kernels::scalar());
        for rows in [0, 1, 2, 100] {
            let mut out = vec![0.0; rows * 5];
            compute.fill_rows(&mut out, 5, &|row, values| {
                values.iter_mut().enumerate().for_each(|(i, value)| *value += (10 * row + i) as f32);
            });
            let expected: Vec<f32> = (0..rows * 5).map(|at| (10 * (at / 5) + at % 5) as f32).collect();
            assert_eq!(out, expected, "{rows} rows");
        }
    }
}
