//! What a model needs, what this computer can give, and which model is therefore used.
//!
//! The rule for a processor is simple on purpose: what generation reads for every token must stay in memory, so
//!
//! > needed = weights without the per-layer table + KV cache at the context length + scratch
//! > usable = free memory − 1 GB for everything else that runs
//!
//! and a model fits when needed ≤ usable. The per-layer table is mapped and read one row a token; the system may keep or
//! drop its pages as it likes.

use hardware::HardwareProfile;
use serde::Serialize;

/// Memory left to everything else that runs on the computer: 1 GB.
pub const HEADROOM_BYTES: u64 = 1_000_000_000;

/// Bytes that one model needs on one device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct MemoryNeed {
    /// Weights that are read for every token: all but the per-layer table.
    pub weights: u64,
    /// The KV cache at the context length.
    pub kv_cache: u64,
    /// Intermediate results of a prefill chunk, the tokenizer, logits.
    pub scratch: u64,
}

impl MemoryNeed {
    /// All of it.
    pub fn total(&self) -> u64 {
        self.weights.saturating_add(self.kv_cache).saturating_add(self.scratch)
    }
}

/// What a model on this machine's processor may use.
pub fn usable_on_cpu(profile: &HardwareProfile) -> u64 {
    profile.ram_free.saturating_sub(HEADROOM_BYTES)
}

/// One installed model on one device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Candidate {
    /// The model's id.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// Its quantization.
    pub quantization: String,
    /// Whether it is the demo model.
    pub demo: bool,
    /// Parameters without the per-layer table; orders the variants.
    pub effective_parameters: u64,
    /// Where it would run.
    pub device: String,
    /// What it needs there.
    pub need: MemoryNeed,
    /// What it may use there.
    pub usable: u64,
}

impl Candidate {
    /// Whether it fits.
    pub fn fits(&self) -> bool {
        self.need.total() <= self.usable
    }
}

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
    /// Nothing but the demo model is installed.
    OnlyTheDemo,
    /// Models are installed, but none fits: the demo model answers instead.
    NothingElseFits,
    /// Models are installed, but none fits, and there is no demo model.
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
            Self::OnlyTheDemo => "No other model is installed.",
            Self::NothingElseFits => {
                "The other installed models need more memory than is free; close other programs or install a smaller model."
            }
            Self::NothingFits => {
                "Every installed model needs more memory than is free; close other programs or install a smaller model."
            }
            Self::NoModel => "No model is installed.",
        }
    }
}

/// Which candidate is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice<'a> {
    /// The candidate; `None` where there is none to use.
    pub candidate: Option<&'a Candidate>,
    /// Why.
    pub reason: Reason,
}

/// Chooses among `candidates`: `preferred` (a model's id, from Settings) if it is there, otherwise the largest variant
/// that fits, otherwise the demo model.
///
/// Among files of one variant the one that needs least memory is taken: on a processor it is also the fastest.
pub fn choose<'a>(candidates: &'a [Candidate], preferred: Option<&str>) -> Choice<'a> {
    if let Some(chosen) = preferred.and_then(|id| candidates.iter().find(|candidate| candidate.id == id)) {
        let reason = if chosen.fits() { Reason::Chosen } else { Reason::ChosenAlthoughTooLarge };
        return Choice { candidate: Some(chosen), reason };
    }
    let largest = candidates
        .iter()
        .filter(|candidate| !candidate.demo && candidate.fits())
        .max_by_key(|candidate| (candidate.effective_parameters, std::cmp::Reverse(candidate.need.total())));
    if let Some(largest) = largest {
        return Choice { candidate: Some(largest), reason: Reason::LargestThatFits };
    }
    // The demo model is small enough to be tried whatever the system says is free.
    let demo = candidates.iter().find(|candidate| candidate.demo);
    let reason = match (demo, candidates.iter().any(|candidate| !candidate.demo)) {
        (None, false) => Reason::NoModel,
        (None, true) => Reason::NothingFits,
        (Some(_), false) => Reason::OnlyTheDemo,
        (Some(_), true) => Reason::NothingElseFits,
    };
    Choice { candidate: demo, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MB: u64 = 1_000_000;

    fn candidate(id: &str, effective: u64, need_mb: u64, usable_mb: u64) -> Candidate {
        Candidate {
            id: id.to_owned(),
            name: id.to_owned(),
            quantization: "Q4_0".to_owned(),
            demo: id == "demo",
            effective_parameters: effective,
            device: "CPU".to_owned(),
            need: MemoryNeed { weights: need_mb * MB, kv_cache: 0, scratch: 0 },
            usable: usable_mb * MB,
        }
    }

    fn check(usable_mb: u64, preferred: Option<&str>, ids: &[&str], expected: (Option<&str>, Reason)) {
        let all = [
            candidate("demo", 3, 60, usable_mb),
            candidate("e2b-q8", 2_000, 2700, usable_mb),
            candidate("e2b-q4", 2_000, 1700, usable_mb),
            candidate("e4b-q4", 4_000, 3300, usable_mb),
        ];
        let installed: Vec<_> = all.into_iter().filter(|one| ids.contains(&one.id.as_str())).collect();
        let choice = choose(&installed, preferred);
        assert_eq!(
            (choice.candidate.map(|one| one.id.as_str()), choice.reason),
            expected,
            "{usable_mb} {preferred:?} {ids:?}"
        );
    }

    #[test]
    fn the_largest_variant_that_fits_and_its_smallest_file() {
        let all = ["demo", "e2b-q8", "e2b-q4", "e4b-q4"];
        check(8000, None, &all, (Some("e4b-q4"), Reason::LargestThatFits));
        check(3300, None, &all, (Some("e4b-q4"), Reason::LargestThatFits));
        check(3299, None, &all, (Some("e2b-q4"), Reason::LargestThatFits));
        check(1699, None, &all, (Some("demo"), Reason::NothingElseFits));
        check(0, None, &all, (Some("demo"), Reason::NothingElseFits));
        check(8000, None, &["demo"], (Some("demo"), Reason::OnlyTheDemo));
        check(8000, None, &[], (None, Reason::NoModel));
        check(1000, None, &["e4b-q4"], (None, Reason::NothingFits));
    }

    #[test]
    fn what_a_person_chose_is_honoured() {
        let all = ["demo", "e2b-q8", "e2b-q4", "e4b-q4"];
        check(8000, Some("e2b-q8"), &all, (Some("e2b-q8"), Reason::Chosen));
        check(8000, Some("demo"), &all, (Some("demo"), Reason::Chosen));
        check(1000, Some("e4b-q4"), &all, (Some("e4b-q4"), Reason::ChosenAlthoughTooLarge));
        check(8000, Some("removed-since"), &all, (Some("e4b-q4"), Reason::LargestThatFits));
    }

    #[test]
    fn a_gigabyte_stays_for_the_rest_of_the_computer() {
        let profile = |name: &str| {
            let path = format!("{}/../hardware/tests/profiles/{name}.json", env!("CARGO_MANIFEST_DIR"));
            HardwareProfile::from_json(&std::fs::read_to_string(path).expect("a profile")).expect("a profile")
        };
        let laptop = profile("laptop-8gb-no-gpu");
        assert_eq!(usable_on_cpu(&laptop), laptop.ram_free - 1_000_000_000);
        let starved = HardwareProfile { ram_free: 500 * MB, ..laptop };
        assert_eq!(usable_on_cpu(&starved), 0);
        assert_eq!(usable_on_cpu(&profile("old-laptop-4gb")) / (100 * MB), 12);
    }
}
