//! Attention over one block of keys.
//!
//! Queries are taken in panels: as many as have their sums in registers while each key and each value that is loaded and
//! widened serves all of them. Small panels take several tiles of keys, or several vectors of columns, at once instead,
//! because a sum has to wait for its last step.

mod panel;

use super::{
    lanes::{Avx2, Avx512, LANES, Lanes},
    math,
};
use crate::ops::{AttentionKernel, Gathered, KeyBlock};
use panel::{Block, panel};

macro_rules! attention_kernel {
    ($proof:ty, $name:literal, $features:literal, $panels:path) => {
        impl AttentionKernel for $proof {
            fn name(&self) -> &'static str {
                $name
            }

            fn block(&self, block: &KeyBlock<'_>, out: Gathered<'_>) {
                #[target_feature(enable = $features)]
                fn with(proof: $proof, block: &KeyBlock<'_>, out: Gathered<'_>) {
                    $panels(proof, &mut Block::new(block, out));
                }
                // SAFETY: `self` proves that the processor has the features.
                unsafe { with(*self, block, out) }
            }

            fn merge(&self, to: Gathered<'_>, from: (f32, f32, &[f32])) {
                #[target_feature(enable = $features)]
                fn with(proof: $proof, to: Gathered<'_>, from: (f32, f32, &[f32])) {
                    merge(proof, to, from);
                }
                // SAFETY: as above.
                unsafe { with(*self, to, from) }
            }
        }
    };
}

attention_kernel!(Avx512, "avx512", "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c", panels32);
attention_kernel!(Avx2, "avx2", "avx2,fma,f16c", panels16);

/// All queries with 32 registers of sixteen lanes.
#[inline(always)]
fn panels32(l: Avx512, block: &mut Block<'_>) {
    loop {
        match block.left() {
            0 => return,
            1 => panel::<_, 1, 4>(l, block),
            2 | 3 => panel::<_, 2, 4>(l, block),
            4..8 => panel::<_, 4, 4>(l, block),
            8..16 => panel::<_, 8, 2>(l, block),
            16..24 => panel::<_, 16, 1>(l, block),
            24.. => panel::<_, 24, 1>(l, block),
        }
    }
}

/// All queries with 16 registers of eight lanes.
#[inline(always)]
fn panels16(l: Avx2, block: &mut Block<'_>) {
    loop {
        match block.left() {
            0 => return,
            1 => panel::<_, 1, 4>(l, block),
            2 | 3 => panel::<_, 2, 2>(l, block),
            // Two panels of four are faster than one of six and one of two.
            n if n < 6 || n % 6 == 2 => panel::<_, 4, 1>(l, block),
            _ => panel::<_, 6, 1>(l, block),
        }
    }
}

#[inline(always)]
fn merge<L: Lanes>(l: L, to: Gathered<'_>, (from_max, from_sum, from_acc): (f32, f32, &[f32])) {
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
    let [a, b, ..] = factors.map(
        #[inline(always)]
        |factor| l.splat(factor),
    );
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
