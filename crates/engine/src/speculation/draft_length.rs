//! How many guesses are worth trying, from what was measured: the time of a forward pass over so many rows on this
//! computer now, and how often guesses of each confidence were right.
//!
//! Where rows are computed one by one, or on battery with few threads, no draft pays: the length falls to zero. Now and
//! then a short draft is tried all the same, because another conversation, or a computer that is no longer busy, may
//! change that.

use super::drafter::{CONFIDENCES, Confidence};

/// Rows of a forward pass that are measured: one is ordinary decoding, the others are one drawn token and its guesses.
const ROWS: [usize; 5] = [1, 2, 4, 8, 16];
/// Until it was measured, twice the rows are taken to cost so much more: a guess worth checking.
const PRIOR_GROWTH: f64 = 1.1;
/// Weight of a new measurement.
const COST_WEIGHT: f64 = 0.25;
/// One measurement counts at most so many times what was known: a hiccup is no property of the computer.
const MOST_SURPRISE: f64 = 3.0;
/// A time that was not measured again moves so far towards the expectation with each draft: the computer may have become
/// faster meanwhile, and the worth of trying it shows by itself.
const OBLIVION: f64 = 0.002;
/// What is gained must be worth it.
const LEAST_GAIN: f64 = 1.05;
/// How many guesses an expectation is worth before anything was seen.
const PRIOR_WEIGHT: f64 = 4.0;
/// What was seen earlier loses so much with each draft.
const FADING: f64 = 0.96;
/// After so many drafts that were not tried, one is; then after twice as many.
const FIRST_PATIENCE: usize = 16;
const MOST_PATIENCE: usize = 256;
/// Guesses tried then: with few the cost of a pass is seen all the same.
const PROBE: usize = 3;

/// See the module.
#[derive(Debug, Clone)]
pub(crate) struct DraftLength {
    /// Seconds of a pass, for each of [`ROWS`].
    cost: [Option<f64>; ROWS.len()],
    chances: [Chance; CONFIDENCES],
    /// Drafts offered since one was tried.
    passed: usize,
    patience: usize,
}

/// How often a guess was right, all before it being right.
#[derive(Debug, Clone, Copy)]
struct Chance {
    right: f64,
    tried: f64,
}

impl Default for DraftLength {
    fn default() -> Self {
        let chances = std::array::from_fn(|confidence| {
            let expected = 0.4 + 0.5 * confidence as f64 / CONFIDENCES as f64;
            Chance { right: expected * PRIOR_WEIGHT, tried: PRIOR_WEIGHT }
        });
        Self { cost: [None; ROWS.len()], chances, passed: 0, patience: FIRST_PATIENCE }
    }
}

impl DraftLength {
    /// Most guesses that are ever tried at once.
    pub(crate) fn most() -> usize {
        ROWS[ROWS.len() - 1] - 1
    }

    /// How many of `offered` guesses to try; one of [`ROWS`], less one.
    pub(crate) fn choose(&mut self, confidence: Confidence, offered: usize) -> usize {
        let Some(one) = self.cost[0] else { return 0 };
        if offered == 0 {
            return 0;
        }
        let p = self.chances[confidence.min(CONFIDENCES - 1)].part();
        let (mut best, mut best_rate) = (0, LEAST_GAIN / one);
        let (mut expected, mut power, mut reached) = (1.0, 1.0, 1);
        let mut prior = one;
        for (&rows, cost) in ROWS.iter().zip(&mut self.cost).skip(1).filter(|(rows, _)| **rows <= offered + 1) {
            prior *= PRIOR_GROWTH;
            if let Some(known) = cost {
                *known += OBLIVION * (prior - *known).min(0.0);
                prior = *known;
            }
            let cost = prior;
            // One token for certain, and each guess if all before it are right.
            while reached < rows {
                power *= p;
                expected += power;
                reached += 1;
            }
            if expected / cost > best_rate {
                (best, best_rate) = (rows - 1, expected / cost);
            }
        }
        if best > 0 {
            (self.passed, self.patience) = (0, FIRST_PATIENCE);
            return best;
        }
        self.passed += 1;
        if self.passed >= self.patience {
            self.passed = 0;
            self.patience = (self.patience * 2).min(MOST_PATIENCE);
            return if offered >= PROBE { PROBE } else { 1 };
        }
        0
    }

    /// As if every pass had taken as long, so that drafts are as long as they may.
    #[cfg(test)]
    pub(crate) fn pretend_cheap(&mut self) {
        self.cost = [Some(1e9); ROWS.len()];
    }

