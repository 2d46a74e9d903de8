//! Rows in pieces: an item goes through all key blocks for some rows, with what they gather in the cache.

use std::ops::Range;

use super::{Compute, Job, OWN, Own, Sink};
use crate::ops::{Gathered, KeyBlock};

/// Values that the queries of an item gather: small enough to stay in the second-level cache, with as much again for the
/// present block, its keys and values and the queries themselves.
const ITEM_VALUES: usize = 48 * 256;
/// Queries of an item at least, if there are as many: those that share what they load and widen.
const LEAST_QUERIES: usize = 24;

/// How rows are divided into items.
#[derive(Clone, Copy)]
pub(super) struct Pieces {
    rows: usize,
    kv_heads: usize,
    /// Rows of an item.
    size: usize,
}

impl Pieces {
    /// For `threads` threads.
    pub(super) fn new(job: &Job<'_>, threads: usize) -> Self {
        let queries = (ITEM_VALUES / job.kv.head_dim()).clamp(LEAST_QUERIES, 48);
        // Two items for each thread, so that no thread waits long for the last.
        let fair = job.rows * job.kv.kv_heads() / (2 * threads);
        let size = (queries / job.group).min(fair).max(1);
        Self { rows: job.rows, kv_heads: job.kv.kv_heads(), size }
    }

    /// Number of items.
    pub(super) fn count(&self) -> usize {
        self.rows.div_ceil(self.size) * self.kv_heads
    }

    /// Rows and head of an item. The last rows, which see most, come first.
    fn item(&self, item: usize) -> (Range<usize>, usize) {
        let piece = self.rows.div_ceil(self.size) - 1 - item / self.kv_heads;
        (piece * self.size..self.rows.min((piece + 1) * self.size), item % self.kv_heads)
    }
}

impl Compute {
    pub(super) fn attend_by_rows(&self, job: &Job<'_>, pieces: Pieces, sink: &Sink<'_>) {
        let task = |item: usize| {
            let (rows, head) = pieces.item(item);
            // SAFETY: these rows of this head's group are this item's.
            OWN.with_borrow_mut(|own| unsafe { self.attend_piece(job, rows, head, own, sink) });
        };
        if pieces.count() == 1 { task(0) } else { self.pool.run(pieces.count(), &task) }
    }

    /// # Safety
    /// Nobody else may write these rows of this head's group meanwhile.
    unsafe fn attend_piece(&self, job: &Job<'_>, rows: Range<usize>, head: usize, own: &mut Own, sink: &Sink<'_>) {
        let d = job.kv.head_dim();
        let n = rows.len() * job.group;
        let kernel = self.kernels.attention;
        let q = job.queries(rows.clone(), head, &mut own.q);
        let total = own.total.room(n, d);
        let part = own.block.room(n, d);
        let blocks = job.blocks(rows.clone());
        for block in blocks.clone() {
            let (k, v) = job.kv.block(head, block * crate::ops::KEY_BLOCK);
            let visible = job.visible(rows.clone(), block, &mut own.visible);
            let keys = KeyBlock { head_dim: d, k, v, q, visible };
            if block == blocks.start {
                // Merging into nothing is to take what there is.
                let to = Gathered { max: &mut *total.max, sum: &mut *total.sum, acc: &mut *total.acc };
                kernel.block(&keys, to);
                continue;
            }
            kernel.block(&keys, Gathered { max: &mut *part.max, sum: &mut *part.sum, acc: &mut *part.acc });
            for query in 0..n {
                let values = query * d..(query + 1) * d;
                let to = Gathered {
                    max: &mut total.max[query..=query],
                    sum: &mut total.sum[query..=query],
                    acc: &mut total.acc[values.clone()],
                };
                kernel.merge(to, (part.max[query], part.sum[query], &part.acc[values]));
            }
        }
        for (query, acc) in total.acc.chunks_exact(d).enumerate() {
            let (row, member) = (rows.start + query / job.group, query % job.group);
            // SAFETY: by the caller's promise.
            unsafe { sink.write(row, head * job.group + member, total.sum[query], acc) };
        }
    }
}
