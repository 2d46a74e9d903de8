//! The sampler picks one token from one row of logits.
//!
//! Order, as Gemma's reference implementation and Hugging Face apply it: divide by the temperature, keep the `top_k`
//! largest, renormalise, keep the smallest set of these whose probability reaches `top_p`, renormalise, draw.
//! (candle-transformers' own `TopKThenTopP` measures `top_p` against probabilities before the top-k cut, which keeps
//! more tokens; so the cuts are made here, by partial selection in one reading of the row, and candle makes the
//! seeded draw among the tokens that are left.)

use candle_core::{Device, Tensor};
use candle_transformers::generation::{LogitsProcessor as Draw, Sampling as DrawSampling};
use generation::Sampling;

use crate::error::Error;

/// One candidate: its logit, then its token id.
type Candidate = (f32, u32);

/// Draws tokens for one answer. The same seed and the same rows give the same tokens; a row's result depends on that
/// row and on the number of draws before it, never on how many rows were computed with it.
pub struct Sampler {
    sampling: Sampling,
    seed: u64,
    draw: Draw,
}

impl Sampler {
    /// A sampler for `sampling`, which was validated; without a seed a fresh one is drawn.
    pub fn new(sampling: &Sampling) -> Self {
        let seed = sampling.seed.unwrap_or_else(rand::random);
        // Candidates arrive already divided by the temperature and already cut.
        let draw = Draw::from_sampling(seed, DrawSampling::All { temperature: 1.0 });
        Self { sampling: sampling.clone(), seed, draw }
    }

    /// The seed in use, so that the answer can be repeated.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Picks a token from `logits`, one value for each token of the vocabulary. Negative infinity forbids a token.
    ///
    /// # Errors
    /// [`Error::Logits`] if a value is not a number or positive infinity, or if every token is forbidden.
    pub fn sample(&mut self, logits: &[f32]) -> Result<u32, Error> {
        let best = most_likely(logits)?;
        if self.sampling.temperature == 0.0 || self.sampling.top_k == 1 {
            return Ok(best.1);
        }
        let mut kept = if self.sampling.top_k > 0 && self.sampling.top_k < logits.len() {
            largest(logits, self.sampling.top_k)
        } else {
            self.all_that_matter(logits, best.0)
        };
        // Relative to the largest, so that a tiny temperature cannot overflow.
        for candidate in &mut kept {
            candidate.0 = (candidate.0 - best.0) / self.sampling.temperature;
        }
        if self.sampling.top_p < 1.0 && self.sampling.top_k > 0 {
            let total: f64 = kept.iter().map(|&(logit, _)| f64::from(logit).exp()).sum();
            kept.truncate(nucleus(&kept, total, self.sampling.top_p));
        }
        if let [(_, only)] = kept[..] {
            return Ok(only);
        }
        let values: Vec<f32> = kept.iter().map(|&(logit, _)| logit).collect();
        let values = Tensor::new(values, &Device::Cpu).map_err(Error::Draw)?;
        let index = self.draw.sample(&values).map_err(Error::Draw)?;
        kept.get(index as usize).map(|&(_, token)| token).ok_or(Error::Logits { what: "no token was drawn".into() })
    }

    /// Without a top-k: the nucleus of the whole vocabulary, or all of it. The row is sorted only as far as needed.
    fn all_that_matter(&self, logits: &[f32], best: f32) -> Vec<Candidate> {
        let all = || logits.iter().zip(0u32..).map(|(&logit, token)| (logit, token)).collect::<Vec<_>>();
        if self.sampling.top_p >= 1.0 {
            return all();
        }
        let scaled = |logit: f32| (f64::from(logit - best) / f64::from(self.sampling.temperature)).exp();
        let total: f64 = logits.iter().map(|&logit| scaled(logit)).sum();
        let mut count = 256.min(logits.len());
        loop {
            let mut kept = largest(logits, count);
            let mass: f64 = kept.iter().map(|&(logit, _)| scaled(logit)).sum();
            if mass >= total * f64::from(self.sampling.top_p) || count == logits.len() {
                let relative: Vec<Candidate> =
                    kept.iter().map(|&(logit, token)| ((logit - best) / self.sampling.temperature, token)).collect();
                kept.truncate(nucleus(&relative, total, self.sampling.top_p));
                return kept;
            }
            count = (count * 8).min(logits.len());
        }
    }
}

/// The largest logit and the first token that has it.
fn most_likely(logits: &[f32]) -> Result<Candidate, Error> {
    let mut best = (f32::NEG_INFINITY, 0);
    for (&logit, token) in logits.iter().zip(0u32..) {
        if logit.is_nan() || logit == f32::INFINITY {
            return Err(Error::Logits { what: format!("the logit of token {token} is {logit}") });
        }
        if logit > best.0 {
            best = (logit, token);
        }
    }
    if best.0 == f32::NEG_INFINITY {
        return Err(Error::Logits { what: format!("all {} tokens are forbidden", logits.len()) });
    }
    Ok(best)
}

