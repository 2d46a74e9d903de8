//! Q4_K and Q5_K rows as f32. candle's own conversion allocates for each call, which decoding does for every token.

use half::f16;

/// Values of a block.
const VALUES: usize = 256;

/// Whole blocks of Q4_K, of 144 bytes, as values.
pub(super) fn q4k_into(blocks: &[u8], out: &mut [f32]) {
    blocks_into::<144>(blocks, out);
}

/// Whole blocks of Q5_K, of 176 bytes, as values.
pub(super) fn q5k_into(blocks: &[u8], out: &mut [f32]) {
    blocks_into::<176>(blocks, out);
}

/// A block: scale and minimum in f16, six-bit scales and minima of eight parts in 12 bytes, in Q5_K 32 bytes with the
/// fifth bits, and 128 bytes with the others, a nibble each. Part `2·i` has the low nibbles of 32 bytes, part `2·i + 1` the
/// high ones.
fn blocks_into<const SIZE: usize>(blocks: &[u8], out: &mut [f32]) {
    let high_at = 16;
    let low_at = SIZE - VALUES / 2;
    for (block, out) in blocks.as_chunks::<SIZE>().0.iter().zip(out.as_chunks_mut::<VALUES>().0) {
        let half = |at: usize| f16::from_le_bytes([block[at], block[at + 1]]).to_f32();
        let (d, dmin) = (half(0), half(2));
        for (part, out) in out.as_chunks_mut::<32>().0.iter_mut().enumerate() {
            let (scale, minimum) = scale_and_minimum(&block[4..16], part);
            let (scale, minimum) = (d * f32::from(scale), dmin * f32::from(minimum));
            let low = &block[low_at + part / 2 * 32..][..32];
            for (i, (out, low)) in out.iter_mut().zip(low).enumerate() {
                let low = low >> (part % 2 * 4) & 15;
                let high = if SIZE == 176 { (block[high_at + i] >> part & 1) << 4 } else { 0 };
                *out = scale * f32::from(low | high) - minimum;
            }
        }
    }
}

/// Six bits each. Of the first four parts they stand in the low bits of a byte of their own; of the others the low four
/// share a byte, and the top two are the top bits of the first parts' bytes.
fn scale_and_minimum(packed: &[u8], part: usize) -> (u8, u8) {
    if part < 4 {
        return (packed[part] & 63, packed[part + 4] & 63);
    }
    let (low, scale_top, minimum_top) = (packed[part + 4], packed[part - 4] >> 6, packed[part] >> 6);
    (low & 15 | scale_top << 4, low >> 4 | minimum_top << 4)
}

#[cfg(test)]
mod tests {
    use candle_core::{
        Device,
        quantized::{GgmlDType, QStorage, QTensor},
    };

    use super::*;

    #[test]
    fn values_are_candles() {
        type Into = fn(&[u8], &mut [f32]);
        for (dtype, size, into) in [(GgmlDType::Q4K, 144, q4k_into as Into), (GgmlDType::Q5K, 176, q5k_into)] {
            let mut state = 7u32;
            let mut bytes: Vec<u8> = std::iter::repeat_with(|| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            })
            .take(20 * size)
            .collect();
            for block in bytes.chunks_exact_mut(size) {
                // Scale and minimum must be numbers.
                (block[1], block[3]) = (block[1] & 0x3f, block[3] & 0x3f);
            }
            let storage = QStorage::from_data(bytes.clone().into(), &Device::Cpu, dtype).unwrap();
            let tensor = QTensor::new(storage, 20 * VALUES).unwrap().dequantize(&Device::Cpu).unwrap();
            let expected: Vec<f32> = tensor.to_vec1().unwrap();
            let mut got = vec![0.0; expected.len()];
            into(&bytes, &mut got);
            assert_eq!(got, expected, "{dtype:?}");
        }
    }
}
