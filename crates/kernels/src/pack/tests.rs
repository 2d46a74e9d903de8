use half::{bf16, f16};
use proptest::prelude::*;

use super::pack;
use crate::{
    Matrix,
    format::{BLOCK, Format, STRIP_ROWS},
    scalar::decode::{block_at, float_at},
};

/// What a weight is: the numbers that a format's formula multiplies, before any rounding of a product.
#[derive(Debug, PartialEq)]
enum Weight {
    Float(u32),
    /// `scale · q + minimum`, floats by their bits.
    Quantized {
        scale: u32,
        q: i32,
        minimum: Option<u32>,
    },
}

/// The bits of `x`; processors differ in those of what is not a number.
fn bits(x: f32) -> u32 {
    if x.is_nan() { f32::NAN.to_bits() } else { x.to_bits() }
}

fn half_bits(bytes: &[u8], at: usize) -> f32 {
    f16::from_le_bytes([bytes[at], bytes[at + 1]]).to_f32()
}

/// Column `k` of a row as the file's format defines it, written down from the layout of its blocks.
fn source_weight(format: Format, row: &[u8], k: usize) -> Weight {
    let (columns, size) = format.source_block();
    let (block, k) = (&row[k / columns * size..][..size], k % columns);
    let quantized = |scale: f32, q: i32, minimum: Option<f32>| Weight::Quantized {
        scale: bits(scale),
        q,
        minimum: minimum.map(bits),
    };
    let nibble = |at: usize| i32::from(if k < 16 { block[at + k] & 15 } else { block[at + k - 16] >> 4 });
    let fifth = |at: usize| i32::from(block[at + k / 8] >> (k % 8) & 1) << 4;
    // Six-bit scale and minimum of block `j` of a K format, from the twelve bytes at 4.
    let six = |j: usize| {
        let q = &block[4..16];
        if j < 4 {
            (q[j] & 63, q[j + 4] & 63)
        } else {
            ((q[j + 4] & 15) | (q[j - 4] >> 6) << 4, (q[j + 4] >> 4) | (q[j] >> 6) << 4)
        }
    };
    let d = || half_bits(block, 0);
    match format {
        Format::F32 => Weight::Float(f32::from_le_bytes([block[0], block[1], block[2], block[3]]).to_bits()),
        Format::F16 => Weight::Float(half_bits(block, 0).to_bits()),
        Format::BF16 => Weight::Float(bf16::from_le_bytes([block[0], block[1]]).to_f32().to_bits()),
        Format::Q4_0 => quantized(d(), nibble(2) - 8, None),
        Format::Q4_1 => quantized(d(), nibble(4), Some(half_bits(block, 2))),
        Format::Q5_0 => quantized(d(), (nibble(6) | fifth(2)) - 16, None),
        Format::Q5_1 => quantized(d(), nibble(8) | fifth(4), Some(half_bits(block, 2))),
        Format::Q8_0 => quantized(d(), i32::from(block[2 + k].cast_signed()), None),
        Format::Q4K | Format::Q5K => {
            let (scale, minimum) = six(k / 32);
            let qs = if format == Format::Q4K { 16 } else { 48 };
            let byte = block[qs + k / 64 * 32 + k % 32];
            let low = i32::from(if k % 64 < 32 { byte & 15 } else { byte >> 4 });
            let high = if format == Format::Q4K { 0 } else { i32::from(block[16 + k % 32] >> (k / 32) & 1) << 4 };
            quantized(d() * f32::from(scale), low | high, Some(-(half_bits(block, 2) * f32::from(minimum))))
        }
        Format::Q6K => {
            let (half, k) = (k / 128, k % 128);
            let byte = block[64 * half + k % 64];
            let low = if k < 64 { byte & 15 } else { byte >> 4 };
            let high = block[128 + 32 * half + k % 32] >> (2 * (k / 32)) & 3;
            let scale = block[192 + 8 * half + k / 16].cast_signed();
            quantized(half_bits(block, 208) * f32::from(scale), i32::from(low | high << 4) - 32, None)
        }
    }
}

