//! Attention over one block of keys: every implementation that this processor has gives the definition's bits, and the
//! definition gives what arithmetic in f64 gives, within the rounding of its steps.

use half::f16;
use kernels::{
    ops::{AttentionKernel, Gathered, KEY_BLOCK, KEY_TILE, KeyBlock},
    scalar::Scalar,
    select::{self, sample::Numbers},
};
use proptest::prelude::*;

static DEFINITION: Scalar<true> = Scalar;
/// The largest relative error of one rounding.
const EPSILON: f64 = f32::EPSILON as f64 / 2.0;
const HEAD_DIMS: [usize; 9] = [16, 32, 48, 64, 80, 128, 144, 256, 512];

fn implementations() -> Vec<(&'static str, &'static dyn AttentionKernel)> {
    let mut all: Vec<(_, &'static dyn AttentionKernel)> = vec![("definition", &DEFINITION)];
    all.extend(select::available().into_iter().map(|(name, kernels)| (name, kernels.attention())));
    #[cfg(target_arch = "x86_64")]
    {
        use kernels::x86_64::{Avx2, Avx512};
        all.extend(Avx512::new().map(|kernel| ("attention of avx512", &*Box::leak(Box::new(kernel)) as _)));
        all.extend(Avx2::new().map(|kernel| ("attention of avx2", &*Box::leak(Box::new(kernel)) as _)));
    }
    all.retain(|(_, kernel)| kernel.name() != AttentionKernel::name(&Scalar::<false>));
    all
}

/// One block of keys, and queries.
struct Case {
    d: usize,
    k: Vec<f16>,
    v: Vec<f16>,
    q: Vec<f32>,
    visible: Vec<(u8, u8)>,
}

impl Case {
    /// Scores of up to about `most` each way.
    fn new(d: usize, visible: Vec<(u8, u8)>, most: f32, seed: u64) -> Self {
        let mut numbers = Numbers::new(seed);
        let mut halves =
            |most| -> Vec<f16> { numbers.values(KEY_BLOCK * d, most).into_iter().map(f16::from_f32).collect() };
        let (k, v) = (halves(1.0), halves(2.0));
        // Three standard deviations of a sum of `d` products of two uniform numbers.
        let q = numbers.values(visible.len() * d, most / (d as f32).sqrt());
        Self { d, k, v, q, visible }
    }

    fn run(&self, kernel: &dyn AttentionKernel) -> Found {
        let n = self.visible.len();
        // Filled with garbage, so that what is not written shows.
        let mut found = Found { max: vec![f32::NAN; n], sum: vec![f32::NAN; n], acc: vec![f32::NAN; n * self.d] };
        let block = KeyBlock { head_dim: self.d, k: &self.k, v: &self.v, q: &self.q, visible: &self.visible };
        kernel.block(&block, Gathered { max: &mut found.max, sum: &mut found.sum, acc: &mut found.acc });
        found
    }

    fn key(&self, key: usize, i: usize) -> f64 {
        self.k[(key / KEY_TILE * self.d + i) * KEY_TILE + key % KEY_TILE].to_f64()
    }
}

#[derive(Debug, Clone, PartialEq)]
struct Found {
    max: Vec<f32>,
    sum: Vec<f32>,
    acc: Vec<f32>,
}

impl Found {
    fn bits(&self) -> Vec<u32> {
        let all = self.max.iter().chain(&self.sum).chain(&self.acc);
        // Which of two zeros is the larger is nobody's business.
        all.map(|value| if *value == 0.0 { 0 } else { value.to_bits() }).collect()
    }

    /// Merges `from`'s into this one's, query by query.
    fn merge(&mut self, kernel: &dyn AttentionKernel, from: &Self) {
        let d = self.acc.len() / self.max.len();
        for query in 0..self.max.len() {
            let at = query * d..(query + 1) * d;
            let to = Gathered {
                max: &mut self.max[query..=query],
                sum: &mut self.sum[query..=query],
                acc: &mut self.acc[at.clone()],
            };
            kernel.merge(to, (from.max[query], from.sum[query], &from.acc[at]));
        }
    }
}

/// Queries that see everything, nothing, one key, and parts that begin and end anywhere.
fn ranges(n: usize, seed: u64) -> Vec<(u8, u8)> {
    let mut numbers = Numbers::new(seed);
    let mut below = |n: u64| (numbers.bits() % n) as u8;
    (0..n)
        .map(|_| match below(6) {
            0 | 1 => (0, KEY_BLOCK as u8),
            2 => (0, 1 + below(KEY_BLOCK as u64)),
            3 => (below(KEY_BLOCK as u64), KEY_BLOCK as u8),
            4 => {
                let key = below(KEY_BLOCK as u64);
                (key, key + below(2))
            }
            _ => {
                let (a, b) = (below(65), below(65));
                (a.min(b), a.max(b))
            }
        })
        .collect()
}

#[test]
fn every_implementation_gives_the_definition_s_bits_for_any_number_of_queries() {
    for (name, kernel) in implementations() {
        for d in HEAD_DIMS {
            let counts: Vec<usize> = if d < 100 { (0..=50).collect() } else { vec![1, 2, 3, 5, 8, 15, 24, 31, 48] };
            for n in counts {
                let seed = (n * 1000 + d) as u64;
                let case = Case::new(d, ranges(n, seed), 10.0, seed);
                assert_eq!(case.run(kernel).bits(), case.run(&DEFINITION).bits(), "{name}, {n} queries of {d}");
            }
        }
    }
}

#[test]
fn what_a_query_gathers_depends_on_no_other() {
    for (name, kernel) in implementations() {
        let case = Case::new(64, ranges(40, 9), 10.0, 9);
        let together = case.run(kernel);
        for (query, seen) in case.visible.iter().enumerate() {
            let q = case.q[query * 64..][..64].to_vec();
            let alone = Case { d: 64, k: case.k.clone(), v: case.v.clone(), q, visible: vec![*seen] }.run(kernel);
            let same = Found {
                max: vec![together.max[query]],
                sum: vec![together.sum[query]],
                acc: together.acc[query * 64..][..64].to_vec(),
            };
            assert_eq!(alone.bits(), same.bits(), "{name}, query {query}");
        }
    }
}

#[test]
fn merging_gives_the_definition_s_bits() {
    for (name, kernel) in implementations() {
        for d in HEAD_DIMS {
            for most in [1.0, 30.0, 300.0] {
                let blocks =
                    [1, 2, 3].map(|seed| Case::new(d, ranges(12, seed + d as u64), most, seed).run(&DEFINITION));
                let merged = |kernel: &dyn AttentionKernel| {
                    let n = blocks[0].max.len();
                    let nothing = vec![0.0; n * d];
                    let mut to = Found { max: vec![f32::NEG_INFINITY; n], sum: vec![0.0; n], acc: nothing };
                    blocks.iter().for_each(|block| to.merge(kernel, block));
                    to
                };
                assert_eq!(merged(kernel).bits(), merged(&DEFINITION).bits(), "{name}, heads of {d}, scores of {most}");
            }
        }
    }
}

#[test]
fn who_sees_nothing_gathers_nothing_and_changes_nothing() {
    for (name, kernel) in implementations() {
        let case = Case::new(32, vec![(0, 0), (17, 17), (64, 64), (5, 5)], 10.0, 4);
        let nothing = case.run(kernel);
        assert_eq!(nothing.max, [f32::NEG_INFINITY; 4], "{name}");
        assert_eq!((nothing.sum.as_slice(), nothing.acc.as_slice()), ([0.0; 4].as_slice(), [0.0; 128].as_slice()));
        let something = Case::new(32, vec![(0, 64); 4], 10.0, 5).run(kernel);
        let mut to = something.clone();
        to.merge(kernel, &nothing);
        assert_eq!(to, something, "{name}");
        let mut to = nothing.clone();
        to.merge(kernel, &something);
        assert_eq!(to, something, "{name}");
        let mut to = nothing.clone();
        to.merge(kernel, &nothing);
        assert_eq!(to, nothing, "{name}");
    }
}

#[test]
fn scores_far_apart_leave_the_largest_alone() {
    for (name, kernel) in implementations() {
        for d in [16, 256] {
            // Scores of some 10⁴ each way: all weights but one or two are as good as nothing.
            let mut case = Case::new(d, vec![(0, 64), (3, 61), (10, 11)], 1e4, 8);
            let found = case.run(kernel);
            assert_eq!(found.bits(), case.run(&DEFINITION).bits(), "{name}");
            assert!(found.sum.iter().all(|sum| (1.0..=2.0).contains(sum)), "{name}: {:?}", found.sum);
            // The largest that f16 and f32 hold, of both signs; scores then are 65504 · 10³² and overflow no sum.
            for (i, k) in case.k.iter_mut().enumerate() {
                *k = if i % 3 == 0 { f16::MAX } else { f16::MIN };
            }
            for (i, q) in case.q.iter_mut().enumerate() {
                *q = if i % 5 == 0 { 1e30 } else { -1e29 };
            }
            let found = case.run(kernel);
            assert_eq!(found.bits(), case.run(&DEFINITION).bits(), "{name}");
            assert!(found.acc.iter().chain(&found.max).chain(&found.sum).all(|value| value.is_finite()), "{name}");
            // Scores that overflow to −∞ count as unseen, whoever computes.
            case.q.fill(-1e38);
            case.k.fill(f16::ONE);
            assert_eq!(case.run(kernel).bits(), case.run(&DEFINITION).bits(), "{name}");
        }
    }
}

#[test]
fn what_is_gathered_is_good_to_the_rounding_of_its_steps() {
    for (name, kernel) in implementations() {
        for d in HEAD_DIMS {
            for most in [0.1, 3.0, 30.0] {
                let case = Case::new(d, ranges(9, d as u64), most, 60 + d as u64);
                let found = case.run(kernel);
                for (query, &(first, end)) in case.visible.iter().enumerate() {
                    if first < end {
                        near(name, &case, &found, query, usize::from(first)..usize::from(end));
                    }
                }
            }
        }
    }
}

/// Compares one query's result with f64.
fn near(name: &str, case: &Case, found: &Found, query: usize, keys: std::ops::Range<usize>) {
    let d = case.d;
    let q = |i: usize| f64::from(case.q[query * d + i]);
    let scores: Vec<f64> = keys.clone().map(|key| (0..d).map(|i| q(i) * case.key(key, i)).sum()).collect();
    let sizes = keys.clone().map(|key| (0..d).map(|i| (q(i) * case.key(key, i)).abs()).sum::<f64>());
    // A chain of d roundings, none larger than that of the sum of sizes.
    let score_bound = d as f64 * EPSILON * sizes.fold(0.0, f64::max);
    let max = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let largest = f64::from(found.max[query]);
    assert!((largest - max).abs() <= score_bound, "{name}, {d}: largest {largest}, {max}");
    // A weight is off by its score's error and the subtraction's, and by the exponential's three ulp; sums of positive
    // numbers add a rounding a step. What lies below −87 counts as e⁻⁸⁷.
    let range = scores.iter().map(|score| max - score).fold(0.0, f64::max);
    let relative = score_bound + EPSILON * range + 6.0 * EPSILON + (KEY_BLOCK as f64) * EPSILON;
    let weights: Vec<f64> = scores.iter().map(|score| (score - largest).exp()).collect();
    let sum: f64 = weights.iter().sum();
    let got = f64::from(found.sum[query]);
    assert!((got - sum).abs() <= relative * sum + 1e-36, "{name}, {d}: sum {got}, {sum}");
    for i in 0..d {
        let terms = || keys.clone().zip(&weights).map(|(key, weight)| weight * case.v[key * d + i].to_f64());
        let (sum, size) = (terms().sum::<f64>(), terms().map(f64::abs).sum::<f64>());
        let got = f64::from(found.acc[query * d + i]);
        assert!((got - sum).abs() <= relative * size + 1e-36, "{name}, {d}: value {got}, {sum}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_block_gives_the_definition_s_bits(
        vectors in 1usize..12,
        n in 1usize..60,
        seed in any::<u64>(),
        exponent in -8i32..9,
    ) {
        let case = Case::new(16 * vectors, ranges(n, seed), 2f32.powi(exponent), seed);
        let expected = case.run(&DEFINITION);
        for (name, kernel) in implementations() {
            prop_assert_eq!(case.run(kernel).bits(), expected.bits(), "{}", name);
        }
    }
}
