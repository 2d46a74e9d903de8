//! A packed matrix, borrowed from wherever its bytes lie.

use std::ops::Range;

use crate::format::{Format, STRIP_ROWS};

/// Weights `(n_rows, width)` in packed form, applied as `x · Wᵀ`.
#[derive(Debug, Clone, Copy)]
pub struct Matrix<'a> {
    format: Format,
    n_rows: usize,
    width: usize,
    bytes: &'a [u8],
}

impl<'a> Matrix<'a> {
    /// `bytes` as a packed matrix; `None` if they are not as many as it takes, or the width does not fit the format.
    pub fn new(format: Format, n_rows: usize, width: usize, bytes: &'a [u8]) -> Option<Self> {
        let fits = format.fits(width) && bytes.len() == format.packed_bytes(n_rows, width);
        fits.then_some(Self { format, n_rows, width, bytes })
    }

    /// How the weights are stored.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Rows: the width of what comes out.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Columns: the width of what goes in.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Number of strips, the last of which may be partly zeros.
    pub fn n_strips(&self) -> usize {
        self.n_rows.div_ceil(STRIP_ROWS)
    }

    /// The bytes of `strips`.
    ///
    /// # Panics
    /// If there are fewer strips.
    pub fn strips(&self, strips: Range<usize>) -> &'a [u8] {
        let size = self.format.strip_bytes(self.width);
        &self.bytes[strips.start * size..strips.end * size]
    }

    /// The first `n_rows` rows as a matrix of their own.
    ///
    /// # Panics
    /// If that is not a whole number of strips, or there are fewer rows.
    pub fn first_rows(&self, n_rows: usize) -> Self {
        assert!(n_rows <= self.n_rows && (n_rows == self.n_rows || n_rows.is_multiple_of(STRIP_ROWS)));
        Self { n_rows, bytes: &self.bytes[..self.format.packed_bytes(n_rows, self.width)], ..*self }
    }
}
