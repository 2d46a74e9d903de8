//! The short measured trial of a model that was really opened: how fast does it write on this computer?
//!
//! A fresh, short sequence is used, so that nothing of it stays in the conversation's KV cache. In order:
//!
//! 1. One token is fed and forgotten. It brings the weights from the disk, which no later token pays for.
//! 2. A short fixed prompt is fed (prefill).
//! 3. Tokens are written greedily: at least [`STEADY_TOKENS`], then until the pace is steady, at most five seconds.
//!
//! The rate is that of the later half of the tokens, when clocks and caches have settled. When somebody waits, the
//! prompt is left out and four tokens suffice.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

use gemma4::{Logits, Rows, Sequence};
use generation::{Message, Role, Sampling};
use serde::{Deserialize, Serialize};

use crate::{codec::Codec, error::Error, sampler::Sampler};

/// What is asked in a trial. Its answer is thrown away.
const QUESTION: &str = "Why is the sky blue during the day and red in the evening?";
/// So many tokens suffice if the pace is steady.
pub const STEADY_TOKENS: usize = 48;
/// No more than this, whatever the pace.
const MOST_TOKENS: usize = 160;
/// So many suffice when somebody is waiting.
const HURRIED_TOKENS: usize = 4;
/// The pace is steady when the two halves differ by no more than this part.
const STEADY_PART: f64 = 0.15;
/// Longest prompt that the fixed question may become in any tokenizer.
const MOST_PROMPT: usize = 128;

/// How long a trial may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrialLimits {
    /// For writing.
    pub decode: Duration,
    /// For the first token and the prompt, which may have to bring the weights from a slow disk.
    pub warm_up: Duration,
}

impl Default for TrialLimits {
    fn default() -> Self {
        Self { decode: Duration::from_secs(5), warm_up: Duration::from_secs(90) }
    }
}

/// What a trial measured; rates in tokens a second.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct TrialReport {
    /// Reading a prompt. `None` where the trial did not get that far.
    pub prefill_tokens_per_second: Option<f64>,
    /// Writing; where not even one token was written in time, what one token would have been. `None` where the trial
    /// was given up before it began or in its midst.
    pub decode_tokens_per_second: Option<f64>,
    /// Tokens written.
    pub decode_tokens: usize,
    /// Seconds that it took in all.
    pub seconds: f64,
    /// Whether somebody ended it.
    pub ended_early: bool,
}

/// Measures on `sequence`, which is new. `ended` is asked before every layer and says whether somebody is waiting: the
/// trial then ends as soon as it can say something.
///
/// # Errors
/// If the model fails or computes numbers from which no token can be drawn.
pub(crate) fn measure(
    mut sequence: Box<dyn Sequence>,
    codec: &dyn Codec,
    limits: TrialLimits,
    ended: &dyn Fn() -> bool,
) -> Result<TrialReport, Error> {
    let begun = Instant::now();
    let prompt = codec.render(&[Message::new(Role::User, QUESTION)], &mut |_| None)?;
    let mut report = TrialReport::default();
    let finished = |report: TrialReport| {
        Ok(TrialReport { seconds: begun.elapsed().as_secs_f64(), ended_early: ended(), ..report })
    };

    let first = &prompt[..prompt.len().min(1)];
    // Asked in any case, because that counts as progress.
    let too_long = || (ended(), begun.elapsed() > limits.warm_up).1;
    let mut logits = Logits::default();
    let mut is_warm = forward(&mut *sequence, first, &too_long, &mut logits)?;
    if is_warm && !ended() {
        sequence.clear();
        let prefill_begun = Instant::now();
        is_warm = forward(&mut *sequence, &prompt, &|| ended() || too_long(), &mut logits)?;
        if is_warm {
            report.prefill_tokens_per_second = rate(prompt.len(), prefill_begun.elapsed().as_secs_f64());
        } else if ended() {
            is_warm = forward(&mut *sequence, first, &too_long, &mut logits)?;
        }
    }
    if !is_warm {
        report.decode_tokens_per_second = rate(1, begun.elapsed().as_secs_f64());
        return finished(report);
    }

    let mut sampler = Sampler::new(&Sampling::greedy());
    let mut steps: Vec<f64> = Vec::new();
    let n_written = Cell::new(0);
    let decode_begun = Instant::now();
    let over = || (ended() && n_written.get() >= HURRIED_TOKENS) || decode_begun.elapsed() > limits.decode;
    let room = sequence.context_len().saturating_sub(prompt.len()).min(MOST_TOKENS);
    while steps.len() < room && !over() && !(steps.len() >= STEADY_TOKENS && is_steady(&steps)) {
        let step_begun = Instant::now();
        let row = logits.last().ok_or_else(|| Error::Logits { what: "the model returned no row".into() })?;
        let token = sampler.sample(row)?;
        if !forward(&mut *sequence, &[token], &over, &mut logits)? {
            break;
        }
        steps.push(step_begun.elapsed().as_secs_f64());
        n_written.set(steps.len());
    }
    report.decode_tokens = steps.len();
    report.decode_tokens_per_second = match later_half(&steps) {
        [] => rate(1, decode_begun.elapsed().as_secs_f64()),
        steady => rate(steady.len(), steady.iter().sum()),
    };
    finished(report)
}

/// Positions that a trial's sequence needs.
pub(crate) fn context_len() -> usize {
    MOST_PROMPT + MOST_TOKENS
}

/// Leaves the last row in `logits`; `false` if it was stopped.
fn forward(
    sequence: &mut dyn Sequence,
    tokens: &[u32],
    stop: &dyn Fn() -> bool,
    logits: &mut Logits,
) -> Result<bool, Error> {
    match sequence.forward(tokens, Rows::Last, stop, logits) {
        Ok(()) => Ok(true),
        Err(gemma4::Error::Cancelled) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Tokens a second; a clock too coarse to see them pass counts its smallest step.
fn rate(tokens: usize, seconds: f64) -> Option<f64> {
    (tokens > 0).then(|| tokens as f64 / seconds.max(1e-9))
}

/// The later half of `steps`, the middle one included.
fn later_half(steps: &[f64]) -> &[f64] {
    &steps[steps.len() / 2..]
}

fn is_steady(steps: &[f64]) -> bool {
    let (earlier, later) = steps.split_at(steps.len() / 2);
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len().max(1) as f64;
    (mean(earlier) - mean(later)).abs() <= STEADY_PART * mean(later)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steady_means_that_both_halves_take_as_long() {
        assert!(is_steady(&[1.0, 1.0, 1.1, 0.95]));
        assert!(!is_steady(&[2.0, 1.5, 1.0, 1.0]));
        assert_eq!(later_half(&[4.0, 3.0, 2.0]), [3.0, 2.0]);
        assert_eq!(later_half(&[]), [0.0; 0]);
    }

    #[test]
    fn rates_are_positive_and_finite() {
        for found in [rate(3, 0.0), rate(1, 1e9)] {
            assert!(found.is_some_and(|rate| rate.is_finite() && rate > 0.0), "{found:?}");
        }
        assert_eq!(rate(0, 1.0), None);
    }
}
