//! From rows of blocks, as they stand in a GGUF file, to packed tiles (see [`crate::format`]).
//!
//! Nothing is rounded: the same bits in another order. Loops run over the sixteen rows of a strip with four columns in a
//! 32-bit word, which compilers turn into vector instructions where there are some.

mod blocks;
mod super_blocks;
#[cfg(test)]
mod tests;

use std::ops::Range;

use crate::format::{Format, STRIP_ROWS};

/// Packs `strips` of the matrix `(n_rows, width)` whose rows are `src`, in the blocks of a GGUF file, into `out`.
///
/// Strips are independent of each other, so a matrix may be packed by several threads.
///
/// # Panics
/// If the width does not fit the format, `src` is not `n_rows` rows, there are fewer strips, or `out` is not exactly as
/// long as the packed strips.
pub fn pack(format: Format, src: &[u8], n_rows: usize, width: usize, strips: Range<usize>, out: &mut [u8]) {
    assert!(format.fits(width), "{width} columns of {format:?} are not whole tiles");
    let row_bytes = format.strip_bytes(width) / STRIP_ROWS;
    assert_eq!(src.len(), n_rows * row_bytes, "the source is not {n_rows} rows of {row_bytes} bytes");
    assert!(strips.end <= n_rows.div_ceil(STRIP_ROWS), "strips {strips:?} of {n_rows} rows");
    assert_eq!(out.len(), strips.len() * format.strip_bytes(width), "room for {strips:?}");
    let empty = if strips.end * STRIP_ROWS > n_rows { vec![0; row_bytes] } else { Vec::new() };
    for (strip, out) in strips.zip(out.chunks_exact_mut(format.strip_bytes(width))) {
        let rows: [&[u8]; STRIP_ROWS] = std::array::from_fn(|lane| {
            let row = strip * STRIP_ROWS + lane;
            if row < n_rows { &src[row * row_bytes..(row + 1) * row_bytes] } else { &empty }
        });
        pack_strip(format, rows, out);
    }
}

fn pack_strip(format: Format, rows: [&[u8]; STRIP_ROWS], out: &mut [u8]) {
    match format {
        Format::F32 => transpose::<4>(rows, out),
        Format::F16 | Format::BF16 => transpose::<2>(rows, out),
        Format::Q4_0 => tiles::<18, 288>(rows, out, blocks::q4_0),
        Format::Q4_1 => tiles::<20, 320>(rows, out, blocks::q4_1),
        Format::Q5_0 => tiles::<22, 352>(rows, out, blocks::q5_0),
        Format::Q5_1 => tiles::<24, 384>(rows, out, blocks::q5_1),
        Format::Q8_0 => tiles::<34, 544>(rows, out, blocks::q8_0),
        Format::Q4K => tiles::<144, 2304>(rows, out, super_blocks::q4k),
        Format::Q5K => tiles::<176, 2816>(rows, out, super_blocks::q5k),
        Format::Q6K => tiles::<210, 3360>(rows, out, super_blocks::q6k),
    }
}

/// One block of each row of a strip.
type Blocks<'a, const SIZE: usize> = [&'a [u8; SIZE]; STRIP_ROWS];

/// Packs sixteen rows block by block, with `pack` for one tile.
fn tiles<const SIZE: usize, const TILE: usize>(
    rows: [&[u8]; STRIP_ROWS],
    out: &mut [u8],
    pack: impl Fn(Blocks<'_, SIZE>, &mut [u8; TILE]),
) {
    let rows = rows.map(|row| row.as_chunks::<SIZE>().0);
    for (index, tile) in out.as_chunks_mut::<TILE>().0.iter_mut().enumerate() {
        pack(rows.map(|row| &row[index]), tile);
    }
}

/// Values of `SIZE` bytes, from row after row to column after column, in squares of sixteen.
fn transpose<const SIZE: usize>(rows: [&[u8]; STRIP_ROWS], out: &mut [u8]) {
    let rows = rows.map(|row| row.as_chunks::<SIZE>().0.as_chunks::<STRIP_ROWS>().0);
    let columns = out.as_chunks_mut::<SIZE>().0.as_chunks_mut::<STRIP_ROWS>().0;
    for (index, square) in columns.as_chunks_mut::<STRIP_ROWS>().0.iter_mut().enumerate() {
        for (lane, row) in rows.iter().enumerate() {
            for (column, value) in square.iter_mut().zip(&row[index]) {
                column[lane] = *value;
            }
        }
    }
}

/// The four bytes of `bytes` from `at` on.
#[inline(always)]
fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// Puts the four bytes of `value` where `lane` has them in a vector of 64.
#[inline(always)]
fn put(vector: &mut [u8], lane: usize, value: u32) {
    vector[4 * lane..4 * lane + 4].copy_from_slice(&value.to_le_bytes());
}

/// Puts the f16 that stands at `at` in each block into `out`, one for each row.
#[inline(always)]
fn halves<const SIZE: usize>(blocks: Blocks<'_, SIZE>, at: usize, out: &mut [u8]) {
    for (block, out) in blocks.iter().zip(out.as_chunks_mut::<2>().0) {
        *out = [block[at], block[at + 1]];
    }
}