/// The same weight as the definition of the products reads it from packed tiles.
fn packed_weight(matrix: &Matrix<'_>, row: usize, k: usize) -> Weight {
    let (strip, lane) = (row / STRIP_ROWS, row % STRIP_ROWS);
    let strip = matrix.strips(strip..strip + 1);
    if matrix.format().is_float() {
        return Weight::Float(float_at(matrix.format(), strip, lane, k).to_bits());
    }
    let block = block_at(matrix.format(), strip, k / BLOCK);
    Weight::Quantized {
        scale: bits(block.scale[lane][k % BLOCK / 16]),
        q: i32::from(block.q[lane][k % BLOCK]) - block.zero,
        minimum: block.minimum.map(|minimum| bits(minimum[lane])),
    }
}

/// Bytes of every value, from a seed: infinite and undefined scales too.
fn source(format: Format, n_rows: usize, width: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let len = n_rows * format.strip_bytes(width) / STRIP_ROWS;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    })
    .take(len)
    .collect()
}

fn packed(format: Format, src: &[u8], n_rows: usize, width: usize) -> Vec<u8> {
    let mut out = vec![0xaa; format.packed_bytes(n_rows, width)];
    pack(format, src, n_rows, width, 0..n_rows.div_ceil(STRIP_ROWS), &mut out);
    out
}

fn check(format: Format, n_rows: usize, width: usize, seed: u64) {
    let src = source(format, n_rows, width, seed);
    let bytes = packed(format, &src, n_rows, width);
    let matrix = Matrix::new(format, n_rows, width, &bytes).unwrap();
    let row_bytes = src.len() / n_rows;
    for row in 0..n_rows.next_multiple_of(STRIP_ROWS) {
        for k in 0..width {
            let zeros = vec![0; row_bytes];
            let source_row = if row < n_rows { &src[row * row_bytes..][..row_bytes] } else { &zeros };
            let expected = source_weight(format, source_row, k);
            assert_eq!(packed_weight(&matrix, row, k), expected, "{format:?} ({n_rows}, {width}) row {row} column {k}");
        }
    }
}

#[test]
fn every_weight_is_the_same_number_packed() {
    for format in Format::ALL {
        let tile = format.tile_width().max(BLOCK);
        for (n_rows, tiles) in [(16, 1), (1, 1), (15, 3), (17, 2), (48, 5)] {
            check(format, n_rows, tiles * tile, 7);
        }
    }
}

/// Every value of a byte in every place of a block, so that no bit can be left behind or taken from elsewhere.
#[test]
fn every_bit_of_a_block_has_its_place() {
    for format in Format::ALL {
        let width = format.tile_width().max(BLOCK);
        let row_bytes = format.strip_bytes(width) / STRIP_ROWS;
        let mut seen = vec![false; 8 * 16 * row_bytes];
        for bit in 0..seen.len() {
            let mut src = vec![0; 16 * row_bytes];
            src[bit / 8] = 1 << (bit % 8);
            let bytes = packed(format, &src, 16, width);
            // Stored values of Q8_0 are the file's plus 128.
            let blank = packed(format, &vec![0; 16 * row_bytes], 16, width);
            let changed: Vec<usize> =
                (0..8 * bytes.len()).filter(|bit| (bytes[bit / 8] ^ blank[bit / 8]) >> (bit % 8) & 1 == 1).collect();
            assert_eq!(changed.len(), 1, "{format:?}: bit {bit} of the file");
            assert!(!std::mem::replace(&mut seen[changed[0]], true), "{format:?}: two bits in place {}", changed[0]);
        }
    }
}

#[test]
fn strips_can_be_packed_one_by_one() {
    for format in Format::ALL {
        let (n_rows, width) = (56, 2 * format.tile_width().max(BLOCK));
        let src = source(format, n_rows, width, 3);
        let whole = packed(format, &src, n_rows, width);
        for strip in 0..4 {
            let mut one = vec![0; format.strip_bytes(width)];
            pack(format, &src, n_rows, width, strip..strip + 1, &mut one);
            assert!(one == whole[strip * one.len()..][..one.len()], "{format:?} strip {strip}");
        }
    }
}

#[test]
#[should_panic(expected = "not whole tiles")]
fn a_width_that_does_not_fit_is_refused() {
    pack(Format::Q4K, &[], 0, 128, 0..0, &mut []);
}

proptest! {
    #[test]
    fn any_matrix_is_the_same_packed(
        format in prop::sample::select(Format::ALL.to_vec()),
        n_rows in 1usize..40,
        tiles in 1usize..4,
        seed: u64,
    ) {
        check(format, n_rows, tiles * format.tile_width().max(BLOCK), seed);
    }
}
