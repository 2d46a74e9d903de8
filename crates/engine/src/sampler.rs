//! The sampler picks one token from one row of logits.
//!
//! Order, as Gemma's reference implementation and Hugging Face apply it: divide by the temperature, keep the `top_k`
//! largest, renormalise, keep the smallest set of these whose probability reaches `top_p`, renormalise, draw.
//!
//! A row has 262 144 values, so it is read once: the same pass finds what is unusable, the largest, and the candidates.
//! Without a top-k the mass of the whole vocabulary is needed too, which takes a second pass. Memory is kept from token
//! to token.

use generation::Sampling;
use rand::{
    SeedableRng,
    distr::{Distribution, Uniform},
    rngs::StdRng,
};

use crate::error::Error;

/// One candidate: its logit, then its token id.
type Candidate = (f32, u32);

/// Values looked at together: most blocks hold nothing that matters, which their largest value shows.
const BLOCK: usize = 64;
/// Values compared side by side.
const LANES: usize = 16;
/// Without a top-k, so many of the most likely tokens are tried first.
const FIRST_NUCLEUS: usize = 256;

/// Draws tokens for one answer. The same seed and the same rows give the same tokens; a row's result depends on that
/// row and on the number of draws before it, never on how many rows were computed with it.
pub struct Sampler {
    sampling: Sampling,
    seed: u64,
    rng: StdRng,
    kept: Vec<Candidate>,
    /// Of the candidates, each with those before it.
    mass: Vec<f32>,
}

impl Sampler {
    /// A sampler for `sampling`, which was validated; without a seed a fresh one is drawn.
    pub fn new(sampling: &Sampling) -> Self {
        let seed = sampling.seed.unwrap_or_else(rand::random);
        let rng = StdRng::seed_from_u64(seed);
        Self { sampling: sampling.clone(), seed, rng, kept: Vec::new(), mass: Vec::new() }
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
        let Sampling { temperature, top_p, top_k, .. } = self.sampling;
        if temperature == 0.0 || top_k == 1 {
            return Ok(scan(logits, 0, &mut self.kept)?.1);
        }
        if top_k > 0 && top_k < logits.len() {
            let (best, _) = scan(logits, top_k, &mut self.kept)?;
            self.scale(best);
            if top_p < 1.0 {
                let total: f64 = self.kept.iter().map(|&(logit, _)| f64::from(logit).exp()).sum();
                self.kept.truncate(nucleus(&self.kept, total, top_p));
            }
        } else {
            self.all_that_matter(logits)?;
        }
        if let [(_, only)] = self.kept[..] {
            return Ok(only);
        }
        let index = self.draw()?;
        self.kept.get(index).map(|&(_, token)| token).ok_or_else(nothing_drawn)
    }

    /// What the next draw would begin with.
    #[cfg(test)]
    pub(crate) fn next_random(&self) -> u64 {
        rand::Rng::random(&mut self.rng.clone())
    }

    /// Makes the candidates relative to the largest, so that a tiny temperature cannot overflow.
    fn scale(&mut self, best: f32) {
        for candidate in &mut self.kept {
            candidate.0 = (candidate.0 - best) / self.sampling.temperature;
        }
    }

    /// One draw among the candidates, whose logits are relative to the largest: softmax, then a uniform number between
    /// zero and the sum of the probabilities.
    fn draw(&mut self) -> Result<usize, Error> {
        self.mass.clear();
        self.mass.extend(self.kept.iter().map(|&(logit, _)| logit.exp()));
        let total: f32 = self.mass.iter().sum();
        let mut sum = 0.0;
        for mass in &mut self.mass {
            sum += *mass / total;
            *mass = sum;
        }
        let drawn = Uniform::new(0.0, sum).map_err(|_| nothing_drawn())?.sample(&mut self.rng);
        // The last token takes what rounding left over.
        let before_last = self.mass.len().saturating_sub(1);
        Ok(self.mass[..before_last].partition_point(|&mass| mass <= drawn))
    }

    /// Without a top-k: the nucleus of the whole vocabulary, or all of it. The row is sorted only as far as needed.
    fn all_that_matter(&mut self, logits: &[f32]) -> Result<(), Error> {
        let Sampling { temperature, top_p, .. } = self.sampling;
        if top_p >= 1.0 {
            let (best, _) = scan(logits, 0, &mut self.kept)?;
            self.kept.extend(logits.iter().copied().zip(0u32..));
            self.scale(best);
            return Ok(());
        }
        let mut count = FIRST_NUCLEUS.min(logits.len());
        let (best, _) = scan(logits, count, &mut self.kept)?;
        let scaled = |logit: f32| (f64::from(logit - best) / f64::from(temperature)).exp();
        let total: f64 = logits.iter().map(|&logit| scaled(logit)).sum();
        loop {
            let mass: f64 = self.kept.iter().map(|&(logit, _)| scaled(logit)).sum();
            if mass >= total * f64::from(top_p) || count == logits.len() {
                self.scale(best);
                self.kept.truncate(nucleus(&self.kept, total, top_p));
                return Ok(());
            }
            count = (count * 8).min(logits.len());
            scan(logits, count, &mut self.kept)?;
        }
    }
}

fn nothing_drawn() -> Error {
    Error::Logits { what: "no token was drawn".into() }
}

