//! Attention over one block of keys.
//!
//! Queries are taken in panels: as many as have their sums in registers while each key and each value that is loaded and
//! widened serves all of them. Small panels take several tiles of keys, or several vectors of columns, at once instead,
//! because a sum has to wait for its last step.

mod panel;

use super::{LANES, Lanes, math};
use crate::ops::Gathered;
pub(crate) use panel::{Block, panel};

/// Adds what one query gathered to what it has.
#[inline(always)]
pub(crate) fn merge<L: Lanes>(l: L, to: Gathered<'_>, (from_max, from_sum, from_acc): (f32, f32, &[f32])) {
    if from_max == f32::NEG_INFINITY {
        return;
    }
    if to.max[0] == f32::NEG_INFINITY {
        (to.max[0], to.sum[0]) = (from_max, from_sum);
        to.acc.copy_from_slice(from_acc);
        return;
    }
    let max = to.max[0].max(from_max);
    let mut factors = [0f32; LANES];
    (factors[0], factors[1]) = (to.max[0] - max, from_max - max);
    let both = math::exp(l, l.load(&factors));
    l.store(both, &mut factors);
    let (a, b) = (l.splat(factors[0]), l.splat(factors[1]));
    to.max[0] = max;
    let sums = l.fma(l.splat(to.sum[0]), a, l.mul(l.splat(from_sum), b));
    l.store(sums, &mut factors);
    to.sum[0] = factors[0];
    let (to, from) = (to.acc.as_chunks_mut::<LANES>(), from_acc.as_chunks::<LANES>());
    assert!(to.1.is_empty() && from.1.is_empty(), "heads are whole vectors");
    for (to, from) in to.0.iter_mut().zip(from.0) {
        let merged = l.fma(l.load(to), a, l.mul(l.load(from), b));
        l.store(merged, to);
    }
}
