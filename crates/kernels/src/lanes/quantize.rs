//! Rows to 8 bits, sixteen blocks at a time: the divisions of sixteen scales cost as much as one.

use super::{LANES, Lanes};
use crate::{activations::BlocksMut, format::BLOCK, ops::RowKernel, scalar::Scalar};

/// Blocks whose scales are computed together.
const GROUP: usize = LANES;

#[inline(always)]
pub(crate) fn quantize<L: Lanes>(l: L, x: &[f32], out: BlocksMut<'_>) {
    let (blocks, _) = x.as_chunks::<BLOCK>();
    let (q, _) = out.q.as_chunks_mut::<BLOCK>();
    let mut first = 0;
    for (blocks, q) in blocks.chunks(GROUP).zip(q.chunks_mut(GROUP)) {
        let n = blocks.len();
        let to = Group {
            q,
            scale: &mut out.scale[first..first + n],
            offset32: &mut out.offset32[first..first + n],
            offset16: &mut out.offset16[2 * first..2 * (first + n)],
            scaled_sum: &mut out.scaled_sum[first..first + n],
        };
        group(l, blocks, to);
        first += n;
    }
}

/// At most sixteen blocks.
struct Group<'a> {
    q: &'a mut [[i8; BLOCK]],
    scale: &'a mut [f32],
    offset32: &'a mut [i32],
    offset16: &'a mut [i32],
    scaled_sum: &'a mut [f32],
}

#[inline(always)]
fn halves<L: Lanes>(l: L, block: &[f32; BLOCK]) -> [L::V; 2] {
    let (halves, _) = block.as_chunks::<LANES>();
    [l.load(&halves[0]), l.load(&halves[1])]
}

/// A block in steps of its scale.
#[inline(always)]
fn steps<L: Lanes>(l: L, block: &[f32; BLOCK], inverse: f32) -> [L::V; 2] {
    let ([a, b], inverse) = (halves(l, block), l.splat(inverse));
    [l.mul(a, inverse), l.mul(b, inverse)]
}

#[inline(always)]
fn group<L: Lanes>(l: L, blocks: &[[f32; BLOCK]], to: Group<'_>) {
    let mut most = [l.splat(0.0); GROUP];
    for (most, block) in most.iter_mut().zip(blocks) {
        let [a, b] = halves(l, block);
        *most = l.max(l.abs(a), l.abs(b));
    }
    let all = l.largest_of_each(&most);
    let scales = l.div(all, l.splat(127.0));
    let inverses = l.where_nonzero(l.div(l.splat(127.0), all), scales);
    let (mut scale, mut inverse) = ([0f32; GROUP], [0f32; GROUP]);
    l.store(scales, &mut scale);
    l.store(inverses, &mut inverse);
    // The inverse of the smallest numbers overflows, and infinite ones have none: rare enough to go by the definition,
    // which saturates where converting four bytes at a time does not.
    if !l.largest(l.max(scales, inverses)).is_finite() {
        let Group { q, scale, offset32, offset16, scaled_sum } = to;
        let q = q.as_flattened_mut();
        return Scalar::<true>.quantize(blocks.as_flattened(), BlocksMut { q, scale, offset32, offset16, scaled_sum });
    }
    let mut sums = [[0i32; 2]; GROUP];
    let (pairs, last) = to.q.as_chunks_mut::<2>();
    for (pair, q) in pairs.iter_mut().enumerate() {
        let first = 2 * pair;
        let both = [steps(l, &blocks[first], inverse[first]), steps(l, &blocks[first + 1], inverse[first + 1])];
        [sums[first], sums[first + 1]] = l.to_i8_twice(both, q);
    }
    if let [q] = last {
        let index = blocks.len() - 1;
        sums[index] = l.to_i8(steps(l, &blocks[index], inverse[index]), q);
    }
    let n = blocks.len();
    to.scale.copy_from_slice(&scale[..n]);
    for (to, [a, b]) in to.offset32.iter_mut().zip(&sums) {
        *to = -8 * (a + b);
    }
    for (to, sum) in to.offset16.iter_mut().zip(sums.as_flattened()) {
        *to = -32 * sum;
    }
    for ((to, [a, b]), scale) in to.scaled_sum.iter_mut().zip(&sums).zip(&scale) {
        *to = scale * (a + b) as f32;
    }
}
