//! What is done to single rows.

use half::f16;

use super::{Scalar, fma, math, sum_lanes};
use crate::{activations::BlocksMut, format::BLOCK, ops::RowKernel};

impl<const FUSED: bool> RowKernel for Scalar<FUSED> {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn quantize(&self, x: &[f32], out: BlocksMut<'_>) {
        for (block, x) in x.chunks_exact(BLOCK).enumerate() {
            let most = x.iter().fold(0f32, |most, x| most.max(x.abs()));
            // Below 4e-37 the inverse is not a number that floats have: such a block is as good as zeros.
            let inverse = 127.0 / most;
            let (scale, inverse) = if inverse.is_infinite() { (0.0, 0.0) } else { (most / 127.0, inverse) };
            let q = &mut out.q[block * BLOCK..][..BLOCK];
            for (q, x) in q.iter_mut().zip(x) {
                *q = (x * inverse).round_ties_even() as i8;
            }
            let halves = [&q[..BLOCK / 2], &q[BLOCK / 2..]].map(|half| half.iter().map(|&q| i32::from(q)).sum::<i32>());
            out.offset16[2 * block] = -32 * halves[0];
            out.offset16[2 * block + 1] = -32 * halves[1];
            out.offset32[block] = -8 * (halves[0] + halves[1]);
            out.scale[block] = scale;
            out.scaled_sum[block] = scale * (halves[0] + halves[1]) as f32;
        }
    }

    fn inverse_rms(&self, x: &[f32], eps: f32) -> f32 {
        let mut lanes = [0f32; 16];
        for x in x.chunks(16) {
            for (lane, &x) in lanes.iter_mut().zip(x) {
                *lane = fma::<FUSED>(x, x, *lane);
            }
        }
        1.0 / (sum_lanes(lanes) / x.len() as f32 + eps).sqrt()
    }

    fn scale(&self, x: &[f32], factor: f32, weight: Option<&[f32]>, out: &mut [f32]) {
        for (index, (out, x)) in out.iter_mut().zip(x).enumerate() {
            *out = x * factor * weight.map_or(1.0, |weight| weight[index]);
        }
    }

    fn add_scaled(&self, x: &mut [f32], y: &[f32], factor: f32, weight: &[f32], gain: f32) {
        for ((x, y), weight) in x.iter_mut().zip(y).zip(weight) {
            *x = (*x + y * factor * weight) * gain;
        }
    }

    fn rotate(&self, x: &mut [f32], cos: &[f32], sin: &[f32]) {
        let (first, second) = x.split_at_mut(cos.len());
        for (((a, b), cos), sin) in first.iter_mut().zip(second).zip(cos).zip(sin) {
            (*a, *b) = (fma::<FUSED>(*a, *cos, -(*b * sin)), fma::<FUSED>(*b, *cos, *a * sin));
        }
    }

    fn gelu_mul(&self, gate: &[f32], up: &[f32], out: &mut [f32]) {
        for ((out, gate), up) in out.iter_mut().zip(gate).zip(up) {
            *out = math::gelu::<FUSED>(*gate) * up;
        }
    }

    fn combine(&self, a: &[f32], scale_a: f32, b: &[f32], gain: f32, out: &mut [f32]) {
        for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
            *out = (a * scale_a + b) * gain;
        }
    }

    fn softcap(&self, x: &mut [f32], cap: f32) {
        x.iter_mut().for_each(|x| *x = math::softcap::<FUSED>(*x, cap, 2.0 / cap));
    }

    fn to_f16(&self, x: &[f32], out: &mut [f16]) {
        for (out, x) in out.iter_mut().zip(x) {
            *out = f16::from_f32(*x);
        }
    }
}
