//! Random blocks of every storage type, of mean zero and a given standard deviation.
//!
//! Blocks are made directly rather than by quantizing floats: that is what lets a full-size file be written at the
//! speed of the disk. Scales differ from block to block and take both signs where the type allows it, so that code
//! which mixes up scales, signs or nibbles gives other numbers.

use half::{bf16, f16};

use super::rng::Rng;

/// How a tensor is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are those of the format")]
pub enum Kind {
    F32,
    F16,
    Bf16,
    Q4_0,
    Q4_1,
    Q5_0,
    Q5_1,
    Q8_0,
    Q4K,
    Q5K,
    Q6K,
}

impl Kind {
    /// Values in a block.
    pub fn block_len(self) -> usize {
        match self {
            Self::F32 | Self::F16 | Self::Bf16 => 1,
            Self::Q4_0 | Self::Q4_1 | Self::Q5_0 | Self::Q5_1 | Self::Q8_0 => 32,
            Self::Q4K | Self::Q5K | Self::Q6K => 256,
        }
    }

    /// Bytes of a block.
    pub fn block_bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
            Self::Q4_0 => 18,
            Self::Q4_1 => 20,
            Self::Q5_0 => 22,
            Self::Q5_1 => 24,
            Self::Q8_0 => 34,
            Self::Q4K => 144,
            Self::Q5K => 176,
            Self::Q6K => 210,
        }
    }

    /// The number that stands for the type in a file.
    pub fn id(self) -> u32 {
        match self {
            Self::F32 => 0,
            Self::F16 => 1,
            Self::Q4_0 => 2,
            Self::Q4_1 => 3,
            Self::Q5_0 => 6,
            Self::Q5_1 => 7,
            Self::Q8_0 => 8,
            Self::Q4K => 12,
            Self::Q5K => 13,
            Self::Q6K => 14,
            Self::Bf16 => 30,
        }
    }

    /// The usual name.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "F32",
            Self::F16 => "F16",
            Self::Bf16 => "BF16",
            Self::Q4_0 => "Q4_0",
            Self::Q4_1 => "Q4_1",
            Self::Q5_0 => "Q5_0",
            Self::Q5_1 => "Q5_1",
            Self::Q8_0 => "Q8_0",
            Self::Q4K => "Q4_K",
            Self::Q5K => "Q5_K",
            Self::Q6K => "Q6_K",
        }
    }

    /// Bytes of `n_values` values, a whole number of blocks.
    ///
    /// # Panics
    /// If `n_values` is not a whole number of blocks.
    pub fn bytes(self, n_values: usize) -> usize {
        assert!(n_values.is_multiple_of(self.block_len()), "{n_values} values are not blocks of {}", self.name());
        n_values / self.block_len() * self.block_bytes()
    }

    /// Fills `out`, a whole number of blocks, with random values of standard deviation `std`.
    pub fn fill(self, rng: &mut Rng, std: f32, out: &mut [u8]) {
        match self {
            Self::F32 | Self::F16 | Self::Bf16 => self.fill_floats(rng, std, out),
            _ => {
                rng.fill(out);
                for block in out.chunks_exact_mut(self.block_bytes()) {
                    self.set_scales(rng, std, block);
                }
            }
        }
    }

    fn fill_floats(self, rng: &mut Rng, std: f32, out: &mut [u8]) {
        for value in out.chunks_exact_mut(self.block_bytes()) {
            let x = rng.bell() * std;
            match self {
                Self::F32 => value.copy_from_slice(&x.to_le_bytes()),
                Self::F16 => value.copy_from_slice(&f16::from_f32(x).to_le_bytes()),
                _ => value.copy_from_slice(&bf16::from_f32(x).to_le_bytes()),
            }
        }
    }

    /// Gives a block of random quants the scales that make its values of mean 0 and deviation `std`.
    fn set_scales(self, rng: &mut Rng, std: f32, block: &mut [u8]) {
        // Uniform integers of n values have the deviation sqrt((n² - 1) / 12).
        const STD_4_BITS: f32 = 4.61;
        const STD_5_BITS: f32 = 9.23;
        const STD_6_BITS: f32 = 18.47;
        const STD_8_BITS: f32 = 73.9;
        let jitter = rng.range(0.75, 1.25);
        let sign = if rng.next_u64() & 1 == 0 { 1.0 } else { -1.0 };
        let mut put = |at: usize, value: f32| block[at..at + 2].copy_from_slice(&f16::from_f32(value).to_le_bytes());
        match self {
            // d · (q - 8)
            Self::Q4_0 => put(0, sign * jitter * std / STD_4_BITS),
            // d · (q - 16)
            Self::Q5_0 => put(0, sign * jitter * std / STD_5_BITS),
            // d · q, signed
            Self::Q8_0 => put(0, sign * jitter * std / STD_8_BITS),
            // d · q + m
            Self::Q4_1 => {
                put(0, sign * jitter * std / STD_4_BITS);
                put(2, -7.5 * sign * jitter * std / STD_4_BITS);
            }
            Self::Q5_1 => {
                put(0, sign * jitter * std / STD_5_BITS);
                put(2, -15.5 * sign * jitter * std / STD_5_BITS);
            }
            // d · scale · q - dmin · min, with eight scales and mins of 6 bits; mins near the scales centre it
            Self::Q4K | Self::Q5K => {
                let (deviation, middle) = if self == Self::Q4K { (STD_4_BITS, 7.5) } else { (STD_5_BITS, 15.5) };
                let d = jitter * std / (deviation * SCALE_RMS);
                put(0, d);
                put(2, d * middle);
                let mut scales = [0; 8];
                let mut mins = [0; 8];
                for (scale, min) in scales.iter_mut().zip(&mut mins) {
                    *scale = 16 + rng.below(48) as u8;
                    *min = (*scale - 2 + rng.below(5) as u8).min(63);
                }
                block[4..16].copy_from_slice(&pack_scales(scales, mins));
            }
            // d · scale · (q - 32), with sixteen signed scales of 8 bits
            Self::Q6K => {
                put(208, jitter * std / (STD_6_BITS * 73.9));
                for scale in &mut block[192..208] {
                    let magnitude = 40 + (*scale & 63) as i8;
                    *scale = (if *scale & 64 == 0 { magnitude } else { -magnitude }) as u8;
                }
            }
            Self::F32 | Self::F16 | Self::Bf16 => {}
        }
    }
}

/// Root mean square of a scale of 16 to 63.
const SCALE_RMS: f32 = 41.9;

/// Packs eight 6-bit scales and mins into the twelve bytes of a Q4_K or Q5_K block: the first four of each in the low
/// six bits of bytes 0–3 and 4–7, the low nibbles of the others in bytes 8–11, their high bits on top of bytes 0–7.
fn pack_scales(scales: [u8; 8], mins: [u8; 8]) -> [u8; 12] {
    let mut out = [0; 12];
    for j in 0..4 {
        out[j] = scales[j] | (scales[j + 4] >> 4) << 6;
        out[j + 4] = mins[j] | (mins[j + 4] >> 4) << 6;
        out[j + 8] = (scales[j + 4] & 15) | (mins[j + 4] & 15) << 4;
    }
    out
}
