//! Rows of activations as products take them: quantized to 8 bits in blocks of 32, as they are, or both.

use crate::format::BLOCK;

/// Which forms of the activations are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Needs {
    /// 8 bits, for quantized weights.
    pub quantized: bool,
    /// f32, for weights that are floats.
    pub exact: bool,
}

impl Needs {
    /// What products with these formats take.
    pub fn of(formats: impl IntoIterator<Item = crate::Format>) -> Self {
        formats.into_iter().fold(Self::default(), |needs, format| Self {
            quantized: needs.quantized || !format.is_float(),
            exact: needs.exact || format.is_float(),
        })
    }
}

/// `(rows, width)` activations. Buffers only grow, so a decode loop does not allocate.
///
/// A block of 32 values `x` is stored as `q = round(x · 127 / max|x|)`, ties to even, with `scale = max|x| / 127`; a block
/// of zeros, or of numbers below 4e-37, has scale 0.
#[derive(Debug, Clone, Default)]
pub struct Activations {
    needs: Needs,
    rows: usize,
    width: usize,
    q: Vec<i8>,
    scale: Vec<f32>,
    offset32: Vec<i32>,
    offset16: Vec<i32>,
    scaled_sum: Vec<f32>,
    exact: Vec<f32>,
}

/// Some rows of activations, for reading.
#[derive(Debug, Clone, Copy)]
pub struct ActivationRows<'a> {
    /// Rows.
    pub rows: usize,
    /// Columns, a multiple of 32.
    pub width: usize,
    /// `(rows, width)` quantized values in −127..=127; empty if not kept.
    pub q: &'a [i8],
    /// `(rows, width / 32)`: what one step of `q` is worth.
    pub scale: &'a [f32],
    /// `(rows, width / 32)`: −8 times the sum of a block's `q`.
    pub offset32: &'a [i32],
    /// `(rows, width / 16)`: −32 times the sum of half a block's `q`.
    pub offset16: &'a [i32],
    /// `(rows, width / 32)`: `scale` times the sum of a block's `q`.
    pub scaled_sum: &'a [f32],
    /// `(rows, width)` values as they are; empty if not kept.
    pub exact: &'a [f32],
}

/// Some blocks of one row of activations, for writing.
#[derive(Debug)]
pub struct BlocksMut<'a> {
    /// 32 values a block.
    pub q: &'a mut [i8],
    /// One a block.
    pub scale: &'a mut [f32],
    /// One a block.
    pub offset32: &'a mut [i32],
    /// Two a block.
    pub offset16: &'a mut [i32],
    /// One a block.
    pub scaled_sum: &'a mut [f32],
}

impl Activations {
    /// Empty, for use with what `needs` says.
    pub fn new(needs: Needs) -> Self {
        Self { needs, ..Self::default() }
    }

    /// Which forms are kept.
    pub fn needs(&self) -> Needs {
        self.needs
    }

    /// Rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Makes this `(rows, width)`. What was in it counts no more.
    ///
    /// # Panics
    /// If `width` is not a multiple of 32.
    pub fn resize(&mut self, rows: usize, width: usize) {
        assert!(width.is_multiple_of(BLOCK), "{width} activations are not whole blocks");
        (self.rows, self.width) = (rows, width);
        let blocks = rows * width / BLOCK;
        if self.needs.quantized {
            grow(&mut self.q, rows * width);
            grow(&mut self.scale, blocks);
            grow(&mut self.offset32, blocks);
            grow(&mut self.offset16, 2 * blocks);
            grow(&mut self.scaled_sum, blocks);
        }
        if self.needs.exact {
            grow(&mut self.exact, rows * width);
        }
    }

