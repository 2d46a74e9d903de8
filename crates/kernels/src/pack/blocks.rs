//! Tiles of the formats with blocks of 32 columns.

use super::{Blocks, halves, put, word};
use crate::format::{BITS, HALVES, STRIP_ROWS};

pub(super) fn q4_0(blocks: Blocks<'_, 18>, tile: &mut [u8; 288]) {
    let (d, nibbles) = tile.split_at_mut(HALVES);
    halves(blocks, 0, d);
    words::<18, 4>(blocks, 2, 0, nibbles);
}

pub(super) fn q4_1(blocks: Blocks<'_, 20>, tile: &mut [u8; 320]) {
    let (d, rest) = tile.split_at_mut(HALVES);
    let (m, nibbles) = rest.split_at_mut(HALVES);
    halves(blocks, 0, d);
    halves(blocks, 2, m);
    words::<20, 4>(blocks, 4, 0, nibbles);
}

pub(super) fn q5_0(blocks: Blocks<'_, 22>, tile: &mut [u8; 352]) {
    let (d, rest) = tile.split_at_mut(HALVES);
    let (bits, nibbles) = rest.split_at_mut(BITS);
    halves(blocks, 0, d);
    fifth_bits(blocks, 2, bits);
    words::<22, 4>(blocks, 6, 0, nibbles);
}

pub(super) fn q5_1(blocks: Blocks<'_, 24>, tile: &mut [u8; 384]) {
    let (d, rest) = tile.split_at_mut(HALVES);
    let (m, rest) = rest.split_at_mut(HALVES);
    let (bits, nibbles) = rest.split_at_mut(BITS);
    halves(blocks, 0, d);
    halves(blocks, 2, m);
    fifth_bits(blocks, 4, bits);
    words::<24, 4>(blocks, 8, 0, nibbles);
}

pub(super) fn q8_0(blocks: Blocks<'_, 34>, tile: &mut [u8; 544]) {
    let (d, bytes) = tile.split_at_mut(HALVES);
    halves(blocks, 0, d);
    // Flipping the sign bit of a two's complement byte adds 128.
    words::<34, 8>(blocks, 2, 0x8080_8080, bytes);
}

/// The `N` words of every block from `at` on, each flipped by `flip`: the file's nibbles pair column `i` with `16 + i`
/// just as the plane does, so only words change places.
#[inline(always)]
fn words<const SIZE: usize, const N: usize>(blocks: Blocks<'_, SIZE>, at: usize, flip: u32, plane: &mut [u8]) {
    let vectors = plane.as_chunks_mut::<64>().0;
    for (lane, block) in blocks.iter().enumerate() {
        for (v, vector) in vectors.iter_mut().enumerate().take(N) {
            put(vector, lane, word(*block, at + 4 * v) ^ flip);
        }
    }
}

/// The fifth bits, of column `i` in bit `i` of the word at `at`.
#[inline(always)]
fn fifth_bits<const SIZE: usize>(blocks: Blocks<'_, SIZE>, at: usize, plane: &mut [u8]) {
    let columns: [u32; STRIP_ROWS] = blocks.map(|block| word(block, at));
    for (lane, columns) in columns.into_iter().enumerate() {
        put(plane, lane, every_fourth(columns));
    }
}

/// Byte `j` of the result holds bits `j`, `4 + j`, `8 + j`, … of `bits`.
#[inline(always)]
fn every_fourth(bits: u32) -> u32 {
    // Where a bit stands is a number of five binary digits. Each step exchanges two neighbouring digits of all of them;
    // four steps bring the lowest digit to the top, and the two lowest have to go there.
    (0..2).fold(bits, |bits, _| {
        [(0x2222_2222, 1), (0x0c0c_0c0c, 2), (0x00f0_00f0, 4), (0x0000_ff00, 8)].into_iter().fold(
            bits,
            |x, (mask, by)| {
                let changed = (x ^ (x >> by)) & mask;
                x ^ changed ^ (changed << by)
            },
        )
    })
}
