//! Some queries against one block of keys.
#![expect(clippy::needless_range_loop, reason = "queries and tiles name registers; loops over both are unrolled")]

use std::ops::Range;

use half::f16;

use super::super::{LANES, Lanes, math};
use crate::ops::{Gathered, KEY_BLOCK, KEY_TILE, KeyBlock};

/// Elements of a head that are summed before the next panel's turn: a panel's part of its queries and the tiles' part of
/// their keys stay in the first-level cache.
const CHUNK: usize = 128;
/// Tiles of a block.
const TILES: usize = KEY_BLOCK / KEY_TILE;
/// Panels of at most so many queries wait for memory rather than for arithmetic, and ask for the values early.
const FEW: usize = 8;

/// A block, checked, and where the results go.
pub(crate) struct Block<'a> {
    block: KeyBlock<'a>,
    out: Gathered<'a>,
    /// Queries that are done.
    done: usize,
}

impl<'a> Block<'a> {
    #[inline(always)]
    pub(crate) fn new(block: &KeyBlock<'a>, out: Gathered<'a>) -> Self {
        let (n, d) = (block.visible.len(), block.head_dim);
        assert!(d > 0 && d.is_multiple_of(LANES), "a head of {d}");
        assert!(block.k.len() == KEY_BLOCK * d && block.v.len() == KEY_BLOCK * d, "one block of keys and values");
        assert!(block.q.len() == n * d && out.acc.len() == n * d, "as many queries as say what they see");
        assert!(out.max.len() == n && out.sum.len() == n, "as many results as queries");
        assert!(block.visible.iter().all(|(_, end)| usize::from(*end) <= KEY_BLOCK), "keys beyond the block");
        Self { block: *block, out, done: 0 }
    }

    /// Queries still to be done.
    #[inline(always)]
    pub(crate) fn left(&self) -> usize {
        self.block.visible.len() - self.done
    }
}

/// Scores and then weights of a panel, `(queries, keys)`.
type Scores<const M: usize> = [[f32; KEY_BLOCK]; M];
/// Part of a panel's queries.
type Queries<const M: usize> = [[f32; CHUNK]; M];

/// The next `M` queries, `T` tiles of keys (1, 2 or 4) at a time.
#[inline(always)]
pub(crate) fn panel<L: Lanes, const M: usize, const T: usize>(l: L, block: &mut Block<'_>) {
    let (done, d) = (block.done, block.block.head_dim);
    block.done += M;
    let visible = &block.block.visible[done..done + M];
    let out = Gathered {
        max: &mut block.out.max[done..done + M],
        sum: &mut block.out.sum[done..done + M],
        acc: &mut block.out.acc[done * d..(done + M) * d],
    };
    // What nobody of the panel sees is left out: its weights are zero.
    let some = || visible.iter().filter(|(first, end)| first < end);
    let first = some().map(|(first, _)| usize::from(*first)).min();
    let end = some().map(|(_, end)| usize::from(*end)).max();
    let (Some(first), Some(end)) = (first, end) else {
        out.max.fill(f32::NEG_INFINITY);
        out.sum.fill(0.0);
        out.acc.fill(0.0);
        return;
    };
    let tiles = first / KEY_TILE / T * T..end.div_ceil(KEY_TILE).next_multiple_of(T);
    let mut scores: Scores<M> = [[0.0; KEY_BLOCK]; M];
    score_tiles::<L, M, T>(l, &block.block.q[done * d..(done + M) * d], &block.block, tiles.clone(), &mut scores);
    for m in 0..M {
        (out.max[m], out.sum[m]) = weigh(l, &mut scores[m], visible[m], tiles.clone());
    }
    values::<L, M, T>(l, &scores, block.block.v, d, first..end, out.acc);
}

/// Scores of `M` queries `(M, head_dim)` and the keys of `tiles`, of a block that [`Block::new`] has checked.
#[inline(always)]
fn score_tiles<L: Lanes, const M: usize, const T: usize>(
    l: L,
    q: &[f32],
    block: &KeyBlock<'_>,
    tiles: Range<usize>,
    scores: &mut Scores<M>,
) {
    let d = block.head_dim;
    let mut part: Queries<M> = [[0.0; CHUNK]; M];
    for start in (0..d).step_by(CHUNK) {
        let n = CHUNK.min(d - start);
        // Queries lie a head apart, often a power of two: there they would push each other out of the cache.
        for (part, q) in part.iter_mut().zip(q.chunks_exact(d)) {
            part[..n].copy_from_slice(&q[start..start + n]);
        }
        for tile in tiles.clone().step_by(T) {
            let k = &block.k[(tile * d + start) * KEY_TILE..((tile + T - 1) * d + start + n) * KEY_TILE];
            let ahead = block.v.as_ptr().wrapping_add((tile * d + start * T) * KEY_TILE);
            // SAFETY: `k` begins with the elements of tile `tile` and ends with those of the last of `T`; `n` is at most
            // `CHUNK`, and `tile + T` at most 4.
            unsafe { score::<L, M, T>(l, &part, k.as_ptr(), (d, n), tile, scores, ahead) };
        }
    }
}

