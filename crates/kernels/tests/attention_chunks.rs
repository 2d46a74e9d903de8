//! Attention over a layer: what a row gets does not depend on how many rows are computed together, on the number of
//! threads or on the instruction set, and it is the attention of the formula.

use half::f16;
use kernels::{
    Activations, Attend, AttentionScratch, Compute, Kernels, KvLayer, Needs, Pool,
    scalar::Scalar,
    select::{self, sample::Numbers},
};
use proptest::prelude::*;

/// A layer's inputs: queries `(positions, heads, d)`, keys and values `(positions, kv_heads, d)`.
struct Case {
    heads: usize,
    kv_heads: usize,
    d: usize,
    window: Option<usize>,
    positions: usize,
    q: Vec<f32>,
    k: Vec<f32>,
    v: Vec<f32>,
}

impl Case {
    fn new(heads: usize, kv_heads: usize, d: usize, window: Option<usize>, positions: usize) -> Self {
        let mut numbers = Numbers::new((heads * 31 + kv_heads * 7 + d + positions) as u64);
        let mut some = |heads: usize, most: f32| numbers.values(positions * heads * d, most);
        let scale = 6.0 / (d as f32).sqrt();
        let (q, k, v) = (some(heads, scale), some(kv_heads, 1.0), some(kv_heads, 2.0));
        Self { heads, kv_heads, d, window, positions, q, k, v }
    }

    /// Feeds the positions in chunks of these sizes, one after the other and over again; the results as bits of
    /// `(positions, heads · d)`. The layer has just the room that a window and the largest chunk need.
    fn feed(&self, compute: &Compute, chunks: &[usize]) -> Vec<u32> {
        let largest = chunks.iter().copied().max().expect("a chunk");
        let seen = self.window.map_or(self.positions, |window| (window - 1 + largest).min(self.positions));
        let mut layer = KvLayer::new(self.kv_heads, self.d, seen);
        let mut scratch = AttentionScratch::default();
        let needs = Needs { quantized: true, exact: true };
        let mut out = Activations::new(needs);
        let (mut results, mut first) = (Vec::new(), 0);
        for chunk in chunks.iter().copied().cycle() {
            let end = self.positions.min(first + chunk);
            let some = |values: &'_ [f32], heads: usize| values[first * heads * self.d..end * heads * self.d].to_vec();
            compute.store(&mut layer, first, &some(&self.k, self.kv_heads), &some(&self.v, self.kv_heads));
            let q = some(&self.q, self.heads);
            let attend = Attend { q: &q, heads: self.heads, first, window: self.window };
            compute.attend(&attend, &layer, &mut scratch, &mut out);
            results.extend(out.view().exact.iter().map(|value| value.to_bits()));
            first = end;
            if first == self.positions {
                return results;
            }
        }
        unreachable!("chunks are repeated")
    }

    /// The formula in f64, from keys and values as f16 holds them; with each value how large its terms are.
    fn formula(&self, position: usize, head: usize) -> Vec<(f64, f64)> {
        let d = self.d;
        let kv_head = head / (self.heads / self.kv_heads);
        let row = |values: &[f32], position: usize| -> Vec<f64> {
            let at = (position * self.kv_heads + kv_head) * d;
            values[at..at + d].iter().map(|value| f16::from_f32(*value).to_f64()).collect()
        };
        let q = &self.q[(position * self.heads + head) * d..][..d];
        let first = self.window.map_or(0, |window| (position + 1).saturating_sub(window));
        let scores: Vec<f64> = (first..=position)
            .map(|key| row(&self.k, key).iter().zip(q).map(|(k, q)| k * f64::from(*q)).sum())
            .collect();
        let max = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let weights: Vec<f64> = scores.iter().map(|score| (score - max).exp()).collect();
        let sum: f64 = weights.iter().sum();
        let mut out = vec![(0.0, 0.0); d];
        for (key, weight) in (first..=position).zip(&weights) {
            for (out, v) in out.iter_mut().zip(row(&self.v, key)) {
                out.0 += weight / sum * v;
                out.1 += (weight / sum * v).abs();
            }
        }
        out
    }
}

