//! Tiles of the formats with blocks of 256 columns.

use super::{Blocks, halves, put, word};
use crate::format::{BITS, HALVES, K_SCALES, NIBBLES, PAIRS, STRIP_ROWS};

/// The low nibbles of a word's four bytes.
const LOW: u32 = 0x0f0f_0f0f;

pub(super) fn q4k(blocks: Blocks<'_, 144>, tile: &mut [u8; 2304]) {
    let planes = head(blocks, tile);
    let planes = planes.as_chunks_mut::<{ 2 * NIBBLES }>().0;
    for (pair, planes) in planes.iter_mut().enumerate() {
        let (even, odd) = planes.split_at_mut(NIBBLES);
        nibbles(blocks, 16 + 32 * pair, even, odd);
    }
}

pub(super) fn q5k(blocks: Blocks<'_, 176>, tile: &mut [u8; 2816]) {
    let planes = head(blocks, tile).as_chunks_mut::<{ BITS + NIBBLES }>().0;
    for (lane, block) in blocks.iter().enumerate() {
        // Byte `i` of 32 holds the fifth bits of column `i` of all eight blocks, block `b` in bit `b`.
        let columns: [u32; 8] = std::array::from_fn(|v| word(*block, 16 + 4 * v));
        for (b, plane) in planes.iter_mut().enumerate() {
            let bits = (0..8).fold(0, |bits, v| bits | (columns[v] >> b & 0x0101_0101) << v);
            put(&mut plane[..BITS], lane, bits);
        }
    }
    for (pair, planes) in planes.as_chunks_mut::<2>().0.iter_mut().enumerate() {
        let [even, odd] = planes;
        nibbles(blocks, 48 + 32 * pair, &mut even[BITS..], &mut odd[BITS..]);
    }
}

pub(super) fn q6k(blocks: Blocks<'_, 210>, tile: &mut [u8; 3360]) {
    let (d, rest) = tile.split_at_mut(HALVES);
    let (scales, planes) = rest.split_at_mut(16 * STRIP_ROWS);
    halves(blocks, 208, d);
    for (lane, block) in blocks.iter().enumerate() {
        for (s, scales) in scales.as_chunks_mut::<STRIP_ROWS>().0.iter_mut().enumerate() {
            scales[lane] = block[192 + s];
        }
    }
    // Half a row of the file: 64 bytes whose low nibbles are two blocks and whose high nibbles are the next two, and
    // 32 bytes with two bits for each of the four.
    for (half, planes) in planes.as_chunks_mut::<{ 4 * (PAIRS + NIBBLES) }>().0.iter_mut().enumerate() {
        let planes = planes.as_chunks_mut::<{ PAIRS + NIBBLES }>().0;
        for (lane, block) in blocks.iter().enumerate() {
            for s in 0..2 {
                let columns: [u32; 4] = std::array::from_fn(|v| word(*block, 128 + 32 * half + 16 * s + 4 * v));
                for (b, plane) in planes.iter_mut().enumerate() {
                    let top = (0..4).fold(0, |top, v| top | (columns[v] >> (2 * b) & 0x0303_0303) << (2 * v));
                    put(&mut plane[64 * s..64 * s + 64], lane, top);
                }
            }
        }
        let (first, second) = planes.split_at_mut(2);
        for (b, (low, high)) in first.iter_mut().zip(second).enumerate() {
            nibbles(blocks, 64 * half + 32 * b, &mut low[PAIRS..], &mut high[PAIRS..]);
        }
    }
}

/// Scales and minima of a Q4_K or Q5_K tile. Returns the planes behind them.
#[inline(always)]
fn head<'a, const SIZE: usize>(blocks: Blocks<'_, SIZE>, tile: &'a mut [u8]) -> &'a mut [u8] {
    let (d, rest) = tile.split_at_mut(HALVES);
    let (dmin, rest) = rest.split_at_mut(HALVES);
    let (scales, planes) = rest.split_at_mut(K_SCALES);
    halves(blocks, 0, d);
    halves(blocks, 2, dmin);
    let scales = scales.as_chunks_mut::<STRIP_ROWS>().0;
    for (lane, block) in blocks.iter().enumerate() {
        // Twelve bytes: six bits of the scales and then of the minima of blocks 0..4, whose top two bits are the top ones
        // of blocks 4..8; then the low nibbles of those, scale and minimum in one byte.
        let (scale, minimum, low) = (word(*block, 4), word(*block, 8), word(*block, 12));
        let first = (scale & LOW) | (minimum & LOW) << 4;
        let first_top = (scale >> 4 & 0x0303_0303) | (minimum >> 2 & 0x0c0c_0c0c);
        let last_top = (scale >> 6 & 0x0303_0303) | (minimum >> 4 & 0x0c0c_0c0c);
        let (first, low) = (first.to_le_bytes(), low.to_le_bytes());
        let (first_top, last_top) = (first_top.to_le_bytes(), last_top.to_le_bytes());
        for b in 0..4 {
            scales[b][lane] = first[b];
            scales[4 + b][lane] = low[b];
        }
        for (pair, top) in [first_top, last_top].as_flattened().as_chunks::<2>().0.iter().enumerate() {
            scales[8 + pair][lane] = top[0] | top[1] << 4;
        }
    }
    planes
}

/// The 32 bytes of every block from `at` on, whose low nibbles are the columns of one block and whose high nibbles those
/// of another, as two planes.
#[inline(always)]
fn nibbles<const SIZE: usize>(blocks: Blocks<'_, SIZE>, at: usize, low: &mut [u8], high: &mut [u8]) {
    let (low, high) = (low.as_chunks_mut::<64>().0, high.as_chunks_mut::<64>().0);
    for (lane, block) in blocks.iter().enumerate() {
        for (v, (low, high)) in low.iter_mut().zip(high.iter_mut()).enumerate() {
            let (near, far) = (word(*block, at + 4 * v), word(*block, at + 16 + 4 * v));
            put(low, lane, (near & LOW) | (far & LOW) << 4);
            put(high, lane, (near >> 4 & LOW) | (far & !LOW));
        }
    }
}
