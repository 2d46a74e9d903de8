//! Packed tiles, one block of 32 columns at a time, as numbers.

use half::{bf16, f16};

use crate::format::{BITS, BLOCK, BYTES, Format, HALVES, K_SCALES, NIBBLES, PAIRS, STRIP_ROWS};

/// One block of a strip: 16 rows by 32 columns.
pub(crate) struct Decoded {
    /// Stored unsigned values, by row and column.
    pub(crate) q: [[u8; BLOCK]; STRIP_ROWS],
    /// What the format subtracts from them.
    pub(crate) zero: i32,
    /// For each row the weights' scale in the first and in the second half of the block; the same but for Q6_K.
    pub(crate) scale: [[f32; 2]; STRIP_ROWS],
    /// What is added for each unit of the activations' sum, where the format has minima.
    pub(crate) minimum: Option<[f32; STRIP_ROWS]>,
}

fn half_at(bytes: &[u8], row: usize) -> f32 {
    f16::from_le_bytes([bytes[2 * row], bytes[2 * row + 1]]).to_f32()
}

/// The value of a float format in `row` and column `k` of `strip`.
pub(crate) fn float_at(format: Format, strip: &[u8], row: usize, k: usize) -> f32 {
    let index = k * STRIP_ROWS + row;
    let two = || [strip[2 * index], strip[2 * index + 1]];
    match format {
        Format::F16 => f16::from_le_bytes(two()).to_f32(),
        Format::BF16 => bf16::from_le_bytes(two()).to_f32(),
        _ => {
            let four = &strip[4 * index..4 * index + 4];
            f32::from_le_bytes([four[0], four[1], four[2], four[3]])
        }
    }
}

/// Block `block` of `strip`, of a quantized format.
pub(crate) fn block_at(format: Format, strip: &[u8], block: usize) -> Decoded {
    let tile_blocks = format.tile_width() / BLOCK;
    let tile = &strip[block / tile_blocks * format.tile_bytes()..][..format.tile_bytes()];
    let b = block % tile_blocks;
    let d: [f32; STRIP_ROWS] = std::array::from_fn(|row| half_at(tile, row));
    let second: [f32; STRIP_ROWS] = std::array::from_fn(|row| half_at(&tile[HALVES..], row));
    let same = d.map(|d| [d, d]);
    let plain = |at: usize, zero: i32, high: High, minimum| {
        let low = &tile[at + high.bytes()..];
        Decoded { q: nibbles(low, high, &tile[at..]), zero, scale: same, minimum }
    };
    match format {
        Format::Q4_0 => plain(HALVES, 8, High::None, None),
        Format::Q4_1 => plain(2 * HALVES, 0, High::None, Some(second)),
        Format::Q5_0 => plain(HALVES, 16, High::Bits, None),
        Format::Q5_1 => plain(2 * HALVES, 0, High::Bits, Some(second)),
        Format::Q8_0 => {
            let plane = &tile[HALVES..HALVES + BYTES];
            let q = std::array::from_fn(|row| std::array::from_fn(|k| plane[64 * (k / 4) + 4 * row + k % 4]));
            Decoded { q, zero: 128, scale: same, minimum: None }
        }
        Format::Q4K | Format::Q5K => {
            let high = if format == Format::Q5K { High::Bits } else { High::None };
            let planes = &tile[2 * HALVES + K_SCALES + b * (high.bytes() + NIBBLES)..];
            let scales = &tile[2 * HALVES..];
            let six = |row: usize| {
                let low = scales[STRIP_ROWS * b + row];
                let high = scales[8 * STRIP_ROWS + STRIP_ROWS * (b / 2) + row] >> (4 * (b % 2));
                ((low & 15) | (high & 3) << 4, (low >> 4) | (high >> 2 & 3) << 4)
            };
            Decoded {
                q: nibbles(&planes[high.bytes()..], high, planes),
                zero: 0,
                scale: std::array::from_fn(|row| [d[row] * f32::from(six(row).0); 2]),
                minimum: Some(std::array::from_fn(|row| -(second[row] * f32::from(six(row).1)))),
            }
        }
        Format::Q6K => {
            let scales = &tile[HALVES..];
            let scale =
                |row: usize, half: usize| d[row] * f32::from(scales[STRIP_ROWS * (2 * b + half) + row].cast_signed());
            let planes = &tile[HALVES + 16 * STRIP_ROWS + b * (PAIRS + NIBBLES)..];
            Decoded {
                q: nibbles(&planes[PAIRS..], High::Pairs, planes),
                zero: 32,
                scale: std::array::from_fn(|row| [scale(row, 0), scale(row, 1)]),
                minimum: None,
            }
        }
        Format::F32 | Format::F16 | Format::BF16 => unreachable!("floats have no blocks"),
    }
}

/// Which plane holds what does not fit into a nibble.
#[derive(Clone, Copy)]
enum High {
    None,
    Bits,
    Pairs,
}

impl High {
    fn bytes(self) -> usize {
        match self {
            Self::None => 0,
            Self::Bits => BITS,
            Self::Pairs => PAIRS,
        }
    }
}

fn nibbles(low: &[u8], high: High, plane: &[u8]) -> [[u8; BLOCK]; STRIP_ROWS] {
    std::array::from_fn(|row| {
        std::array::from_fn(|k| {
            let (half, v, j) = (k / 16, k % 16 / 4, k % 4);
            let at = 4 * row + j;
            let nibble = low[64 * v + at] >> (4 * half) & 15;
            let top = match high {
                High::None => 0,
                High::Bits => plane[at] >> (4 * half + v) & 1,
                High::Pairs => plane[64 * half + at] >> (2 * v) & 3,
            };
            nibble | top << 4
        })
    })
}
