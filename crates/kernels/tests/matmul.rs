//! Products with packed weights: every implementation that this processor has gives the definition's bits, whatever the
//! number of rows, and the definition gives what arithmetic in f64 gives, within the rounding of its steps.
#![expect(unsafe_code, reason = "a product writes through a pointer")]

use kernels::{
    Format,
    activations::{ActivationRows, BlocksMut},
    ops::{MatmulKernel, Out, RowKernel, Strips},
    pack,
    scalar::Scalar,
    select::{
        self,
        sample::{self, Numbers},
    },
};
use proptest::prelude::*;

static DEFINITION: Scalar<true> = Scalar;
const BLOCK: usize = 32;
const STRIP: usize = 16;
/// The largest relative error of one rounding.
const EPSILON: f64 = f32::EPSILON as f64 / 2.0;

/// All that this processor has, but for the definition itself and plain loops that round twice.
fn implementations() -> Vec<&'static dyn MatmulKernel> {
    let plain = [MatmulKernel::name(&DEFINITION), MatmulKernel::name(&Scalar::<false>)];
    let all = select::available().into_iter().map(|(_, kernels)| kernels.matmul(Format::Q4_0));
    all.filter(|kernel| !plain.contains(&kernel.name())).collect()
}

/// Rows of activations in both forms.
struct Rows {
    width: usize,
    exact: Vec<f32>,
    q: Vec<i8>,
    scale: Vec<f32>,
    offset32: Vec<i32>,
    offset16: Vec<i32>,
    scaled_sum: Vec<f32>,
}

impl Rows {
    fn new(width: usize, exact: Vec<f32>) -> Self {
        let blocks = exact.len() / BLOCK;
        let mut rows = Self {
            width,
            q: vec![0; exact.len()],
            scale: vec![0.0; blocks],
            offset32: vec![0; blocks],
            offset16: vec![0; 2 * blocks],
            scaled_sum: vec![0.0; blocks],
            exact,
        };
        let out = BlocksMut {
            q: &mut rows.q,
            scale: &mut rows.scale,
            offset32: &mut rows.offset32,
            offset16: &mut rows.offset16,
            scaled_sum: &mut rows.scaled_sum,
        };
        DEFINITION.quantize(&rows.exact, out);
        rows
    }

    fn random(n: usize, width: usize, seed: u64) -> Self {
        Self::new(width, Numbers::new(seed).values(n * width, 3.0))
    }

    /// `n` rows from `first` on.
    fn some(&self, first: usize, n: usize) -> ActivationRows<'_> {
        let values = first * self.width..(first + n) * self.width;
        let blocks = values.start / BLOCK..values.end / BLOCK;
        ActivationRows {
            rows: n,
            width: self.width,
            q: &self.q[values.clone()],
            scale: &self.scale[blocks.clone()],
            offset32: &self.offset32[blocks.clone()],
            offset16: &self.offset16[2 * blocks.start..2 * blocks.end],
            scaled_sum: &self.scaled_sum[blocks],
            exact: &self.exact[values],
        }
    }

    fn len(&self) -> usize {
        self.exact.len() / self.width
    }
}

/// The product with `n_strips` strips, as bits; what lies between the rows must stay as it was.
fn product(
    kernel: &dyn MatmulKernel,
    format: Format,
    bytes: &[u8],
    x: &ActivationRows<'_>,
    between: usize,
) -> Vec<Vec<u32>> {
    let strips = Strips { format, width: x.width, bytes };
    let stride = strips.count() * STRIP + between;
    let garbage = f32::from_bits(0x7fc0_1234);
    let mut out = vec![garbage; x.rows * stride];
    // SAFETY: the buffer holds all rows and strips, and is nobody else's.
    unsafe { kernel.product(&strips, x, Out::new(&mut out, stride)) };
    let rows = out.chunks_exact(stride).map(|row| row.iter().map(|value| value.to_bits()).collect::<Vec<_>>());
    rows.map(|mut row| {
        let rest = row.split_off(stride - between);
        assert!(rest.iter().all(|&bits| bits == garbage.to_bits()), "written between the rows");
        row
    })
    .collect()
}

/// Compares every implementation with the definition, for all of `rows` and for each of `counts` of them.
fn check(format: Format, bytes: &[u8], rows: &Rows, counts: &[usize], between: usize) {
    let expected = product(&DEFINITION, format, bytes, &rows.some(0, rows.len()), between);
    for kernel in implementations() {
        for &count in counts {
            // Rows from the end too, so that no row has always the same place.
            for first in [0, rows.len() - count] {
                let got = product(kernel, format, bytes, &rows.some(first, count), between);
                let what = || format!("{} {format:?}: {count} rows from {first}, width {}", kernel.name(), rows.width);
                assert!(got == expected[first..first + count], "{}", what());
            }
        }
    }
}

/// A width of at least `least` that fits the format.
fn width(format: Format, least: usize) -> usize {
    least.next_multiple_of(format.tile_width().max(BLOCK))
}

