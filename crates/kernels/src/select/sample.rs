//! Small random inputs, the same in every run, for the check at start and for tests.

use half::{bf16, f16};

use crate::format::{Format, HALVES, STRIP_ROWS};

/// Numbers from a seed (SplitMix64).
#[derive(Debug, Clone)]
pub struct Numbers(u64);

impl Numbers {
    /// The sequence of `seed`.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// A value in `-most..most`.
    pub fn value(&mut self, most: f32) -> f32 {
        // 24 bits are what an f32 can hold exactly.
        ((self.bits() >> 40) as f32 / (1 << 23) as f32 - 1.0) * most
    }

    /// `n` values in `-most..most`.
    pub fn values(&mut self, n: usize, most: f32) -> Vec<f32> {
        (0..n).map(|_| self.value(most)).collect()
    }
}

/// Random packed weights `(n_rows, width)` of `format`, in whole strips: every bit pattern of the integers, and scales of
/// both signs as files have them.
///
/// # Panics
/// If the width does not fit the format.
pub fn weights(format: Format, n_rows: usize, width: usize, seed: u64) -> Vec<u8> {
    assert!(format.fits(width), "{format:?} of width {width}");
    let mut numbers = Numbers::new(seed);
    let mut bytes: Vec<u8> = (0..format.packed_bytes(n_rows, width)).map(|_| numbers.bits() as u8).collect();
    let mut halves = |bytes: &mut [u8]| {
        for half in bytes.chunks_exact_mut(2) {
            half.copy_from_slice(&f16::from_f32(numbers.value(0.1)).to_le_bytes());
        }
    };
    // Planes may hold anything; the f16 at the beginning of a tile would be infinite or no number.
    let leading = match format {
        Format::F32 => {
            for value in bytes.chunks_exact_mut(4) {
                value.copy_from_slice(&numbers.value(1.0).to_le_bytes());
            }
            return bytes;
        }
        Format::BF16 => {
            for value in bytes.chunks_exact_mut(2) {
                value.copy_from_slice(&bf16::from_f32(numbers.value(1.0)).to_le_bytes());
            }
            return bytes;
        }
        Format::F16 => 2 * STRIP_ROWS,
        Format::Q4_0 | Format::Q5_0 | Format::Q8_0 | Format::Q6K => HALVES,
        Format::Q4_1 | Format::Q5_1 | Format::Q4K | Format::Q5K => 2 * HALVES,
    };
    for tile in bytes.chunks_exact_mut(format.tile_bytes()) {
        halves(&mut tile[..leading]);
    }
    bytes
}
