//! What is done to rows: every implementation that this processor has gives the definition's bits, and the definition
//! gives what arithmetic in f64 gives, within the rounding of its steps.

use half::f16;
use kernels::{
    activations::BlocksMut,
    ops::RowKernel,
    scalar::Scalar,
    select::{self, sample::Numbers},
};
use proptest::prelude::*;

static DEFINITION: Scalar<true> = Scalar;
const BLOCK: usize = 32;
/// The largest relative error of one rounding.
const EPSILON: f64 = f32::EPSILON as f64 / 2.0;

fn implementations() -> Vec<(&'static str, &'static dyn RowKernel)> {
    let mut all: Vec<(_, &'static dyn RowKernel)> = vec![("definition", &DEFINITION)];
    all.extend(select::available().into_iter().map(|(name, kernels)| (name, kernels.rows())));
    #[cfg(target_arch = "x86_64")]
    {
        use kernels::x86_64::{Avx2, Avx512};
        all.extend(Avx512::new().map(|kernel| ("rows of avx512", &*Box::leak(Box::new(kernel)) as _)));
        all.extend(Avx2::new().map(|kernel| ("rows of avx2", &*Box::leak(Box::new(kernel)) as _)));
    }
    all.retain(|(_, kernel)| kernel.name() != Scalar::<false>.name());
    all
}

/// Lengths around a vector, and a few of the model's.
fn lengths() -> impl Iterator<Item = usize> {
    (1..=67).chain([255, 256, 257, 1536, 2560, 6144])
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

#[derive(Debug, PartialEq)]
struct Quantized {
    q: Vec<i8>,
    scale: Vec<u32>,
    offset32: Vec<i32>,
    offset16: Vec<i32>,
    scaled_sum: Vec<u32>,
}

fn quantized(kernel: &dyn RowKernel, x: &[f32]) -> Quantized {
    let blocks = x.len() / BLOCK;
    // Filled with garbage, so that what is not written shows.
    let (mut q, mut scale, mut scaled_sum) = (vec![77; x.len()], vec![7.0; blocks], vec![7.0; blocks]);
    let (mut offset32, mut offset16) = (vec![7; blocks], vec![7; 2 * blocks]);
    let out = BlocksMut {
        q: &mut q,
        scale: &mut scale,
        offset32: &mut offset32,
        offset16: &mut offset16,
        scaled_sum: &mut scaled_sum,
    };
    kernel.quantize(x, out);
    Quantized { q, scale: bits(&scale), offset32, offset16, scaled_sum: bits(&scaled_sum) }
}

/// Everything but quantizing, on inputs of one length, one result after the other.
fn all(kernel: &dyn RowKernel, a: &[f32], b: &[f32], c: &[f32]) -> Vec<u32> {
    let n = a.len();
    let mut results = vec![kernel.inverse_rms(a, 1e-6)];
    let mut out = vec![f32::NAN; n];
    kernel.scale(a, 0.37, Some(b), &mut out);
    results.extend_from_slice(&out);
    kernel.scale(a, 0.37, None, &mut out);
    results.extend_from_slice(&out);
    kernel.gelu_mul(a, b, &mut out);
    results.extend_from_slice(&out);
    kernel.combine(a, 16.0, b, 0.707, &mut out);
    results.extend_from_slice(&out);
    out.copy_from_slice(c);
    kernel.add_scaled(&mut out, a, 1.7, b, 0.83);
    results.extend_from_slice(&out);
    kernel.softcap(&mut out, 30.0);
    results.extend_from_slice(&out);
    let mut head: Vec<f32> = a.iter().chain(b).copied().collect();
    let (cos, sin): (Vec<f32>, Vec<f32>) = c.iter().map(|angle| (angle.cos(), angle.sin())).unzip();
    kernel.rotate(&mut head, &cos, &sin);
    results.extend_from_slice(&head);
    let mut halves = vec![f16::NAN; n];
    kernel.to_f16(a, &mut halves);
    results.extend(halves.iter().map(|half| half.to_f32()));
    bits(&results)
}

#[test]
fn every_implementation_gives_the_definition_s_bits_at_every_length_and_start() {
    for (name, kernel) in implementations() {
        for n in lengths() {
            let mut numbers = Numbers::new(n as u64);
            // Starts that no vector is aligned to.
            let start = n % 7;
            let mut some = |most| numbers.values(n + start, most);
            let (a, b, c) = (some(6.0), some(2.0), some(9.0));
            let (a, b, c) = (&a[start..], &b[start..], &c[start..]);
            assert_eq!(all(kernel, a, b, c), all(&DEFINITION, a, b, c), "{name}, {n} values");
        }
        for blocks in (1..=35).chain([48, 384]) {
            let x = Numbers::new(blocks as u64).values(blocks * BLOCK + 3, 5.0);
            let x = &x[3..];
            assert_eq!(quantized(kernel, x), quantized(&DEFINITION, x), "{name}, {blocks} blocks");
        }
    }
}

/// No special value makes a NaN of another: products of the largest would be infinite.
const SPECIAL: [f32; 20] = [
    0.0,
    -0.0,
    1e-45,
    -1e-45,
    f32::MIN_POSITIVE,
    1e-37,
    -4e-37,
    1e-20,
    65504.0,
    65520.0,
    -1e5,
    1e10,
    -1e10,
    1e14,
    -1e14,
    87.5,
    -87.5,
    0.5 / 127.0,
    126.5,
    127.0,
];

#[test]
fn extremes_give_the_definition_s_bits() {
    for (name, kernel) in implementations() {
        for shift in 0..SPECIAL.len() {
            let at = |i: usize| SPECIAL[(i * 7 + shift) % SPECIAL.len()];
            let (a, b): (Vec<f32>, Vec<f32>) = (0..80).map(|i| (at(i), at(i + 3))).unzip();
            let c: Vec<f32> = (0..80).map(|i| at(i + 5).clamp(-1e3, 1e3)).collect();
            let expected = all(&DEFINITION, &a, &b, &c);
            assert!(expected.iter().all(|bits| !f32::from_bits(*bits).is_nan()));
            assert_eq!(all(kernel, &a, &b, &c), expected, "{name}, from {shift}");
        }
        for value in SPECIAL.into_iter().chain([f32::MAX, f32::INFINITY, f32::MIN]) {
            // One block of a kind among plain ones, alone in its block and beside others.
            for others in [0.0, value / 3.0] {
                let mut x = Numbers::new(5).values(20 * BLOCK, 1.0);
                x[3 * BLOCK..4 * BLOCK].fill(others);
                x[3 * BLOCK + 9] = value;
                assert_eq!(quantized(kernel, &x), quantized(&DEFINITION, &x), "{name}, {value} beside {others}");
            }
        }
    }
}

#[test]
fn quantizing_is_off_by_half_a_step_and_its_sums_are_exact() {
    for (name, kernel) in implementations() {
        for most in [1e-30f32, 1e-3, 1.0, 500.0, 1e30] {
            let x = Numbers::new(3).values(64 * BLOCK, most);
            let out = quantized(kernel, &x);
            for (block, x) in x.chunks_exact(BLOCK).enumerate() {
                let scale = f64::from(f32::from_bits(out.scale[block]));
                let q = &out.q[block * BLOCK..][..BLOCK];
                for (x, q) in x.iter().zip(q) {
                    // Half a step, and the rounding of the scale, of its inverse and of their products.
                    let bound = scale * (0.5 + 127.0 * 4.0 * EPSILON);
                    assert!((f64::from(*x) - scale * f64::from(*q)).abs() <= bound, "{name}: {x} as {q} of {scale}");
                    assert!((-127..=127).contains(q));
                }
                let sum = |q: &[i8]| q.iter().map(|&q| i32::from(q)).sum::<i32>();
                let halves = [sum(&q[..BLOCK / 2]), sum(&q[BLOCK / 2..])];
                assert_eq!(out.offset16[2 * block..][..2], halves.map(|sum| -32 * sum), "{name}");
                assert_eq!(out.offset32[block], -8 * (halves[0] + halves[1]), "{name}");
                let scaled = f64::from(f32::from_bits(out.scaled_sum[block]));
                let expected = scale * f64::from(halves[0] + halves[1]);
                assert!((scaled - expected).abs() <= EPSILON * expected.abs(), "{name}");
            }
        }
    }
}

#[test]
fn norms_and_turns_are_good_to_the_rounding_of_their_steps() {
    for (name, kernel) in implementations() {
        for n in lengths() {
            let mut numbers = Numbers::new(40 + n as u64);
            let (x, w) = (numbers.values(n, 3.0), numbers.values(n, 2.0));
            let mean = x.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / n as f64;
            let expected = 1.0 / (mean + 1e-6).sqrt();
            let factor = kernel.inverse_rms(&x, 1e-6);
            // All terms are positive: each lane rounds once a step, the tree four times; then four operations.
            let steps = (n.div_ceil(16) + 4 + 4) as f64;
            assert!((f64::from(factor) - expected).abs() <= steps * EPSILON * expected, "{name}, {n} values");

            let mut out = vec![f32::NAN; n];
            kernel.scale(&x, factor, Some(&w), &mut out);
            for ((out, x), w) in out.iter().zip(&x).zip(&w) {
                let expected = f64::from(*x) * f64::from(factor) * f64::from(*w);
                assert!((f64::from(*out) - expected).abs() <= 2.1 * EPSILON * expected.abs(), "{name}, {n} values");
            }
            let angles = numbers.values(n, 3.0);
            let (cos, sin): (Vec<f32>, Vec<f32>) = angles.iter().map(|angle| (angle.cos(), angle.sin())).unzip();
            let mut head: Vec<f32> = x.iter().chain(&w).copied().collect();
            kernel.rotate(&mut head, &cos, &sin);
            for i in 0..n {
                let [a, b, cos, sin] = [x[i], w[i], cos[i], sin[i]].map(f64::from);
                let bound = 2.1 * EPSILON * (a.abs() + b.abs());
                assert!((f64::from(head[i]) - (a * cos - b * sin)).abs() <= bound, "{name}, {n} values");
                assert!((f64::from(head[n + i]) - (b * cos + a * sin)).abs() <= bound, "{name}, {n} values");
            }
        }
    }
}

#[test]
fn gates_and_the_softcap_are_good_to_a_few_roundings() {
    for (name, kernel) in implementations() {
        let mut numbers = Numbers::new(77);
        let (x, up) = (numbers.values(5000, 12.0), numbers.values(5000, 3.0));
        let mut out = vec![f32::NAN; x.len()];
        kernel.gelu_mul(&x, &up, &mut out);
        for ((x, up), out) in x.iter().zip(&up).zip(&out) {
            let [x, up, out] = [*x, *up, *out].map(f64::from);
            let gelu = 0.5 * x * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3))).tanh());
            // x less a part of x: what is lost is relative to x. The exponent's own error is as large as its argument,
            // but where that is large, hardly any of x is taken off, or all of it.
            assert!((out - gelu * up).abs() <= 16.0 * EPSILON * (x * up).abs(), "{name}: gelu({x}) · {up} = {out}");
        }
        let logits = numbers.values(5000, 200.0);
        let mut capped = logits.clone();
        kernel.softcap(&mut capped, 30.0);
        for (x, out) in logits.iter().zip(&capped) {
            let expected = 30.0 * (f64::from(*x) / 30.0).tanh();
            assert!((f64::from(*out) - expected).abs() <= 16.0 * EPSILON * 30.0, "{name}: {x} capped to {out}");
        }
    }
}

proptest! {
    #[test]
    fn any_row_gives_the_definition_s_bits(
        rows in proptest::collection::vec((-1e4f32..1e4, -1e4f32..1e4, -1e2f32..1e2), 1..200),
        exponent in -30i32..12,
    ) {
        let scale = 2f32.powi(exponent);
        let a: Vec<f32> = rows.iter().map(|row| row.0 * scale).collect();
        let b: Vec<f32> = rows.iter().map(|row| row.1 * scale).collect();
        let c: Vec<f32> = rows.iter().map(|row| row.2).collect();
        let whole = &a[..a.len() / BLOCK * BLOCK];
        for (name, kernel) in implementations() {
            prop_assert_eq!(all(kernel, &a, &b, &c), all(&DEFINITION, &a, &b, &c), "{}", name);
            prop_assert_eq!(quantized(kernel, whole), quantized(&DEFINITION, whole), "{}", name);
        }
    }
}
