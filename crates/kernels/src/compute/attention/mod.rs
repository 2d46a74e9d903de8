//! Attention of some rows of queries over a layer's keys and values.
//!
//! What a query gathers from each block of 64 keys is merged in the order of the blocks; nothing else decides its bits.
//! So the work can be divided in two ways, by what keeps the threads busy: rows in pieces, where an item goes through all
//! blocks (prefill), or blocks, where an item serves all rows and the parts are merged afterwards (decode).

mod by_blocks;
mod by_rows;

use std::{cell::RefCell, ops::Range};

use super::{Compute, Parts, rows::with_row};
use crate::{
    Activations, KvLayer,
    activations::ActivationWriter,
    format::BLOCK,
    ops::{Gathered, KEY_BLOCK},
};

/// Rows beyond which there are enough pieces of rows for any laptop.
const MANY_ROWS: usize = 32;

/// Buffers of [`Compute::attend`]; they only grow.
#[derive(Debug, Clone, Default)]
pub struct AttentionScratch {
    /// What was gathered from several blocks at once.
    max: Vec<f32>,
    sum: Vec<f32>,
    acc: Vec<f32>,
    /// Results, where heads are not whole blocks of activations.
    plain: Vec<f32>,
}

/// Queries and what they see.
#[derive(Debug, Clone, Copy)]
pub struct Attend<'a> {
    /// Queries `(rows, heads, head_dim)`, normed and turned.
    pub q: &'a [f32],
    /// Query heads, a multiple of the layer's heads.
    pub heads: usize,
    /// The position of row 0.
    pub first: usize,
    /// Positions that a query sees, its own included; `None` sees all.
    pub window: Option<usize>,
}

impl Attend<'_> {
    /// The first position that the query at `position` sees.
    fn first_visible(&self, position: usize) -> usize {
        self.window.map_or(0, |window| (position + 1).saturating_sub(window))
    }
}

impl Compute {
    /// `softmax(q · kᵀ) · v` for every row and head, as activations `(rows, heads · head_dim)`. The scale is 1.
    ///
    /// # Panics
    /// If the shapes do not fit, or the layer is too small to hold what the rows see.
    pub fn attend(&self, a: &Attend<'_>, kv: &KvLayer, scratch: &mut AttentionScratch, out: &mut Activations) {
        let d = kv.head_dim();
        let width = a.heads * d;
        assert!(width > 0 && a.q.len().is_multiple_of(width) && a.heads.is_multiple_of(kv.kv_heads()));
        assert!(a.window != Some(0), "a window that shows nothing");
        let rows = a.q.len() / width;
        out.resize(rows, width);
        if rows == 0 {
            return;
        }
        let seen = a.first + rows - a.first_visible(a.first);
        assert!(seen <= kv.capacity(), "{seen} positions seen at once of {}", kv.capacity());
        let whole = d.is_multiple_of(BLOCK);
        let AttentionScratch { max, sum, acc, plain } = scratch;
        if !whole {
            grow(plain, rows * width);
        }
        let sink = Sink { compute: self, width, to: out.writer(), plain: (!whole).then(|| Parts::new(plain)) };
        let job = Job { a, kv, rows, group: a.heads / kv.kv_heads() };
        let threads = self.pool.active();
        let pieces = by_rows::Pieces::new(&job, threads);
        let blocks = job.blocks(0..rows).len();
        let few = rows <= MANY_ROWS && pieces.count() < 2 * threads;
        if threads > 1 && few && blocks * kv.kv_heads() > pieces.count() {
            self.attend_by_blocks(&job, [max, sum, acc], &sink);
        } else {
            self.attend_by_rows(&job, pieces, &sink);
        }
        if !whole {
            self.quantize(&scratch.plain[..rows * width], width, out);
        }
    }
}

/// What is asked of the threads.
#[derive(Clone, Copy)]
struct Job<'a> {
    a: &'a Attend<'a>,
    kv: &'a KvLayer,
    rows: usize,
    /// Query heads for each head of keys and values.
    group: usize,
}