/// One step of [`score_tiles`]: adds `n` elements of a head of `d` to the scores of `T` tiles.
///
/// # Safety
/// `n` elements must follow from `k` on, and `T - 1` times `d` elements further; `n` must be at most `CHUNK`, and the tiles
/// within a block. `ahead` may be any address.
#[inline(always)]
unsafe fn score<L: Lanes, const M: usize, const T: usize>(
    l: L,
    q: &Queries<M>,
    k: *const f16,
    (d, n): (usize, usize),
    tile: usize,
    scores: &mut Scores<M>,
    ahead: *const f16,
) {
    let mut sums = [[l.splat(0.0); T]; M];
    for m in 0..M {
        let (tiles, _) = scores[m].as_chunks::<LANES>();
        for t in 0..T {
            sums[m][t] = l.load(&tiles[tile + t]);
        }
    }
    for i in 0..n {
        let mut keys = [l.splat(0.0); T];
        for t in 0..T {
            // SAFETY: by the caller's promise.
            keys[t] = unsafe { l.load_f16_at(k.add((t * d + i) * KEY_TILE)) };
        }
        if M <= FEW {
            // Over all tiles this covers the block's values once.
            for t in (0..T).step_by(2) {
                l.prefetch(ahead.wrapping_add((i * T + t) * KEY_TILE));
            }
        }
        for m in 0..M {
            // SAFETY: `i` is below `n`, which is at most `CHUNK`.
            let q = l.splat(unsafe { *q[m].get_unchecked(i) });
            for t in 0..T {
                sums[m][t] = l.fma(q, keys[t], sums[m][t]);
            }
        }
    }
    for m in 0..M {
        let (tiles, _) = scores[m].as_chunks_mut::<LANES>();
        for t in 0..T {
            l.store(sums[m][t], &mut tiles[tile + t]);
        }
    }
}

/// Turns the scores of one query into weights; the largest score, and the sum of the weights.
#[inline(always)]
fn weigh<L: Lanes>(l: L, scores: &mut [f32; KEY_BLOCK], (first, end): (u8, u8), tiles: Range<usize>) -> (f32, f32) {
    let (all, _) = scores.as_chunks_mut::<LANES>();
    let unseen = l.splat(f32::NEG_INFINITY);
    let mut seen = [unseen; TILES];
    let mut most = unseen;
    for t in 0..TILES {
        if tiles.contains(&t) {
            let within = |key: u8| usize::from(key).saturating_sub(t * KEY_TILE).min(KEY_TILE);
            seen[t] = l.within(l.load(&all[t]), within(first), within(end), unseen);
            most = l.max(seen[t], most);
        }
    }
    let max = l.largest(most);
    let mut sum = l.splat(0.0);
    for t in 0..TILES {
        if tiles.contains(&t) {
            let weight = l.where_seen(math::exp(l, l.sub(seen[t], l.splat(max))), seen[t]);
            sum = l.add(sum, weight);
            l.store(weight, &mut all[t]);
        }
    }
    (max, l.sum(sum))
}

/// Weighted sums, `(M, d)`, of `keys` of the values `v`, which are `(64, d)`.
#[inline(always)]
fn values<L: Lanes, const M: usize, const T: usize>(
    l: L,
    weights: &Scores<M>,
    v: &[f16],
    d: usize,
    keys: Range<usize>,
    acc: &mut [f32],
) {
    assert!(v.len() == KEY_BLOCK * d && acc.len() == M * d && keys.end <= KEY_BLOCK);
    let mut column = 0;
    while column + T * LANES <= d {
        // SAFETY: these columns are within `d`, and the sizes were checked.
        unsafe {
            columns::<L, M, T>(l, weights, v.as_ptr().add(column), d, keys.clone(), acc.as_mut_ptr().add(column))
        };
        column += T * LANES;
    }
    while column < d {
        // SAFETY: as above, since `d` is a multiple of a vector.
        unsafe {
            columns::<L, M, 1>(l, weights, v.as_ptr().add(column), d, keys.clone(), acc.as_mut_ptr().add(column))
        };
        column += LANES;
    }
}

/// `T` vectors of columns of [`values`].
///
/// # Safety
/// `T` vectors of every one of `keys` (within a block) must be readable, and of every query writable, `d` values apart.
#[inline(always)]
unsafe fn columns<L: Lanes, const M: usize, const T: usize>(
    l: L,
    weights: &Scores<M>,
    v: *const f16,
    d: usize,
    keys: Range<usize>,
    acc: *mut f32,
) {
    let mut sums = [[l.splat(0.0); T]; M];
    for key in keys {
        let mut row = [l.splat(0.0); T];
        for t in 0..T {
            // SAFETY: by the caller's promise.
            row[t] = unsafe { l.load_f16_at(v.add(key * d + t * LANES)) };
        }
        for m in 0..M {
            // SAFETY: keys are within a block.
            let weight = l.splat(unsafe { *weights[m].get_unchecked(key) });
            for t in 0..T {
                sums[m][t] = l.fma(weight, row[t], sums[m][t]);
            }
        }
    }
    for m in 0..M {
        for t in 0..T {
            // SAFETY: by the caller's promise.
            l.store(sums[m][t], unsafe { &mut *acc.add(m * d + t * LANES).cast() });
        }
    }
}