#[test]
fn every_number_of_rows_and_strips_agrees() {
    for format in Format::ALL {
        for n_strips in 1..=5 {
            let width = width(format, 96);
            let bytes = sample::weights(format, n_strips * STRIP, width, n_strips as u64);
            let rows = Rows::random(65, width, 17);
            let counts: Vec<_> = (1..=20).chain([63, 64, 65]).collect();
            check(format, &bytes, &rows, &counts, 3 * n_strips);
        }
    }
}

#[test]
fn every_width_agrees() {
    for format in Format::ALL {
        for least in [32, 64, 160, 512, 1536, 3072, 3104, 6400] {
            let width = width(format, least);
            let bytes = sample::weights(format, 2 * STRIP, width, least as u64);
            let rows = Rows::random(17, width, 23);
            check(format, &bytes, &rows, &[1, 4, 8, 9, 17], 0);
        }
    }
}

#[test]
fn a_long_chunk_agrees() {
    for format in Format::ALL {
        let width = width(format, 64);
        let bytes = sample::weights(format, 3 * STRIP, width, 5);
        check(format, &bytes, &Rows::random(200, width, 29), &[100, 128, 200], 16);
    }
}

#[test]
fn weights_need_not_be_aligned() {
    for format in Format::ALL {
        let width = width(format, 96);
        let bytes = sample::weights(format, 2 * STRIP, width, 31);
        let rows = Rows::random(12, width, 37);
        for shift in [1, 2, 31, 63] {
            let mut shifted = vec![0; shift];
            shifted.extend_from_slice(&bytes);
            check(format, &shifted[shift..], &rows, &[1, 5, 12], 0);
        }
    }
}

#[test]
fn extreme_values_agree() {
    let extremes: [fn(usize, &mut Numbers) -> f32; 6] = [
        |_, _| 5.0,
        |_, _| -5.0,
        |k, _| if k.is_multiple_of(2) { 5.0 } else { -5.0 },
        |_, _| 0.0,
        |_, numbers| if numbers.bits().is_multiple_of(2) { 1e-37 } else { -2e-37 },
        |_, numbers| if numbers.bits().is_multiple_of(2) { 1e15 } else { -1e15 },
    ];
    for format in Format::ALL {
        let width = width(format, 64);
        let random = sample::weights(format, 2 * STRIP, width, 41);
        let leading = match format {
            Format::F32 | Format::F16 | Format::BF16 => 0,
            Format::Q4_1 | Format::Q5_1 | Format::Q4K | Format::Q5K => 64,
            _ => 32,
        };
        let mut all = vec![random.clone()];
        if leading > 0 {
            // The largest, smallest, least (subnormal) and no scale, each with all stored integers at both ends.
            for scale in [0x7bff_u16, 0xfbff, 0x0001, 0x8001, 0x03ff, 0x0000] {
                for stored in [0x00, 0xff, 0x80, 0x7f] {
                    let mut bytes = vec![stored; random.len()];
                    for tile in bytes.chunks_exact_mut(format.tile_bytes()) {
                        tile[..leading].chunks_exact_mut(2).for_each(|at| at.copy_from_slice(&scale.to_le_bytes()));
                    }
                    all.push(bytes);
                }
            }
        }
        for bytes in all {
            for value in extremes {
                let mut numbers = Numbers::new(43);
                let values = (0..13 * width).map(|k| value(k, &mut numbers)).collect();
                check(format, &bytes, &Rows::new(width, values), &[1, 2, 8, 13], 0);
            }
        }
    }
}