/// Reads the row once: returns the largest logit with the first token that has it, and leaves the `count` largest in
/// `kept`, in descending order, without those that are forbidden.
///
/// `kept` grows to twice `count` and is then cut back, which raises the bar for those to come.
fn scan(logits: &[f32], count: usize, kept: &mut Vec<Candidate>) -> Result<Candidate, Error> {
    let capacity = count.saturating_mul(2).min(logits.len());
    kept.clear();
    kept.reserve(capacity);
    let mut best = (f32::NEG_INFINITY, 0);
    let mut bar = f32::NEG_INFINITY;
    for (block, first) in logits.chunks(BLOCK).zip((0u32..).step_by(BLOCK)) {
        let (largest, usable) = summary(block);
        if !usable {
            return Err(unusable(block, first));
        }
        let is_candidate = largest > bar || (kept.len() < count && largest > f32::NEG_INFINITY);
        if !(largest > best.0 || (count > 0 && is_candidate)) {
            continue;
        }
        for (&logit, token) in block.iter().zip(first..) {
            if logit > best.0 {
                best = (logit, token);
            }
            // A later token that only equals the bar loses against `count` earlier ones.
            let too_small = logit <= bar && kept.len() >= count;
            if too_small || logit == f32::NEG_INFINITY || count == 0 {
                continue;
            }
            kept.push((logit, token));
            if kept.len() == capacity && capacity > count {
                kept.select_nth_unstable_by(count - 1, order);
                kept.truncate(count);
                bar = kept[count - 1].0;
            }
        }
    }
    if best.0 == f32::NEG_INFINITY {
        return Err(Error::Logits { what: format!("all {} tokens are forbidden", logits.len()) });
    }
    kept.sort_unstable_by(order);
    kept.truncate(count);
    Ok(best)
}

/// The largest value of `block`, and whether each is a number below infinity. Without branches, so that the compiler
/// takes several values at once.
fn summary(block: &[f32]) -> (f32, bool) {
    let mut largest = [f32::NEG_INFINITY; LANES];
    let mut bad = [0u32; LANES];
    let (whole, rest) = block.as_chunks::<LANES>();
    let mut look = |values: &[f32]| {
        for ((&value, largest), bad) in values.iter().zip(&mut largest).zip(&mut bad) {
            *largest = if value > *largest { value } else { *largest };
            // Also true of what is not a number.
            *bad |= u32::from(!is_below_infinity(value));
        }
    };
    whole.iter().for_each(|values| look(values));
    look(rest);
    let most = largest.iter().fold(f32::NEG_INFINITY, |most, &value| if value > most { value } else { most });
    (most, bad.iter().all(|&bad| bad == 0))
}

fn is_below_infinity(value: f32) -> bool {
    value < f32::INFINITY
}

/// The first value of `block` that cannot be drawn from.
fn unusable(block: &[f32], first: u32) -> Error {
    let found = block.iter().zip(first..).find(|&(&logit, _)| !is_below_infinity(logit));
    let what = found.map_or_else(String::new, |(logit, token)| format!("the logit of token {token} is {logit}"));
    Error::Logits { what }
}

/// Larger logits first; among equals the smaller token id, so that the order does not depend on the algorithm.
fn order(a: &Candidate, b: &Candidate) -> std::cmp::Ordering {
    b.0.total_cmp(&a.0).then(a.1.cmp(&b.1))
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
    fn the_first_unusable_value_is_named_wherever_it_stands() {
        for at in [0, 15, 16, 63, 64, 100, 129] {
            for bad in [f32::NAN, f32::INFINITY] {
                let mut row = random_row(3, 130, 2.0);
                row[at] = bad;
                let said = scan(&row, 5, &mut Vec::new()).expect_err("unusable").to_string();
                assert!(said.contains(&format!("token {at} is {bad}")), "{said}");
            }
        }
    }

    /// The draws that candle's own processor makes among the same candidates.
    #[test]
    fn draws_are_those_of_candles_sampler() {
        use candle_core::{Device, Tensor};
        use candle_transformers::generation::{LogitsProcessor, Sampling as CandleSampling};
        for (temperature, top_p, top_k) in [(1.0, 0.95, 64), (0.7, 1.0, 20), (1.3, 0.9, 0), (1.0, 1.0, 0)] {
            let mut ours = sampler(temperature, top_p, top_k, 77);
            let mut theirs = LogitsProcessor::from_sampling(77, CandleSampling::All { temperature: 1.0 });
            for seed in 0..400 {
                let row = random_row(seed, 700, 5.0);
                let token = ours.sample(&row).expect("sound");
                if let [_] = ours.kept[..] {
                    continue;
                }
                let values: Vec<f32> = ours.kept.iter().map(|&(logit, _)| logit).collect();
                let values = Tensor::new(values, &Device::Cpu).expect("small");
                let index = theirs.sample(&values).expect("sound") as usize;
                assert_eq!(ours.kept[index].1, token, "row {seed}, top-k {top_k}, top-p {top_p}");
            }
        }
    }

    #[test]
    fn memory_is_taken_once() {
        for (top_p, top_k) in [(0.95, 64), (0.95, 0), (1.0, 0)] {
            let mut sampler = sampler(0.8, top_p, top_k, 1);
            let rows: Vec<Vec<f32>> = (0..20).map(|seed| random_row(seed, 3000, 9.0)).collect();
            rows.iter().for_each(|row| _ = sampler.sample(row).expect("sound"));
            let places = (sampler.kept.as_ptr(), sampler.mass.as_ptr());
            rows.iter().for_each(|row| _ = sampler.sample(row).expect("sound"));
            assert_eq!((sampler.kept.as_ptr(), sampler.mass.as_ptr()), places, "top-k {top_k}, top-p {top_p}");
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
                let mut kept = Vec::new();
                let best = scan(&row, count, &mut kept).expect("sound");
                assert_eq!(kept, sorted, "{count} of {len}");
                assert_eq!(best, sorted[0], "{count} of {len}");
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
