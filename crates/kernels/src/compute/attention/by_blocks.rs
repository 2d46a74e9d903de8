//! Key blocks as items, each for all rows; then the parts are merged, query by query.

use std::ops::Range;

use super::{Compute, Job, OWN, Sink, grow};
use crate::{
    compute::Parts,
    ops::{Gathered, KEY_BLOCK, KeyBlock},
};

/// Values that wait to be merged, at most: 8 MiB. With one row this is more than ten thousand positions.
const WAITING: usize = 2 << 20;
/// Values that one thread merges in less time than it takes to ask the others.
const FEW_VALUES: usize = 32 << 10;

/// Parts of all queries from some blocks. What was merged so far is the first.
#[derive(Clone, Copy)]
struct Slots {
    /// Queries of all heads: those of a head follow each other, row by row.
    n: usize,
    d: usize,
    max: Parts<f32>,
    sum: Parts<f32>,
    acc: Parts<f32>,
}

impl Slots {
    /// The part of queries `first..first + n` in `slot`.
    ///
    /// # Safety
    /// The buffers must live, and nobody else may use this part meanwhile.
    unsafe fn part<'a>(self, slot: usize, first: usize, n: usize) -> Gathered<'a> {
        let at = slot * self.n + first;
        // SAFETY: by the caller's promise.
        unsafe {
            Gathered {
                max: self.max.part(at, n),
                sum: self.sum.part(at, n),
                acc: self.acc.part(at * self.d, n * self.d),
            }
        }
    }
}

impl Compute {
    pub(super) fn attend_by_blocks(&self, job: &Job<'_>, [max, sum, acc]: [&mut Vec<f32>; 3], sink: &Sink<'_>) {
        let d = job.kv.head_dim();
        let n = job.rows * job.a.heads;
        let blocks = job.blocks(0..job.rows);
        let n_slots = (WAITING / (n * d)).max(4).min(blocks.len());
        grow(max, n_slots * n);
        grow(sum, n_slots * n);
        grow(acc, n_slots * n * d);
        let slots = Slots { n, d, max: Parts::new(max), sum: Parts::new(sum), acc: Parts::new(acc) };
        let mut next = blocks.start;
        while next < blocks.end {
            // Slot 0 holds what was merged before, if there was anything.
            let first_slot = usize::from(next > blocks.start);
            let some = next..blocks.end.min(next + n_slots - first_slot);
            self.gather(job, some.clone(), first_slot, slots);
            let last = (some.end == blocks.end).then_some(sink);
            self.merge_slots(job, first_slot + some.len(), slots, last);
            next = some.end;
        }
    }

    /// Computes the parts of `blocks`, into slots from `first_slot` on.
    fn gather(&self, job: &Job<'_>, blocks: Range<usize>, first_slot: usize, slots: Slots) {
        let heads = job.kv.kv_heads();
        let (d, queries) = (job.kv.head_dim(), job.rows * job.group);
        self.pool.run(blocks.len() * heads, &|item| {
            let (index, head) = (item / heads, item % heads);
            OWN.with_borrow_mut(|own| {
                let block = blocks.start + index;
                let q = job.queries(0..job.rows, head, &mut own.q);
                let visible = job.visible(0..job.rows, block, &mut own.visible);
                let (k, v) = job.kv.block(head, block * KEY_BLOCK);
                // SAFETY: each item has its own part of its own slot.
                let out = unsafe { slots.part(first_slot + index, head * queries, queries) };
                self.kernels.attention.block(&KeyBlock { head_dim: d, k, v, q, visible }, out);
            });
        });
    }

    /// Merges the first `n_slots` slots into the first of them, and writes the result if there is a sink.
    fn merge_slots(&self, job: &Job<'_>, n_slots: usize, slots: Slots, sink: Option<&Sink<'_>>) {
        let queries = job.rows * job.group;
        let task = |query: usize| {
            // SAFETY: each item has its own query, in all slots.
            let total = unsafe { slots.part(0, query, 1) };
            for slot in 1..n_slots {
                // SAFETY: as above.
                let part = unsafe { slots.part(slot, query, 1) };
                let to = Gathered { max: &mut *total.max, sum: &mut *total.sum, acc: &mut *total.acc };
                self.kernels.attention.merge(to, (part.max[0], part.sum[0], part.acc));
            }
            if let Some(sink) = sink {
                let (head, row, member) = (query / queries, query % queries / job.group, query % job.group);
                // SAFETY: as above: the query's place is this item's.
                unsafe { sink.write(row, head * job.group + member, total.sum[0], total.acc) };
            }
        };
        if n_slots * slots.n * slots.d <= FEW_VALUES {
            (0..slots.n).for_each(task);
        } else {
            self.pool.run(slots.n, &task);
        }
    }
}
