//! What a model needs, what this computer can give, and which model on which device is therefore used.
//!
//! The rule is simple on purpose: what generation reads for every token must stay in one device's memory, so
//!
//! > needed = weights without the per-layer table + KV cache at the context length + scratch
//! > usable on the processor = free memory − 1 GB for everything else that runs
//! > usable on a graphics card = the lesser of its own memory − 1.5 GB and what is free of it now
//!
//! and a model fits a device when needed ≤ usable. Nothing is ever split between devices. The per-layer table is mapped
//! from the file and read one row a token; the system may keep or drop its pages as it likes.

mod choice;
mod device;

use std::path::Path;
use std::time::UNIX_EPOCH;

use hardware::HardwareProfile;
use serde::{Deserialize, Serialize};

pub(crate) use choice::is_fast_enough;
pub use choice::{Choice, Reason, Rejected, Rejection, by_rank, choose};
pub use device::{
    Backends, Device, DeviceMemory, KvElement, UnusedCard, VRAM_RESERVE_BYTES, WhyUnused, cpu, devices, usable_on_cpu,
};

use crate::installed::InstalledModel;

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

/// What tells a model file from another, and from an earlier one of the same name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FileStamp {
    /// The file's name without its folder.
    pub name: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// When it was last written, in seconds since 1970; 0 where the system does not say.
    pub modified: u64,
}

impl FileStamp {
    /// The stamp of the file at `path`; without size and time if it cannot be looked at.
    pub fn of(path: &Path) -> Self {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let facts = path.metadata().ok();
        let modified = facts.as_ref().and_then(|facts| facts.modified().ok()?.duration_since(UNIX_EPOCH).ok());
        let bytes = facts.map_or(0, |facts| facts.len());
        Self { name, bytes, modified: modified.map_or(0, |since| since.as_secs()) }
    }
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
    /// Whether it was trained for four bits, see [`Inspection::qat`](crate::Inspection::qat).
    pub qat: bool,
    /// Whether it is the demo model.
    pub demo: bool,
    /// Parameters without the per-layer table; orders the variants.
    pub effective_parameters: u64,
    /// Its file.
    pub file: FileStamp,
    /// Where it would run.
    pub device: Device,
    /// At which context length, in tokens.
    pub context_len: usize,
    /// What it needs there.
    pub need: MemoryNeed,
    /// What it may use there now.
    pub usable: u64,
    /// What it could use there if nothing else ran.
    pub usable_at_most: u64,
}

impl Candidate {
    /// Whether it fits now.
    pub fn fits(&self) -> bool {
        self.need.total() <= self.usable
    }
}

impl InstalledModel {
    /// This model on every device of the computer that `profile` describes and on which this build can compute. The
    /// demo model stays on the processor, which is fast enough for it.
    ///
    /// `profile` is meant to be taken while no model is open: what an open one holds counts as used.
    pub fn candidates(&self, profile: &HardwareProfile, context_len: usize, backends: Backends) -> Vec<Candidate> {
        let file = FileStamp::of(&self.path);
        let mut devices = devices(profile, backends).0;
        devices.retain(|memory| !(self.inspection.demo && memory.device.is_gpu()));
        devices.into_iter().map(|memory| self.with_stamp(memory, context_len, file.clone())).collect()
    }

    /// This model on the processor of the computer that `profile` describes.
    pub fn candidate(&self, profile: &HardwareProfile, context_len: usize) -> Candidate {
        self.candidate_on(cpu(profile), context_len)
    }

    /// This model on one device.
    pub fn candidate_on(&self, memory: DeviceMemory, context_len: usize) -> Candidate {
        self.with_stamp(memory, context_len, FileStamp::of(&self.path))
    }

    fn with_stamp(&self, memory: DeviceMemory, context_len: usize, file: FileStamp) -> Candidate {
        let inspection = &self.inspection;
        Candidate {
            id: self.id.clone(),
            name: inspection.name.clone(),
            quantization: inspection.quantization.clone(),
            qat: inspection.qat,
            demo: inspection.demo,
            effective_parameters: inspection.effective_parameters,
            file,
            need: inspection.memory_need_with(context_len, memory.kv),
            device: memory.device,
            context_len,
            usable: memory.usable,
            usable_at_most: memory.usable_at_most,
        }
    }
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
            qat: false,
            demo: id == "demo",
            effective_parameters: effective,
            file: FileStamp::default(),
            device: Device::Cpu,
            context_len: 4096,
            need: MemoryNeed { weights: need_mb * MB, kv_cache: 0, scratch: 0 },
            usable: usable_mb * MB,
            usable_at_most: usable_mb * MB,
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
        let choice = choose(&installed, preferred, &crate::Trials::none());
        assert_eq!(
            (choice.candidate.as_ref().map(|one| one.id.as_str()), choice.reason),
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