fn computes() -> Vec<(String, Compute)> {
    let mut all: Vec<(String, Kernels)> =
        select::available().into_iter().map(|(name, kernels)| (name.to_owned(), kernels)).collect();
    all.retain(|(_, kernels)| kernels.attention().name() != kernels::ops::AttentionKernel::name(&Scalar::<false>));
    all.push(("detected".to_owned(), Kernels::detect()));
    let threads = [1, 2, 4, 7];
    all.into_iter()
        .flat_map(|(name, kernels)| threads.map(|n| (format!("{name} on {n}"), Compute::new(Pool::new(n), kernels))))
        .collect()
}

/// The best kernels on one thread, and on several.
fn detected() -> [Compute; 2] {
    [1, 4].map(|threads| Compute::new(Pool::new(threads), Kernels::detect()))
}

#[test]
fn every_chunking_thread_count_and_instruction_set_gives_the_same_bits() {
    let definition = Compute::new(Pool::new(1), Kernels::scalar());
    let computes = computes();
    for (heads, kv_heads, d, window, positions) in [
        (8, 1, 32, None, 200),
        (8, 2, 16, Some(70), 300),
        (4, 4, 16, Some(64), 150),
        (2, 2, 48, None, 130),
        (8, 4, 64, Some(1), 70),
        (2, 1, 80, Some(100), 290),
    ] {
        let case = Case::new(heads, kv_heads, d, window, positions);
        let expected = case.feed(&definition, &[1]);
        for (name, compute) in &computes {
            for chunks in [[1, 1, 1], [positions; 3], [2, 3, 5], [1, 40, 17], [64, 1, 128]] {
                let got = case.feed(compute, &chunks);
                assert!(got == expected, "{name}: {heads}/{kv_heads} heads of {d}, {window:?}, chunks {chunks:?}");
            }
        }
    }
}

#[test]
fn the_model_s_heads_give_the_same_bits_one_by_one_and_in_chunks() {
    let [one, four] = detected();
    for (kv_heads, d, window) in [(1, 256, Some(512)), (2, 256, Some(512)), (1, 512, None), (2, 512, None)] {
        let case = Case::new(8, kv_heads, d, window, 1100);
        let expected = case.feed(&one, &[1]);
        for chunks in [&[512][..], &[500, 1, 7, 30, 1], &[33, 90]] {
            assert!(case.feed(&four, chunks) == expected, "{kv_heads} heads of {d}, chunks {chunks:?}");
        }
        assert!(case.feed(&four, &[1]) == expected, "{kv_heads} heads of {d}, several threads");
        assert!(case.feed(&one, &[512, 4]) == expected, "{kv_heads} heads of {d}, one thread");
    }
}

#[test]
fn many_waiting_parts_are_merged_in_turns() {
    // 16 rows of 8 heads of 256 are 32 Ki values for each block: more blocks than wait at once.
    let [one, four] = detected();
    let case = Case::new(8, 1, 256, None, 70 * 64);
    let tail = case.positions - 16;
    let mut layer = KvLayer::new(1, 256, case.positions);
    one.store(&mut layer, 0, &case.k, &case.v);
    let results = [(&one, 16), (&one, 1), (&four, 16), (&four, 5), (&four, 1)].map(|(compute, rows)| {
        let mut bits = Vec::new();
        let mut out = Activations::new(Needs { quantized: false, exact: true });
        for first in (tail..case.positions).step_by(rows) {
            let end = case.positions.min(first + rows);
            let q = &case.q[first * 2048..end * 2048];
            let attend = Attend { q, heads: 8, first, window: None };
            compute.attend(&attend, &layer, &mut AttentionScratch::default(), &mut out);
            bits.extend(out.view().exact.iter().map(|value| value.to_bits()));
        }
        bits
    });
    for (index, result) in results.iter().enumerate() {
        assert!(*result == results[0], "result {index}");
    }
}

