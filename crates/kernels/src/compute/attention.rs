//! Attention of some rows of queries over a layer's keys and values.

use super::{Compute, Parts};
use crate::{
    Activations, KvLayer,
    activations::ActivationWriter,
    ops::{Gathered, KEY_BLOCK, KeyBlock},
};

/// Query rows of one item when there are many.
const ROWS: usize = 8;

/// Buffers of [`Compute::attend`]; they only grow.
#[derive(Debug, Clone, Default)]
pub struct AttentionScratch {
    max: Vec<f32>,
    sum: Vec<f32>,
    acc: Vec<f32>,
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
    /// If the shapes do not fit.
    pub fn attend(&self, a: &Attend<'_>, kv: &KvLayer, scratch: &mut AttentionScratch, out: &mut Activations) {
        let d = kv.head_dim();
        let width = a.heads * d;
        assert!(width > 0 && a.q.len().is_multiple_of(width) && a.heads.is_multiple_of(kv.kv_heads()));
        let rows = a.q.len() / width;
        out.resize(rows, width);
        let writer = out.writer();
        let pieces = rows.div_ceil(ROWS);
        let items = pieces * kv.kv_heads();
        let group = a.heads / kv.kv_heads();
        let queries = ROWS * group;
        // For each item: what was gathered, and what the present block gives.
        scratch.max.resize(scratch.max.len().max(2 * items * queries), 0.0);
        scratch.sum.resize(scratch.sum.len().max(2 * items * queries), 0.0);
        scratch.acc.resize(scratch.acc.len().max(items * queries * d * 3), 0.0);
        let (max, sum, acc) =
            (Parts::new(&mut scratch.max), Parts::new(&mut scratch.sum), Parts::new(&mut scratch.acc));
        self.pool.run(items, &|item| {
            let (piece, head) = (item / kv.kv_heads(), item % kv.kv_heads());
            let first = piece * ROWS;
            let n = ROWS.min(rows - first);
            // SAFETY: each item has its own part of the scratch.
            let (max, sum, acc) = unsafe {
                (
                    max.part(2 * item * queries, 2 * queries),
                    sum.part(2 * item * queries, 2 * queries),
                    acc.part(3 * item * queries * d, 3 * queries * d),
                )
            };
            let piece = Piece { a, kv, head, first, n, group };
            // SAFETY: the heads of these rows belong to this item.
            unsafe { self.attend_piece(&piece, max, sum, acc, writer) };
        });
    }

    /// # Safety
    /// Nobody else may use these rows' heads of the activations meanwhile.
    unsafe fn attend_piece(
        &self,
        p: &Piece<'_>,
        max: &mut [f32],
        sum: &mut [f32],
        acc: &mut [f32],
        to: ActivationWriter,
    ) {
        let d = p.kv.head_dim();
        let queries = p.n * p.group;
        let (max, block_max) = max.split_at_mut(max.len() / 2);
        let (sum, block_sum) = sum.split_at_mut(sum.len() / 2);
        let third = acc.len() / 3;
        let (acc, rest) = acc.split_at_mut(third);
        let (block_acc, q) = rest.split_at_mut(third);
        let (max, sum, acc) = (&mut max[..queries], &mut sum[..queries], &mut acc[..queries * d]);
        max.fill(f32::NEG_INFINITY);
        // The group's heads of a row lie together, rows apart.
        for row in 0..p.n {
            let from = ((p.first + row) * p.a.heads + p.head * p.group) * d;
            q[row * p.group * d..][..p.group * d].copy_from_slice(&p.a.q[from..][..p.group * d]);
        }
        let positions = p.a.first + p.first..p.a.first + p.first + p.n;
        let mut visible = [(0u8, 0u8); ROWS * 64];
        assert!(p.group <= 64, "{} query heads for one of keys", p.group);
        let first_block = p.a.first_visible(positions.start) / KEY_BLOCK;
        for block in first_block..=(positions.end - 1) / KEY_BLOCK {
            let start = block * KEY_BLOCK;
            for (row, position) in positions.clone().enumerate() {
                let within = |position: usize| position.saturating_sub(start).min(KEY_BLOCK) as u8;
                let seen = (within(p.a.first_visible(position)), within(position + 1));
                visible[row * p.group..(row + 1) * p.group].fill(seen);
            }
            let (k, v) = p.kv.block(p.head, start);
            let keys = KeyBlock { head_dim: d, k, v, q: &q[..queries * d], visible: &visible[..queries] };
            let gathered = Gathered {
                max: &mut block_max[..queries],
                sum: &mut block_sum[..queries],
                acc: &mut block_acc[..queries * d],
            };
            self.kernels.attention.block(&keys, gathered);
            for query in 0..queries {
                let to = Gathered {
                    max: &mut max[query..=query],
                    sum: &mut sum[query..=query],
                    acc: &mut acc[query * d..(query + 1) * d],
                };
                let from = (block_max[query], block_sum[query], &block_acc[query * d..(query + 1) * d]);
                self.kernels.attention.merge(to, from);
            }
        }
        for query in 0..queries {
            let (row, head) = (query / p.group, query % p.group);
            let values = &mut block_acc[query * d..(query + 1) * d];
            self.kernels.rows.scale(&acc[query * d..(query + 1) * d], 1.0 / sum[query], None, values);
            // SAFETY: by the caller's promise.
            unsafe { self.write(to, p.first + row, (p.head * p.group + head) * d, values) };
        }
    }
}

/// Some rows of queries and one head of keys and values.
struct Piece<'a> {
    a: &'a Attend<'a>,
    kv: &'a KvLayer,
    head: usize,
    first: usize,
    n: usize,
    group: usize,
}