    /// All rows.
    pub fn view(&self) -> ActivationRows<'_> {
        self.row_range(0, self.rows)
    }

    /// `n` rows from `first` on.
    ///
    /// # Panics
    /// If there are fewer.
    pub fn row_range(&self, first: usize, n: usize) -> ActivationRows<'_> {
        assert!(first + n <= self.rows, "rows {first}.. of {}", self.rows);
        let values = first * self.width..(first + n) * self.width;
        let blocks = values.start / BLOCK..values.end / BLOCK;
        let halves = 2 * blocks.start..2 * blocks.end;
        let quantized = self.needs.quantized;
        ActivationRows {
            rows: n,
            width: self.width,
            q: if quantized { &self.q[values.clone()] } else { &[] },
            scale: if quantized { &self.scale[blocks.clone()] } else { &[] },
            offset32: if quantized { &self.offset32[blocks.clone()] } else { &[] },
            offset16: if quantized { &self.offset16[halves] } else { &[] },
            scaled_sum: if quantized { &self.scaled_sum[blocks] } else { &[] },
            exact: if self.needs.exact { &self.exact[values] } else { &[] },
        }
    }

    /// Pointers for writers on several threads.
    pub(crate) fn writer(&mut self) -> ActivationWriter {
        ActivationWriter {
            needs: self.needs,
            rows: self.rows,
            width: self.width,
            q: self.q.as_mut_ptr(),
            scale: self.scale.as_mut_ptr(),
            offset32: self.offset32.as_mut_ptr(),
            offset16: self.offset16.as_mut_ptr(),
            scaled_sum: self.scaled_sum.as_mut_ptr(),
            exact: self.exact.as_mut_ptr(),
        }
    }
}

/// Makes `values` hold at least `len`, without giving memory back.
fn grow<T: Copy + Default>(values: &mut Vec<T>, len: usize) {
    if values.len() < len {
        values.resize(len, T::default());
    }
}

/// Writes into activations from several threads, each its own blocks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ActivationWriter {
    pub(crate) needs: Needs,
    rows: usize,
    width: usize,
    q: *mut i8,
    scale: *mut f32,
    offset32: *mut i32,
    offset16: *mut i32,
    scaled_sum: *mut f32,
    exact: *mut f32,
}

// SAFETY: a writer is only a set of pointers; who uses them promises that no two threads write the same block.
unsafe impl Send for ActivationWriter {}
// SAFETY: as above.
unsafe impl Sync for ActivationWriter {}

impl ActivationWriter {
    /// Blocks `first..first + n` of `row`, quantized form.
    ///
    /// # Safety
    /// The activations must outlive `'a`, keep the quantized form, have these blocks, and nobody else may use them
    /// meanwhile.
    pub(crate) unsafe fn blocks<'a>(self, row: usize, first: usize, n: usize) -> BlocksMut<'a> {
        debug_assert!(self.needs.quantized && row < self.rows && (first + n) * BLOCK <= self.width);
        let block = row * (self.width / BLOCK) + first;
        // SAFETY: in bounds by the caller's promise, since every buffer was sized for (rows, width) by `resize`;
        // exclusive by the caller's promise.
        unsafe {
            BlocksMut {
                q: std::slice::from_raw_parts_mut(self.q.add(block * BLOCK), n * BLOCK),
                scale: std::slice::from_raw_parts_mut(self.scale.add(block), n),
                offset32: std::slice::from_raw_parts_mut(self.offset32.add(block), n),
                offset16: std::slice::from_raw_parts_mut(self.offset16.add(2 * block), 2 * n),
                scaled_sum: std::slice::from_raw_parts_mut(self.scaled_sum.add(block), n),
            }
        }
    }

    /// Columns `first..first + n` of `row`, exact form.
    ///
    /// # Safety
    /// As for [`Self::blocks`], with the exact form kept.
    pub(crate) unsafe fn exact<'a>(self, row: usize, first: usize, n: usize) -> &'a mut [f32] {
        debug_assert!(self.needs.exact && row < self.rows && first + n <= self.width);
        // SAFETY: in bounds and exclusive by the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.exact.add(row * self.width + first), n) }
    }
}

impl<'a> ActivationRows<'a> {
    /// Row `index` alone.
    pub(crate) fn row(&self, index: usize) -> Self {
        self.range(index, 1)
    }

    /// `n` rows from `first` on.
    pub(crate) fn range(&self, first: usize, n: usize) -> Self {
        let some = |width: usize| first * width..(first + n) * width;
        let blocks = self.width / BLOCK;
        fn cut<T>(values: &[T], range: std::ops::Range<usize>) -> &[T] {
            if values.is_empty() { values } else { &values[range] }
        }
        Self {
            rows: n,
            width: self.width,
            q: cut(self.q, some(self.width)),
            scale: cut(self.scale, some(blocks)),
            offset32: cut(self.offset32, some(blocks)),
            offset16: cut(self.offset16, some(2 * blocks)),
            scaled_sum: cut(self.scaled_sum, some(blocks)),
            exact: cut(self.exact, some(self.width)),
        }
    }
}