#[test]
fn the_result_is_the_formula_s() {
    for (heads, kv_heads, d, window, positions) in
        [(8, 1, 256, Some(100), 260), (8, 2, 512, None, 150), (4, 4, 16, None, 200), (2, 1, 64, Some(64), 200)]
    {
        let case = Case::new(heads, kv_heads, d, window, positions);
        let [_, compute] = detected();
        let got = case.feed(&compute, &[37]);
        // Scores stay below 36 · √d of size: a chain of d roundings of terms whose sizes add up to less than 6 · √d; as
        // much again for the sums over some hundred weights.
        let epsilon = f64::from(f32::EPSILON) / 2.0;
        let score_bound = d as f64 * epsilon * 6.0 * (d as f64).sqrt();
        let relative = 2.0 * (score_bound + (100 + positions) as f64 * epsilon);
        for position in (0..positions).step_by(7) {
            for head in 0..heads {
                let at = (position * heads + head) * d;
                for (got, (expected, size)) in got[at..at + d].iter().zip(case.formula(position, head)) {
                    let got = f64::from(f32::from_bits(*got));
                    assert!((got - expected).abs() <= relative * size, "{d}: {got} {expected} at {position}, {head}");
                }
            }
        }
    }
}

#[test]
fn quantized_and_exact_results_belong_together() {
    let [one, four] = detected();
    for (heads, kv_heads, d) in [(8, 1, 256), (4, 2, 16), (6, 1, 48)] {
        let case = Case::new(heads, kv_heads, d, None, 90);
        for compute in [&one, &four] {
            let mut layer = KvLayer::new(kv_heads, d, 90);
            compute.store(&mut layer, 0, &case.k, &case.v);
            let mut out = Activations::new(Needs { quantized: true, exact: true });
            let mut again = Activations::new(Needs { quantized: true, exact: false });
            for first in [0, 89] {
                let q = &case.q[first * heads * d..];
                let attend = Attend { q, heads, first, window: None };
                compute.attend(&attend, &layer, &mut AttentionScratch::default(), &mut out);
                compute.quantize(out.view().exact, heads * d, &mut again);
                assert_eq!(out.view().q, again.view().q, "{heads} heads of {d} from {first}");
                assert_eq!(out.view().scale, again.view().scale);
                assert_eq!(out.view().offset16, again.view().offset16);
            }
        }
    }
}

#[test]
fn a_chunk_as_long_as_the_layer_is_stored_whole() {
    let [_, four] = detected();
    for first in [0, 8, 70, 127] {
        let mut numbers = Numbers::new(first as u64);
        let (k, v) = (numbers.values(128 * 2 * 16, 1.0), numbers.values(128 * 2 * 16, 1.0));
        let mut layer = KvLayer::new(2, 16, 128);
        four.store(&mut layer, first, &k, &v);
        for (row, (k, v)) in k.chunks_exact(32).zip(v.chunks_exact(32)).enumerate() {
            for head in 0..2 {
                let (mut k16, mut v16) = ([f16::NAN; 16], [f16::NAN; 16]);
                layer.load(first + row, head, &mut k16, &mut v16);
                let half =
                    |values: &[f32]| values[head * 16..][..16].iter().map(|x| f16::from_f32(*x)).collect::<Vec<_>>();
                assert_eq!((k16.to_vec(), v16.to_vec()), (half(k), half(v)), "row {row} from {first}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_shape_gives_the_same_bits_in_any_chunks(
        group in 1usize..9,
        kv_heads in prop_oneof![Just(1usize), Just(2), Just(4)],
        vectors in 1usize..5,
        window in prop_oneof![Just(None), (1usize..150).prop_map(Some)],
        positions in 1usize..260,
        chunks in proptest::collection::vec(1usize..90, 1..5),
    ) {
        // Rows of activations are whole blocks of 32.
        let d = if (group * kv_heads * vectors).is_multiple_of(2) { 16 * vectors } else { 32 * vectors };
        let case = Case::new(group * kv_heads, kv_heads, d, window, positions);
        let definition = Compute::new(Pool::new(1), Kernels::scalar());
        let expected = case.feed(&definition, &[positions]);
        for compute in detected() {
            prop_assert!(case.feed(&compute, &chunks) == expected);
            prop_assert!(case.feed(&compute, &[1]) == expected);
        }
    }
}