impl Job<'_> {
    /// The key blocks that some of `rows` see.
    fn blocks(&self, rows: Range<usize>) -> Range<usize> {
        let first = self.a.first_visible(self.a.first + rows.start) / KEY_BLOCK;
        first..(self.a.first + rows.end - 1) / KEY_BLOCK + 1
    }

    /// The queries of `rows` that ask `head`, `(rows, group, head_dim)`: where they lie, if they lie together, otherwise
    /// copied to `buffer`.
    fn queries<'b>(&'b self, rows: Range<usize>, head: usize, buffer: &'b mut Vec<f32>) -> &'b [f32] {
        let d = self.kv.head_dim();
        let (width, some) = (self.a.heads * d, self.group * d);
        if some == width || rows.len() == 1 {
            return &self.a.q[rows.start * width + head * some..][..rows.len() * some];
        }
        grow(buffer, rows.len() * some);
        for (to, row) in buffer.chunks_exact_mut(some).zip(rows.clone()) {
            to.copy_from_slice(&self.a.q[row * width + head * some..][..some]);
        }
        &buffer[..rows.len() * some]
    }

    /// What the queries of `rows` see of key block `block`.
    fn visible<'b>(&self, rows: Range<usize>, block: usize, buffer: &'b mut Vec<(u8, u8)>) -> &'b [(u8, u8)] {
        let start = block * KEY_BLOCK;
        let within = |position: usize| position.saturating_sub(start).min(KEY_BLOCK) as u8;
        buffer.clear();
        for position in rows.start + self.a.first..rows.end + self.a.first {
            let seen = (within(self.a.first_visible(position)), within(position + 1));
            buffer.extend(std::iter::repeat_n(seen, self.group));
        }
        buffer
    }
}

/// Where results go.
struct Sink<'a> {
    compute: &'a Compute,
    width: usize,
    to: ActivationWriter,
    plain: Option<Parts<f32>>,
}

impl Sink<'_> {
    /// Writes what query `(row, head)` has gathered, divided by the sum of its weights.
    ///
    /// # Safety
    /// The activations and the plain results must live, and nobody else may use this head of this row meanwhile.
    unsafe fn write(&self, row: usize, head: usize, sum: f32, acc: &[f32]) {
        let rows = self.compute.kernels.rows;
        let d = acc.len();
        if let Some(plain) = self.plain {
            // SAFETY: by the caller's promise.
            rows.scale(acc, 1.0 / sum, None, unsafe { plain.part(row * self.width + head * d, d) });
            return;
        }
        with_row(d, |values| {
            rows.scale(acc, 1.0 / sum, None, values);
            // SAFETY: by the caller's promise; heads are whole blocks.
            unsafe { self.compute.write(self.to, row, head * d, values) };
        });
    }
}

/// Buffers of a thread; they only grow.
#[derive(Default)]
struct Own {
    q: Vec<f32>,
    visible: Vec<(u8, u8)>,
    total: Gather,
    block: Gather,
}

thread_local! {
    static OWN: RefCell<Own> = RefCell::default();
}

/// What some queries have gathered.
#[derive(Default)]
struct Gather {
    max: Vec<f32>,
    sum: Vec<f32>,
    acc: Vec<f32>,
}

impl Gather {
    /// Room for `n` queries of heads of `d`.
    fn room(&mut self, n: usize, d: usize) -> Gathered<'_> {
        grow(&mut self.max, n);
        grow(&mut self.sum, n);
        grow(&mut self.acc, n * d);
        Gathered { max: &mut self.max[..n], sum: &mut self.sum[..n], acc: &mut self.acc[..n * d] }
    }
}

/// Makes `values` hold at least `len`, without giving memory back.
fn grow(values: &mut Vec<f32>, len: usize) {
    if values.len() < len {
        values.resize(len, 0.0);
    }
}
