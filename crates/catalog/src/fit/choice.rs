//! Which candidate answers, and why the others do not.

use std::cmp::{Ordering, Reverse};

use serde::Serialize;

use super::Candidate;
use crate::error::gigabytes;
use crate::trials::{MIN_TOKENS_PER_SECOND, Outcome, Trial, Trials};

/// Why a candidate was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Somebody chose it.
    Chosen,
    /// Somebody chose it, although it needs more memory than is free.
    ChosenAlthoughTooLarge,
    /// It is the largest that fits.
    LargestThatFits,
    /// One that comes before it was tried and did not do.
    NextAfterTrial,
    /// All that could be used were tried and wrote too slowly; it is the fastest of them.
    FastestOfSlow,
    /// Nothing but the demo model is installed.
    OnlyTheDemo,
    /// Models are installed, but none can be used: the demo model answers instead.
    NothingElseFits,
    /// Models are installed, but none can be used, and there is no demo model.
    NothingFits,
    /// Nothing is installed.
    NoModel,
}

impl Reason {
    /// One sentence in English.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Chosen => "It was chosen in Settings.",
            Self::ChosenAlthoughTooLarge => {
                "It was chosen in Settings, although it needs more memory than is free: answers may be slow."
            }
            Self::LargestThatFits => "It is the largest installed model that fits.",
            Self::NextAfterTrial => "It is the next best: what comes before it was tried here and did not do.",
            Self::FastestOfSlow => "Every installed model writes slowly here; it is the fastest of them.",
            Self::OnlyTheDemo => "No other model is installed.",
            Self::NothingElseFits => {
                "No other installed model can be used here now; close other programs or install a smaller model."
            }
            Self::NothingFits => {
                "No installed model can be used here now; close other programs or install a smaller model."
            }
            Self::NoModel => "No model is installed.",
        }
    }
}

/// Why a candidate that comes before the chosen one was passed over.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Rejection {
    /// It needs more memory than it may use now.
    TooLarge {
        /// Bytes that it needs.
        needed_bytes: u64,
        /// Bytes that it may use.
        usable_bytes: u64,
        /// Whether it would fit if other programs were closed; otherwise this device can never hold it.
        could_fit: bool,
    },
    /// It ran out of memory when it was tried.
    OutOfMemory,
    /// It wrote too slowly when it was tried.
    TooSlow {
        /// Tokens a second.
        tokens_per_second: f64,
    },
    /// It could not be opened, or stopped, when it was tried.
    Failed {
        /// What was reported.
        message: String,
    },
}

/// A candidate that comes before the chosen one and was passed over.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rejected {
    /// The candidate.
    pub candidate: Candidate,
    /// Why.
    pub why: Rejection,
}

impl Rejected {
    /// One sentence in English.
    pub fn sentence(&self) -> String {
        let candidate = &self.candidate;
        let (name, device) = (&candidate.name, candidate.device.name());
        match &self.why {
            Rejection::TooLarge { needed_bytes, usable_bytes, could_fit: true } => format!(
                "{name} needs {} on {device}, and {} may be used now: close other programs.",
                gigabytes(*needed_bytes),
                gigabytes(*usable_bytes)
            ),
            Rejection::TooLarge { needed_bytes, could_fit: false, .. } => format!(
                "{name} needs {} on {device}, which never has more than {} for it: this computer has too little memory \
                 there.",
                gigabytes(*needed_bytes),
                gigabytes(candidate.usable_at_most)
            ),
            Rejection::OutOfMemory => format!("{name} ran out of memory on {device} when it was tried."),
            Rejection::TooSlow { tokens_per_second } => {
                format!("{name} wrote {tokens_per_second:.1} tokens a second on {device} when it was tried.")
            }
            Rejection::Failed { message } => format!("{name} failed on {device} when it was tried: {message}."),
        }
    }
}

/// Which candidate answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// The candidate; `None` where there is none to use.
    pub candidate: Option<Candidate>,
    /// Why.
    pub reason: Reason,
    /// What comes before it and was passed over, best first.
    pub rejected: Vec<Rejected>,
    /// Whether it was never tried here: a short measured trial should confirm it.
    pub needs_trial: bool,
}

/// Chooses among `candidates`: `preferred` (a model's id, from Settings) if it is there, whatever `trials` remembers;
/// otherwise the first in [order](by_rank) that fits and did not fail its trial; otherwise, where all that fit wrote too
/// slowly, the fastest of them, because slow answers beat the demo model's; otherwise the demo model.
///
/// One that ran out of memory is not tried again until more memory may be used than then.
pub fn choose(candidates: &[Candidate], preferred: Option<&str>, trials: &Trials) -> Choice {
    let mut ranked: Vec<&Candidate> = candidates.iter().filter(|one| !one.demo).collect();
    ranked.sort_by(|a, b| by_rank(a, b));

    if let Some(id) = preferred
        && let Some(choice) = choose_device(candidates.iter().filter(|one| one.id == id), trials)
    {
        return choice;
    }

    let mut rejected = Vec::new();
    for candidate in &ranked {
        match rejection(candidate, trials) {
            None => {
                let after_trial = rejected.iter().any(|one: &Rejected| was_tried(&one.why));
                let reason = if after_trial { Reason::NextAfterTrial } else { Reason::LargestThatFits };
                return settled(candidate, reason, rejected, trials);
            }
            Some(why) => rejected.push(Rejected { candidate: (*candidate).clone(), why }),
        }
    }
    if let Some(at) = fastest(&rejected) {
        let fastest = rejected.remove(at).candidate;
        return settled(&fastest, Reason::FastestOfSlow, rejected, trials);
    }

    // The demo model is small enough to be tried whatever the system says is free.
    let demo = candidates.iter().find(|candidate| candidate.demo);
    let reason = match (demo, ranked.is_empty()) {
        (None, true) => Reason::NoModel,
        (None, false) => Reason::NothingFits,
        (Some(_), true) => Reason::OnlyTheDemo,
        (Some(_), false) => Reason::NothingElseFits,
    };
    Choice { candidate: demo.cloned(), reason, rejected, needs_trial: false }
}

