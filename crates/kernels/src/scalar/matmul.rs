//! Products with packed weights.

use super::{
    Scalar,
    decode::{block_at, float_at},
    fma,
};
use crate::{
    activations::ActivationRows,
    format::{BLOCK, STRIP_ROWS},
    ops::{MatmulKernel, Out, Strips},
};

impl<const FUSED: bool> MatmulKernel for Scalar<FUSED> {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    unsafe fn product(&self, weights: &Strips<'_>, x: &ActivationRows<'_>, out: Out) {
        let size = weights.format.strip_bytes(weights.width);
        for (index, strip) in weights.bytes.chunks_exact(size).enumerate() {
            let lanes = if weights.format.is_float() { floats::<FUSED> } else { quantized::<FUSED> };
            lanes(weights, strip, x, &mut |row, values| {
                // SAFETY: row and strip are within what the caller made `out` valid for.
                unsafe {
                    let at = out.at.add(row * out.stride + index * STRIP_ROWS);
                    at.copy_from_nonoverlapping(values.as_ptr(), STRIP_ROWS);
                }
            });
        }
    }
}

type Store<'a> = dyn FnMut(usize, [f32; STRIP_ROWS]) + 'a;

fn quantized<const FUSED: bool>(weights: &Strips<'_>, strip: &[u8], x: &ActivationRows<'_>, store: &mut Store<'_>) {
    let blocks = weights.width / BLOCK;
    let mut sums = vec![[0f32; STRIP_ROWS]; x.rows];
    for block in 0..blocks {
        let w = block_at(weights.format, strip, block);
        // Q6_K has a scale for each half of a block; the others take the block at once.
        let halves = if weights.format == crate::Format::Q6K { 2 } else { 1 };
        for (row, sums) in sums.iter_mut().enumerate() {
            let at = row * blocks + block;
            let q = &x.q[at * BLOCK..][..BLOCK];
            for (lane, sum) in sums.iter_mut().enumerate() {
                for half in 0..halves {
                    let columns = half * BLOCK / halves..(half + 1) * BLOCK / halves;
                    let dot: i32 = columns.map(|k| (i32::from(w.q[lane][k]) - w.zero) * i32::from(q[k])).sum();
                    *sum = fma::<FUSED>(dot as f32, w.scale[lane][half] * x.scale[at], *sum);
                }
                if let Some(minimum) = w.minimum {
                    *sum = fma::<FUSED>(minimum[lane], x.scaled_sum[at], *sum);
                }
            }
        }
    }
    sums.into_iter().enumerate().for_each(|(row, sums)| store(row, sums));
}

fn floats<const FUSED: bool>(weights: &Strips<'_>, strip: &[u8], x: &ActivationRows<'_>, store: &mut Store<'_>) {
    for (row, x) in x.exact.chunks_exact(weights.width).enumerate() {
        let values = std::array::from_fn(|lane| {
            let mut sums = [0f32; 2];
            for (k, &x) in x.iter().enumerate() {
                sums[k % 2] = fma::<FUSED>(float_at(weights.format, strip, lane, k), x, sums[k % 2]);
            }
            sums[0] + sums[1]
        });
        store(row, values);
    }
}