/// Larger logits first; among equals the smaller token id, so that the order does not depend on the algorithm.
fn order(a: &Candidate, b: &Candidate) -> std::cmp::Ordering {
    b.0.total_cmp(&a.0).then(a.1.cmp(&b.1))
}

/// The `count` largest logits in descending order, in one reading of the row: a buffer of twice that many candidates
/// is cut back whenever it is full, which also raises the bar for those to come.
fn largest(logits: &[f32], count: usize) -> Vec<Candidate> {
    let capacity = count.saturating_mul(2).min(logits.len()).max(1);
    let mut kept: Vec<Candidate> = Vec::with_capacity(capacity);
    let mut bar = f32::NEG_INFINITY;
    for (&logit, token) in logits.iter().zip(0u32..) {
        // A later token that only equals the bar loses against `count` earlier ones.
        if logit <= bar && kept.len() >= count {
            continue;
        }
        if logit == f32::NEG_INFINITY {
            continue;
        }
        kept.push((logit, token));
        if kept.len() == capacity && capacity > count {
            kept.select_nth_unstable_by(count - 1, order);
            kept.truncate(count);
            bar = kept[count - 1].0;
        }
    }
    kept.sort_unstable_by(order);
    kept.truncate(count);
    kept
}

/// How many of `kept` (descending, relative to the largest, divided by the temperature) reach `top_p` of `total`.
fn nucleus(kept: &[Candidate], total: f64, top_p: f32) -> usize {
    let wanted = total * f64::from(top_p);
    let mut mass = 0.0;
    for (index, &(logit, _)) in kept.iter().enumerate() {
        mass += f64::from(logit).exp();
        if mass >= wanted {
            return index + 1;
        }
    }
    kept.len().max(1)
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng, rngs::StdRng, seq::SliceRandom};

    use super::*;

    fn sampler(temperature: f32, top_p: f32, top_k: usize, seed: u64) -> Sampler {
        Sampler::new(&Sampling { temperature, top_p, top_k, seed: Some(seed) })
    }

    /// Probabilities by the definition: sort everything, cut, renormalise.
    fn reference(logits: &[f32], temperature: f32, top_p: f32, top_k: usize) -> Vec<f64> {
        let mut order: Vec<usize> = (0..logits.len()).collect();
        order.sort_by(|&a, &b| logits[b].total_cmp(&logits[a]).then(a.cmp(&b)));
        if top_k > 0 {
            order.truncate(top_k);
        }
        let weight = |&index: &usize| f64::from(logits[index] / temperature).exp();
        let total: f64 = order.iter().map(weight).sum();
        let mut kept = Vec::new();
        let mut mass = 0.0;
        for index in &order {
            if !kept.is_empty() && mass >= f64::from(top_p) * total {
                break;
            }
            mass += weight(index);
            kept.push(*index);
        }
        let mut probabilities = vec![0.0; logits.len()];
        for index in &kept {
            probabilities[*index] = weight(index) / mass;
        }
        probabilities
    }

    /// Draws often and compares with the definition: nothing outside the kept set, and a chi-square within bounds.
    fn check(logits: &[f32], temperature: f32, top_p: f32, top_k: usize) {
        let expected = reference(logits, temperature, top_p, top_k);
        let draws = 20_000;
        let mut counts = vec![0usize; logits.len()];
        let mut sampler = sampler(temperature, top_p, top_k, 11);
        for _ in 0..draws {
            counts[sampler.sample(logits).expect("sound logits") as usize] += 1;
        }
        let (mut chi_square, mut cells) = (0.0, 0usize);
        for (count, probability) in counts.iter().zip(&expected) {
            if *probability == 0.0 {
                assert_eq!(*count, 0, "a token outside the kept set was drawn");
            } else if probability * draws as f64 >= 5.0 {
                let mean = probability * draws as f64;
                chi_square += (*count as f64 - mean).powi(2) / mean;
                cells += 1;
            }
        }
        // Mean cells − 1, standard deviation √(2 · cells): five deviations never fail by chance with this seed.
        let limit = cells as f64 + 5.0 * (2.0 * cells as f64).sqrt();
        assert!(chi_square < limit, "chi-square {chi_square} over {cells} cells");
    }

    fn random_row(seed: u64, len: usize, spread: f32) -> Vec<f32> {
        let mut rng = StdRng::seed_from_u64(seed);
        (0..len).map(|_| rng.random_range(-spread..spread)).collect()
    }

    #[test]
    fn draws_follow_the_definition() {
        let row = random_row(1, 300, 4.0);
        for (temperature, top_p, top_k) in
            [(1.0, 0.95, 64), (0.7, 0.9, 20), (1.5, 1.0, 5), (1.0, 1.0, 0), (1.0, 0.5, 0), (2.0, 0.99, 0)]
        {
            check(&row, temperature, top_p, top_k);
        }
    }

    #[test]
    fn greedy_takes_the_first_of_equals() {
        assert_eq!(sampler(0.0, 0.95, 64, 1).sample(&[1.0, 3.0, 3.0, 2.0]).expect("sound"), 1);
        assert_eq!(sampler(1.0, 0.95, 1, 1).sample(&[1.0, 3.0, 3.0, 2.0]).expect("sound"), 1);
    }

    #[test]
    fn top_p_edges() {
        // Probabilities 1/2, 1/4, 1/4: exactly one half is reached by the first alone.
        let row = [2f32.ln(), 0.0, 0.0];
        for seed in 0..50 {
            assert_eq!(sampler(1.0, 0.5, 3, seed).sample(&row).expect("sound"), 0);
            assert_eq!(sampler(1.0, 0.4999, 0, seed).sample(&row).expect("sound"), 0);
            // A top-p that no token reaches alone still keeps one.
            assert_eq!(sampler(1.0, f32::MIN_POSITIVE, 3, seed).sample(&row).expect("sound"), 0);
        }
        let mut seen = [false; 3];
        for seed in 0..200 {
            seen[sampler(1.0, 1.0, 3, seed).sample(&row).expect("sound") as usize] = true;
        }
        assert_eq!(seen, [true; 3]);
    }

    #[test]
    fn top_k_larger_than_the_vocabulary_keeps_all() {
        check(&random_row(2, 10, 1.0), 1.0, 0.95, 1000);
        check(&random_row(2, 10, 1.0), 1.0, 0.95, 10);
    }

    #[test]
    fn unusable_rows_are_errors() {
        for row in [vec![0.0, f32::NAN], vec![f32::INFINITY, 0.0], vec![f32::NEG_INFINITY; 3], vec![]] {
            assert!(matches!(sampler(1.0, 0.95, 64, 1).sample(&row), Err(Error::Logits { .. })), "{row:?}");
            assert!(matches!(sampler(0.0, 0.95, 64, 1).sample(&row), Err(Error::Logits { .. })), "{row:?}");
        }
    }

    #[test]
    fn forbidden_tokens_are_never_drawn_and_extreme_temperatures_work() {
        let mut row = vec![f32::NEG_INFINITY; 100];
        row[40] = -3.0;
        row[41] = -3.5;
        for (top_k, top_p) in [(64, 0.95), (0, 0.95), (0, 1.0), (100, 1.0)] {
            for temperature in [1e-38, 1.0, 1e30] {
                let token = sampler(temperature, top_p, top_k, 5).sample(&row).expect("two are allowed");
                assert!(token == 40 || token == 41, "{token} at {temperature}, top-k {top_k}, top-p {top_p}");
            }
        }
    }

    #[test]
    fn selection_equals_sorting() {
        let mut rng = StdRng::seed_from_u64(9);
        for len in [1, 2, 63, 64, 65, 128, 129, 1000] {
            // Few distinct values, so that ties cross every border.
            let mut row: Vec<f32> = (0..len).map(|index| (index % 7) as f32).collect();
            row.shuffle(&mut rng);
            for count in [1, 2, 5, 64, 200] {
                let mut sorted: Vec<Candidate> = row.iter().zip(0u32..).map(|(&l, t)| (l, t)).collect();
                sorted.sort_by(order);
                sorted.truncate(count);
                assert_eq!(largest(&row, count), sorted, "{count} of {len}");
            }
        }
    }

    #[test]
    fn the_same_seed_repeats_and_a_row_does_not_depend_on_its_company() {
        let rows: Vec<Vec<f32>> = (0..20).map(|seed| random_row(seed, 500, 3.0)).collect();
        let flat = gemma4::Logits::new(rows.concat(), 500);
        let mut alone = sampler(1.0, 0.95, 64, 42);
        let mut together = sampler(1.0, 0.95, 64, 42);
        let mut other = sampler(1.0, 0.95, 64, 43);
        let one: Vec<u32> = rows.iter().map(|row| alone.sample(row).expect("sound")).collect();
        let many: Vec<u32> = (0..20).map(|index| together.sample(flat.row(index)).expect("sound")).collect();
        let others: Vec<u32> = rows.iter().map(|row| other.sample(row).expect("sound")).collect();
        assert_eq!(one, many);
        assert_ne!(one, others);
    }
}