/// The order in which candidates are considered: the largest variant first; of one variant, graphics cards before the
/// processor and the card with most usable memory before others; on one device, files that were trained for four bits
/// before others, because they answer best for their size; then the file that needs least, which is also the fastest.
pub fn by_rank(a: &Candidate, b: &Candidate) -> Ordering {
    let key = |one: &Candidate| {
        let card = one.device.is_gpu().then_some(one.usable);
        (Reverse(one.effective_parameters), Reverse(card), Reverse(one.qat), one.need.total(), one.id.clone())
    };
    key(a).cmp(&key(b))
}

/// Where the model that a person chose runs: the best device that fits and did not fail; failing that the fastest that
/// was measured, the best that fits, or the processor, whose memory can at least be swapped.
fn choose_device<'a>(of_one_model: impl Iterator<Item = &'a Candidate>, trials: &Trials) -> Option<Choice> {
    let mut ranked: Vec<&Candidate> = of_one_model.collect();
    ranked.sort_by(|a, b| by_rank(a, b));
    let mut rejected = Vec::new();
    for candidate in &ranked {
        match rejection(candidate, trials) {
            None => return Some(settled(candidate, Reason::Chosen, rejected, trials)),
            Some(why) => rejected.push(Rejected { candidate: (*candidate).clone(), why }),
        }
    }
    let fits = |one: &Rejected| one.candidate.fits();
    let at = fastest(&rejected)
        .or_else(|| rejected.iter().rposition(fits))
        .or_else(|| rejected.iter().position(|one| !one.candidate.device.is_gpu()))
        .or_else(|| (!rejected.is_empty()).then_some(0))?;
    let chosen = rejected.remove(at).candidate;
    let reason = if chosen.fits() { Reason::Chosen } else { Reason::ChosenAlthoughTooLarge };
    Some(settled(&chosen, reason, rejected, trials))
}

fn settled(candidate: &Candidate, reason: Reason, rejected: Vec<Rejected>, trials: &Trials) -> Choice {
    let needs_trial = !candidate.demo && held(candidate, trials).is_none();
    Choice { candidate: Some(candidate.clone()), reason, rejected, needs_trial }
}

/// Why `candidate` is passed over, if it is.
fn rejection(candidate: &Candidate, trials: &Trials) -> Option<Rejection> {
    if !candidate.fits() && !candidate.demo {
        let needed_bytes = candidate.need.total();
        let could_fit = needed_bytes <= candidate.usable_at_most;
        return Some(Rejection::TooLarge { needed_bytes, usable_bytes: candidate.usable, could_fit });
    }
    match &held(candidate, trials)?.outcome {
        Outcome::Passed { .. } => None,
        Outcome::TooSlow { tokens_per_second } => Some(Rejection::TooSlow { tokens_per_second: *tokens_per_second }),
        Outcome::OutOfMemory => Some(Rejection::OutOfMemory),
        Outcome::Failed { message } => Some(Rejection::Failed { message: message.clone() }),
    }
}

/// The trial of `candidate` as far as it still says something: one that ran out of memory does so only while no more
/// may be used than then.
fn held<'a>(candidate: &Candidate, trials: &'a Trials) -> Option<&'a Trial> {
    let ran_out = |trial: &Trial| matches!(trial.outcome, Outcome::OutOfMemory);
    trials.of(candidate).filter(|trial| !ran_out(trial) || candidate.usable <= with_margin(trial.usable_bytes))
}

/// Free memory changes all the time: a tenth more makes a difference that is worth another trial.
fn with_margin(bytes: u64) -> u64 {
    bytes.saturating_add(bytes / 10)
}

fn was_tried(why: &Rejection) -> bool {
    !matches!(why, Rejection::TooLarge { .. })
}

/// The place of the fastest among those that were too slow.
fn fastest(rejected: &[Rejected]) -> Option<usize> {
    let speed = |one: &Rejected| match one.why {
        Rejection::TooSlow { tokens_per_second } => Some(tokens_per_second),
        _ => None,
    };
    let measured = rejected.iter().enumerate().filter_map(|(at, one)| Some((at, speed(one)?)));
    measured.max_by(|(at_a, a), (at_b, b)| a.total_cmp(b).then(at_b.cmp(at_a))).map(|(at, _)| at)
}

/// Whether writing this fast is fast enough.
pub(crate) fn is_fast_enough(tokens_per_second: f64) -> bool {
    tokens_per_second >= MIN_TOKENS_PER_SECOND
}