/// One row of weights of a GGUF file, and what it stands for.
fn source(format: Format, width: usize, seed: u64) -> (Vec<u8>, Vec<f64>) {
    let mut numbers = Numbers::new(seed);
    let (columns, size) = format.source_block();
    let mut bytes: Vec<u8> = (0..width / columns * size).map(|_| numbers.bits() as u8).collect();
    let mut values = Vec::new();
    for block in bytes.chunks_exact_mut(size) {
        let mut half = |at: &mut [u8]| {
            let value = half::f16::from_f32(numbers.value(0.1));
            at.copy_from_slice(&value.to_le_bytes());
            value.to_f64()
        };
        let nibble = |bytes: &[u8], k: usize| i32::from(bytes[k % 16] >> (k / 16 * 4) & 15);
        let fifth = |bits: &[u8], k: usize| i32::from(bits[k / 8] >> (k % 8) & 1) << 4;
        match format {
            Format::F32 => {
                let value = numbers.value(1.0);
                block.copy_from_slice(&value.to_le_bytes());
                values.push(f64::from(value));
            }
            Format::F16 => values.push(half(block)),
            Format::BF16 => {
                let value = half::bf16::from_f32(numbers.value(1.0));
                block.copy_from_slice(&value.to_le_bytes());
                values.push(value.to_f64());
            }
            Format::Q4_0 => {
                let d = half(&mut block[..2]);
                values.extend((0..32).map(|k| d * f64::from(nibble(&block[2..], k) - 8)));
            }
            Format::Q4_1 => {
                let (d, m) = (half(&mut block[..2]), half(&mut block[2..4]));
                values.extend((0..32).map(|k| d * f64::from(nibble(&block[4..], k)) + m));
            }
            Format::Q5_0 => {
                let d = half(&mut block[..2]);
                values.extend((0..32).map(|k| d * f64::from((nibble(&block[6..], k) | fifth(&block[2..6], k)) - 16)));
            }
            Format::Q5_1 => {
                let (d, m) = (half(&mut block[..2]), half(&mut block[2..4]));
                values.extend((0..32).map(|k| d * f64::from(nibble(&block[8..], k) | fifth(&block[4..8], k)) + m));
            }
            Format::Q8_0 => {
                let d = half(&mut block[..2]);
                values.extend((0..32).map(|k| d * f64::from(block[2 + k].cast_signed())));
            }
            Format::Q4K | Format::Q5K => {
                let (d, m) = (half(&mut block[..2]), half(&mut block[2..4]));
                let (scales, rest) = block[4..].split_at(12);
                let six = |b: usize| {
                    if b < 4 {
                        (scales[b] & 63, scales[b + 4] & 63)
                    } else {
                        let (low, high) = (scales[b + 4], (scales[b - 4] >> 6, scales[b] >> 6));
                        ((low & 15) | high.0 << 4, low >> 4 | high.1 << 4)
                    }
                };
                let (bits, nibbles) = rest.split_at(if format == Format::Q5K { 32 } else { 0 });
                values.extend((0..256).map(|k| {
                    let (b, j) = (k / 32, k % 32);
                    let low = nibbles[32 * (b / 2) + j] >> (4 * (b % 2)) & 15;
                    let high = bits.get(j).map_or(0, |bits| bits >> b & 1);
                    let (scale, minimum) = six(b);
                    d * f64::from(scale) * f64::from(low | high << 4) - m * f64::from(minimum)
                }));
            }
            Format::Q6K => {
                let d = half(&mut block[208..]);
                values.extend((0..256).map(|k| {
                    let (part, quarter, j) = (k / 128, k % 128 / 32, k % 32);
                    let low = block[64 * part + 32 * (quarter % 2) + j] >> (4 * (quarter / 2)) & 15;
                    let high = block[128 + 32 * part + j] >> (2 * quarter) & 3;
                    let scale = block[192 + k / 16].cast_signed();
                    d * f64::from(scale) * f64::from(i32::from(low | high << 4) - 32)
                }));
            }
        }
    }
    (bytes, values)
}

#[test]
fn products_follow_arithmetic_in_f64() {
    for format in Format::ALL {
        let width = width(format, 512);
        let n_rows = 2 * STRIP;
        let (sources, decoded): (Vec<_>, Vec<_>) =
            (0..n_rows as u64).map(|row| source(format, width, 47 + row)).unzip();
        let mut bytes = vec![0; format.packed_bytes(n_rows, width)];
        pack::pack(format, &sources.concat(), n_rows, width, 0..2, &mut bytes);
        let rows = Rows::random(11, width, 53);
        let got = product(&DEFINITION, format, &bytes, &rows.some(0, 11), 0);
        let mut all = implementations();
        all.push(&DEFINITION);
        for kernel in all {
            assert_eq!(product(kernel, format, &bytes, &rows.some(0, 11), 0), got, "{} {format:?}", kernel.name());
        }
        for (row, got) in got.iter().enumerate() {
            let x: Vec<f64> = (row * width..(row + 1) * width)
                .map(|at| match format.is_float() {
                    true => f64::from(rows.exact[at]),
                    false => f64::from(rows.q[at]) * f64::from(rows.scale[at / BLOCK]),
                })
                .collect();
            for (lane, weights) in decoded.iter().enumerate() {
                let expected: f64 = weights.iter().zip(&x).map(|(w, x)| w * x).sum();
                let magnitude: f64 = weights.iter().zip(&x).map(|(w, x)| (w * x).abs()).sum();
                // Minima make terms larger than the weight that is left of them.
                let extra =
                    if matches!(format, Format::Q4_1 | Format::Q5_1 | Format::Q4K | Format::Q5K) { 8.0 } else { 1.0 };
                let steps = if format.is_float() { width / 2 + 1 } else { 4 * (width / BLOCK) };
                let bound = (steps + 4) as f64 * EPSILON * magnitude * extra;
                let value = f64::from(f32::from_bits(got[lane]));
                assert!((value - expected).abs() <= bound, "{format:?} row {row}: {value} {expected} ± {bound}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_shape_agrees(
        format in (0..Format::COUNT).prop_map(|index| Format::ALL[index]),
        n_strips in 1usize..6,
        least in 1usize..700,
        n in 1usize..80,
        between in 0usize..40,
        seed in any::<u64>(),
    ) {
        let width = width(format, least);
        let bytes = sample::weights(format, n_strips * STRIP, width, seed);
        check(format, &bytes, &Rows::random(n, width, seed ^ 1), &[n, n.div_ceil(2)], between);
    }
}
