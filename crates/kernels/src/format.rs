//! How packed weights lie in memory.
//!
//! A matrix `(n_rows, width)` is packed into **strips** of 16 rows, one lane of a 512-bit register each; the last strip
//! is filled up with rows of zeros. A strip is a sequence of **tiles** along the columns. Every tile has as many bits a
//! weight as the file's own format: nothing is widened.
//!
//! Quantized tiles are made of planes over blocks of 32 columns. In every plane byte `4·r + j` belongs to row `r`, so that
//! the four bytes of a row meet four consecutive activations in one integer dot product:
//!
//! * **nibbles**, 256 bytes, four vectors `v` of 64: the low nibble is column `4·v + j`, the high one column `16 + 4·v + j`;
//! * **bits**, 64 bytes: bit `v` is the fifth bit of column `4·v + j`, bit `4 + v` that of column `16 + 4·v + j`;
//! * **pairs**, 128 bytes, vector `s` of two for columns `16·s..16·s + 16`: bits `2·v` and `2·v + 1` are the fifth and
//!   sixth bit of column `16·s + 4·v + j`;
//! * **bytes**, 512 bytes, eight vectors `g` of 64: column `4·g + j`, plus 128.
//!
//! All stored integers are unsigned; what a format subtracts (8, 16, 32, 128) is taken off through the activations' sums.
//!
//! | format | columns | tile |
//! |---|---|---|
//! | F32, F16, BF16 | 1 | 16 values |
//! | Q4_0 | 32 | d f16×16, nibbles (− 8) |
//! | Q4_1 | 32 | d f16×16, m f16×16, nibbles |
//! | Q5_0 | 32 | d f16×16, bits, nibbles (− 16) |
//! | Q5_1 | 32 | d f16×16, m f16×16, bits, nibbles |
//! | Q8_0 | 32 | d f16×16, bytes (− 128) |
//! | Q4_K | 256 | d f16×16, dmin f16×16, scales, 8 × nibbles |
//! | Q5_K | 256 | d f16×16, dmin f16×16, scales, 8 × (bits, nibbles) |
//! | Q6_K | 256 | d f16×16, 16 × scale i8×16, 8 × (pairs, nibbles) (− 32) |
//!
//! `scales` of Q4_K and Q5_K are 192 bytes: for each of the 8 blocks 16 bytes, one for each row, low nibble the low four
//! bits of the scale, high nibble those of the minimum; then for each of the 4 pairs of blocks 16 bytes with the high two
//! bits: of the even block's scale (bits 0, 1) and minimum (2, 3), of the odd block's scale (4, 5) and minimum (6, 7).
//! Scale `2·b` of Q6_K belongs to the first 16 columns of block `b`, scale `2·b + 1` to the others.

/// Rows of a strip.
pub const STRIP_ROWS: usize = 16;
/// Columns that share one scale of the activations.
pub const BLOCK: usize = 32;
/// Columns of a tile of the K formats.
pub const SUPER_BLOCK: usize = 256;

/// Bytes of the nibble plane of a block.
pub const NIBBLES: usize = 256;
/// Bytes of the plane of fifth bits of a block.
pub const BITS: usize = 64;
/// Bytes of the plane of fifth and sixth bits of a block.
pub const PAIRS: usize = 128;
/// Bytes of the byte plane of a block.
pub const BYTES: usize = 512;
/// Bytes of sixteen f16, one for each row.
pub const HALVES: usize = 32;
/// Bytes of the packed six-bit scales and minima of a Q4_K or Q5_K tile.
pub const K_SCALES: usize = 192;

/// How the weights of a matrix are stored, in the file and packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Format {
    /// 32-bit floats.
    F32 = 0,
    /// 16-bit floats, IEEE.
    F16 = 1,
    /// 16-bit floats with the exponent of 32-bit ones.
    BF16 = 2,
    /// 4 bits, one scale for 32.
    Q4_0 = 3,
    /// 4 bits, scale and minimum for 32.
    Q4_1 = 4,
    /// 5 bits, one scale for 32.
    Q5_0 = 5,
    /// 5 bits, scale and minimum for 32.
    Q5_1 = 6,
    /// 8 bits, one scale for 32.
    Q8_0 = 7,
    /// 4 bits, six-bit scale and minimum for 32.
    Q4K = 8,
    /// 5 bits, six-bit scale and minimum for 32.
    Q5K = 9,
    /// 6 bits, eight-bit scale for 16.
    Q6K = 10,
}