    /// A pass over `rows` took `seconds`.
    pub(crate) fn took(&mut self, rows: usize, seconds: f64) {
        let Some(index) = ROWS.iter().position(|&known| known == rows) else { return };
        let cost = &mut self.cost[index];
        *cost = Some(match *cost {
            Some(known) => known + COST_WEIGHT * (seconds.min(known * MOST_SURPRISE) - known),
            None => seconds,
        });
    }

    /// The first `right` guesses were right; the one behind them was wrong, if `wrong`, else none was looked at.
    pub(crate) fn judged(&mut self, confidence: Confidence, right: usize, wrong: bool) {
        let chance = &mut self.chances[confidence.min(CONFIDENCES - 1)];
        chance.right = chance.right * FADING + right as f64;
        chance.tried = chance.tried * FADING + right as f64 + f64::from(u8::from(wrong));
    }
}

impl Chance {
    fn part(self) -> f64 {
        // Never certain: a class that was always right so far must not make drafts endless.
        (self.right / self.tried.max(1e-9)).min(0.98)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Passes as on a computer where rows are read with one pass over the weights: 3 % for each further row.
    fn cheap(rows: usize) -> f64 {
        0.04 * (1.0 + 0.03 * (rows - 1) as f64)
    }

    /// Where each row is computed alone.
    fn linear(rows: usize) -> f64 {
        0.04 * rows as f64
    }

    /// Time for each token over `steps` drafts of which the first `right` guesses are right, in passes over one row.
    fn price(cost: fn(usize) -> f64, right: usize, steps: usize) -> f64 {
        let chosen = run(&mut DraftLength::default(), cost, right, steps);
        let time: f64 = chosen.iter().map(|tried| cost(tried + 1)).sum();
        let tokens: usize = chosen.iter().map(|&tried| 1 + tried.min(right)).sum();
        time / tokens as f64 / cost(1)
    }

    /// Lengths chosen in `steps` drafts of 16 guesses, of which the first `right` are right.
    fn run(length: &mut DraftLength, cost: fn(usize) -> f64, right: usize, steps: usize) -> Vec<usize> {
        (0..steps)
            .map(|_| {
                let tried = length.choose(3, 16);
                length.took(tried + 1, cost(tried + 1));
                if tried > 0 {
                    length.judged(3, right.min(tried), right < tried);
                }
                tried
            })
            .collect()
    }

    #[test]
    fn right_guesses_make_drafts_long() {
        let mut length = DraftLength::default();
        assert_eq!(length.choose(3, 16), 0, "one row is measured first");
        let chosen = run(&mut length, cheap, 16, 30);
        assert_eq!(chosen[0], 0);
        assert_eq!(chosen[29], 15, "{chosen:?}");
    }

    #[test]
    fn wrong_guesses_make_drafts_rare() {
        let mut length = DraftLength::default();
        let chosen = run(&mut length, cheap, 0, 1000);
        let tried = chosen[100..].iter().filter(|&&tried| tried > 0).count();
        assert!((1..=8).contains(&tried), "probed now and then: {tried}");
        // Another conversation: guesses are right again, and it is noticed.
        let chosen = run(&mut length, cheap, 16, 1500);
        assert_eq!(chosen[1499], 15);
    }

    #[test]
    fn where_rows_cost_as_much_as_tokens_little_is_lost() {
        for right in [0, 1, 2, 5, 16] {
            let price = price(linear, right, 2000);
            assert!(price < 1.06, "{price} with {right} right");
        }
        // The computer changes, for example from battery to mains.
        let mut length = DraftLength::default();
        run(&mut length, linear, 16, 600);
        assert_eq!(*run(&mut length, cheap, 16, 3000).last().expect("some"), 15);
    }

    #[test]
    fn where_rows_are_cheap_much_is_gained() {
        for (right, most) in [(0, 1.03), (1, 0.62), (3, 0.35), (16, 0.12)] {
            let price = price(cheap, right, 2000);
            assert!(price < most, "{price} with {right} right");
        }
    }

    #[test]
    fn no_more_is_tried_than_offered_and_only_what_is_measured() {
        let mut length = DraftLength::default();
        run(&mut length, cheap, 16, 60);
        assert_eq!(
            [0, 1, 2, 3, 6, 7, 14, 15, 16].map(|offered| length.choose(3, offered)),
            [0, 1, 1, 3, 3, 7, 7, 15, 15]
        );
    }

    #[test]
    fn a_hiccup_is_soon_forgotten() {
        let mut length = DraftLength::default();
        run(&mut length, cheap, 16, 60);
        length.took(16, 5.0);
        let chosen = run(&mut length, cheap, 16, 200);
        assert_eq!(chosen[199], 15, "{chosen:?}");
    }
}
