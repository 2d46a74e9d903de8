//! The operations of a forward pass, each spread over the pool in one or two jobs.
//!
//! A decode step has one row, for which norms and the like run on the caller's thread: they take less time than waking
//! anybody. With many rows the same functions run in parallel over rows. What a row gives never depends on the others.

mod attention;
mod fill;
mod product;
mod rows;

pub use self::{
    attention::{Attend, AttentionScratch},
    product::Product,
    rows::PerLayerScales,
};
use crate::{Kernels, Pool};

/// Rows that are done before anybody else would have begun.
const FEW_ROWS: usize = 3;
/// Rows of an item at most: what a thread without a core holds up.
const MOST_ROWS: usize = 8;

/// Kernels and the threads that run them.
#[derive(Debug)]
pub struct Compute {
    pool: Pool,
    kernels: Kernels,
}

impl Compute {
    /// `kernels` on `pool`.
    pub fn new(pool: Pool, kernels: Kernels) -> Self {
        Self { pool, kernels }
    }

    /// The threads.
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// The kernels.
    pub fn kernels(&self) -> &Kernels {
        &self.kernels
    }

    /// Runs `task(first, n)` over `0..rows` in pieces; a few rows on this thread, without a word to the others.
    fn over_rows(&self, rows: usize, task: &(dyn Fn(usize, usize) + Sync)) {
        if rows <= FEW_ROWS {
            if rows > 0 {
                task(0, rows);
            }
            return;
        }
        let piece = rows.div_ceil(2 * self.pool.active()).clamp(2, MOST_ROWS);
        self.pool.run(rows.div_ceil(piece), &|item| {
            let first = item * piece;
            task(first, piece.min(rows - first));
        });
    }
}

/// A mutable slice that several threads write, each its own part.
#[derive(Clone, Copy)]
pub(crate) struct Parts<T> {
    at: *mut T,
    len: usize,
}

// SAFETY: only a pointer; who uses it promises that no two threads touch the same part.
unsafe impl<T: Send> Send for Parts<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Parts<T> {}

impl<T> Parts<T> {
    pub(crate) fn new(slice: &mut [T]) -> Self {
        Self { at: slice.as_mut_ptr(), len: slice.len() }
    }

    /// The part `first..first + n`.
    ///
    /// # Safety
    /// The slice must live, and nobody else may use this part meanwhile.
    ///
    /// # Panics
    /// If the slice is shorter.
    pub(crate) unsafe fn part<'a>(self, first: usize, n: usize) -> &'a mut [T] {
        assert!(first.checked_add(n).is_some_and(|end| end <= self.len), "{first}..+{n} of {}", self.len);
        // SAFETY: in bounds by the assertion; alive and exclusive by the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.at.add(first), n) }
    }
}
