//! Attention over one block of keys.

use super::{Scalar, fma, math, sum_lanes};
use crate::ops::{AttentionKernel, Gathered, KEY_BLOCK, KEY_TILE, KeyBlock};

impl<const FUSED: bool> AttentionKernel for Scalar<FUSED> {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn block(&self, block: &KeyBlock<'_>, out: Gathered<'_>) {
        let d = block.head_dim;
        for (query, &(first, end)) in block.visible.iter().enumerate() {
            let q = &block.q[query * d..][..d];
            let visible = usize::from(first)..usize::from(end);
            let acc = &mut out.acc[query * d..][..d];
            acc.fill(0.0);
            if visible.is_empty() {
                (out.max[query], out.sum[query]) = (f32::NEG_INFINITY, 0.0);
                continue;
            }
            let scores: [f32; KEY_BLOCK] = std::array::from_fn(|key| {
                let tile = &block.k[key / KEY_TILE * KEY_TILE * d..][..KEY_TILE * d];
                let mut score = 0.0;
                for (i, q) in q.iter().enumerate() {
                    score = fma::<FUSED>(*q, tile[i * KEY_TILE + key % KEY_TILE].to_f32(), score);
                }
                if visible.contains(&key) { score } else { f32::NEG_INFINITY }
            });
            let max = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let weights =
                scores.map(|score| if score == f32::NEG_INFINITY { 0.0 } else { math::exp::<FUSED>(score - max) });
            let mut lanes = [0f32; KEY_TILE];
            for weights in weights.chunks_exact(KEY_TILE) {
                lanes.iter_mut().zip(weights).for_each(|(lane, weight)| *lane += weight);
            }
            for (key, weight) in weights.into_iter().enumerate() {
                for (acc, v) in acc.iter_mut().zip(&block.v[key * d..]) {
                    *acc = fma::<FUSED>(weight, v.to_f32(), *acc);
                }
            }
            (out.max[query], out.sum[query]) = (max, sum_lanes(lanes));
        }
    }

    fn merge(&self, to: Gathered<'_>, (from_max, from_sum, from_acc): (f32, f32, &[f32])) {
        if from_max == f32::NEG_INFINITY {
            return;
        }
        if to.max[0] == f32::NEG_INFINITY {
            (to.max[0], to.sum[0]) = (from_max, from_sum);
            to.acc.copy_from_slice(from_acc);
            return;
        }
        let max = to.max[0].max(from_max);
        let (a, b) = (math::exp::<FUSED>(to.max[0] - max), math::exp::<FUSED>(from_max - max));
        to.max[0] = max;
        to.sum[0] = fma::<FUSED>(to.sum[0], a, from_sum * b);
        for (to, from) in to.acc.iter_mut().zip(from_acc) {
            *to = fma::<FUSED>(*to, a, from * b);
        }
    }
}