impl Format {
    /// Number of formats.
    pub const COUNT: usize = 11;
    /// All formats, by their number.
    pub const ALL: [Self; Self::COUNT] = [
        Self::F32,
        Self::F16,
        Self::BF16,
        Self::Q4_0,
        Self::Q4_1,
        Self::Q5_0,
        Self::Q5_1,
        Self::Q8_0,
        Self::Q4K,
        Self::Q5K,
        Self::Q6K,
    ];

    /// The name, as in file names of models.
    pub const fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::BF16 => "bf16",
            Self::Q4_0 => "q4_0",
            Self::Q4_1 => "q4_1",
            Self::Q5_0 => "q5_0",
            Self::Q5_1 => "q5_1",
            Self::Q8_0 => "q8_0",
            Self::Q4K => "q4_k",
            Self::Q5K => "q5_k",
            Self::Q6K => "q6_k",
        }
    }

    /// Whether products take the activations as they are; otherwise quantized to 8 bits.
    pub const fn is_float(self) -> bool {
        matches!(self, Self::F32 | Self::F16 | Self::BF16)
    }

    /// Columns and bytes of one block of a row in a GGUF file.
    pub const fn source_block(self) -> (usize, usize) {
        match self {
            Self::F32 => (1, 4),
            Self::F16 | Self::BF16 => (1, 2),
            Self::Q4_0 => (BLOCK, 18),
            Self::Q4_1 => (BLOCK, 20),
            Self::Q5_0 => (BLOCK, 22),
            Self::Q5_1 => (BLOCK, 24),
            Self::Q8_0 => (BLOCK, 34),
            Self::Q4K => (SUPER_BLOCK, 144),
            Self::Q5K => (SUPER_BLOCK, 176),
            Self::Q6K => (SUPER_BLOCK, 210),
        }
    }

    /// Columns of a tile.
    pub const fn tile_width(self) -> usize {
        self.source_block().0
    }

    /// Bytes of a tile: those of sixteen rows in the file.
    pub const fn tile_bytes(self) -> usize {
        STRIP_ROWS * self.source_block().1
    }

    /// Bytes of one strip of `width` columns.
    pub const fn strip_bytes(self, width: usize) -> usize {
        width / self.tile_width() * self.tile_bytes()
    }

    /// Bytes of a packed matrix `(n_rows, width)`.
    pub const fn packed_bytes(self, n_rows: usize, width: usize) -> usize {
        n_rows.div_ceil(STRIP_ROWS) * self.strip_bytes(width)
    }

    /// Whether a matrix of `width` columns can be packed: whole tiles, and whole blocks of activations.
    pub const fn fits(self, width: usize) -> bool {
        width > 0 && width.is_multiple_of(self.tile_width()) && width.is_multiple_of(BLOCK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_are_the_sum_of_their_planes() {
        let block = HALVES + NIBBLES;
        for (format, bytes) in [
            (Format::Q4_0, block),
            (Format::Q4_1, block + HALVES),
            (Format::Q5_0, block + BITS),
            (Format::Q5_1, block + HALVES + BITS),
            (Format::Q8_0, HALVES + BYTES),
            (Format::Q4K, 2 * HALVES + K_SCALES + 8 * NIBBLES),
            (Format::Q5K, 2 * HALVES + K_SCALES + 8 * (BITS + NIBBLES)),
            (Format::Q6K, HALVES + 16 * STRIP_ROWS + 8 * (PAIRS + NIBBLES)),
        ] {
            assert_eq!(format.tile_bytes(), bytes, "{format:?}");
        }
        for (index, format) in Format::ALL.into_iter().enumerate() {
            assert_eq!(format as usize, index);
        }
    }
}
