//! What `aula doctor` shows and, as JSON, writes: names stay, so that scripts can rely on them.

use std::collections::{BTreeMap, BTreeSet};

use catalog::fit::{Device, DeviceMemory, WhyUnused};
use catalog::manifest::Manifest;
use catalog::{Backends, Candidate, Choice, MemoryNeed, Outcome, Reason, Rejected, Rejection, Trial};
use hardware::{Gpu, GpuMemory, HardwareProfile};
use serde::Serialize;

use crate::installed_models::Unusable;

/// Everything `aula doctor` shows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Aula's version.
    pub version: &'static str,
    /// The computer.
    pub profile: HardwareProfile,
    /// Which instruction sets compute on the processor, or why none can be chosen.
    pub kernels: KernelsReport,
    /// What this build computes on besides the processor.
    pub backends: Backends,
    /// Where models can compute.
    pub devices: Vec<DeviceReport>,
    /// Graphics cards that were found, in the order of the profile.
    pub cards: Vec<CardReport>,
    /// Context length that the models are judged at, in tokens.
    pub context_len: usize,
    /// Installed models on each device, best first.
    pub candidates: Vec<CandidateReport>,
    /// Files in the models folder that cannot be used.
    pub unusable: Vec<Unusable>,
    /// Models that can be downloaded.
    pub offers: Vec<OfferReport>,
    /// The one that answers.
    pub choice: ChoiceReport,
}

/// Which instruction sets compute on the processor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KernelsReport {
    /// For each operation, by name, the instruction set; empty if none can be chosen.
    pub sets: BTreeMap<&'static str, &'static str>,
    /// Why none can be chosen.
    pub error: Option<String>,
}

impl KernelsReport {
    /// What computes in this process.
    pub(super) fn here() -> Self {
        match engine::lab::kernels() {
            Ok(sets) => Self { sets: sets.into_iter().collect(), error: None },
            Err(error) => Self { sets: BTreeMap::new(), error: Some(errors::chain(&error)) },
        }
    }

    /// In one line, for people.
    pub fn sentence(&self) -> String {
        if let Some(error) = &self.error {
            return error.clone();
        }
        let different: BTreeSet<_> = self.sets.values().copied().collect();
        different.into_iter().collect::<Vec<_>>().join(", ")
    }
}

/// `cpu` or `gpu`.
fn kind(device: &Device) -> &'static str {
    if device.is_gpu() { "gpu" } else { "cpu" }
}

/// A device on which models can compute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeviceReport {
    /// Its name for people.
    pub name: String,
    /// `cpu` or `gpu`.
    pub kind: &'static str,
    /// Bytes that a model may use there now.
    pub usable_bytes: u64,
    /// Bytes that it could use there if nothing else ran.
    pub usable_at_most_bytes: u64,
}

impl From<&DeviceMemory> for DeviceReport {
    fn from(memory: &DeviceMemory) -> Self {
        Self {
            name: memory.device.name().to_owned(),
            kind: kind(&memory.device),
            usable_bytes: memory.usable,
            usable_at_most_bytes: memory.usable_at_most,
        }
    }
}

/// A graphics card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CardReport {
    /// Its name for people.
    pub name: String,
    /// Its own memory in bytes; none where it shares the main memory or does not tell.
    pub dedicated_bytes: Option<u64>,
    /// What of it was free when it was asked.
    pub free_bytes: Option<u64>,
    /// Whether models can compute on it.
    pub used: bool,
    /// Why not, for scripts.
    pub why_unused: Option<WhyUnused>,
    /// The verdict for people.
    pub sentence: String,
}

impl CardReport {
    pub(super) fn new(gpu: &Gpu, why_unused: Option<WhyUnused>) -> Self {
        let (dedicated_bytes, free_bytes) = match gpu.memory {
            GpuMemory::Dedicated { total, free } => (Some(total), free),
            GpuMemory::Unified { .. } | GpuMemory::Unknown => (None, None),
        };
        let sentence = why_unused.map_or("Models can run on it.", WhyUnused::sentence).to_owned();
        Self { name: gpu.name.clone(), dedicated_bytes, free_bytes, used: why_unused.is_none(), why_unused, sentence }
    }
}

/// One installed model on one device.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CandidateReport {
    /// The model's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its quantization.
    pub quantization: String,
    /// Whether it was trained for four bits.
    pub qat: bool,
    /// Whether it is the demo model.
    pub demo: bool,
    /// Where it would run.
    pub device: String,
    /// `cpu` or `gpu`.
    pub device_kind: &'static str,
    /// Bytes it needs there, in parts.
    pub need: MemoryNeed,
    /// The sum of them.
    pub needed_bytes: u64,
    /// Bytes it may use there now.
    pub usable_bytes: u64,
    /// Bytes it could use there if nothing else ran.
    pub usable_at_most_bytes: u64,
    /// Whether it fits now.
    pub fits: bool,
    /// How its trial ended, where one was made.
    pub trial: Option<TrialReport>,
}

impl CandidateReport {
    pub(super) fn new(candidate: &Candidate, trial: Option<&Trial>) -> Self {
        Self {
            id: candidate.id.clone(),
            name: candidate.name.clone(),
            quantization: candidate.quantization.clone(),
            qat: candidate.qat,
            demo: candidate.demo,
            device: candidate.device.name().to_owned(),
            device_kind: kind(&candidate.device),
            need: candidate.need,
            needed_bytes: candidate.need.total(),
            usable_bytes: candidate.usable,
            usable_at_most_bytes: candidate.usable_at_most,
            fits: candidate.fits(),
            trial: trial.map(TrialReport::from),
        }
    }
}

/// How a short measured trial ended.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrialReport {
    /// For scripts.
    pub outcome: Outcome,
    /// For people.
    pub sentence: String,
    /// When, in seconds since 1970.
    pub time: u64,
}

impl From<&Trial> for TrialReport {
    fn from(trial: &Trial) -> Self {
        Self { outcome: trial.outcome.clone(), sentence: trial.outcome.sentence(), time: trial.time }
    }
}

/// A model that can be downloaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OfferReport {
    /// Its id in the list of offers.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its quantization.
    pub quantization: String,
    /// Who publishes it.
    pub publisher: String,
    /// Size of the file in bytes.
    pub file_bytes: u64,
    /// Bytes that it needs on the processor.
    pub needed_bytes: u64,
    /// The best device on which it fits now.
    pub fits_on: Option<String>,
    /// Whether it fits some device, at least if nothing else ran.
    pub could_fit: bool,
}

impl OfferReport {
    /// `candidates` is the model on each device, best first; the processor is always one of them.
    pub(super) fn new(offer: &Manifest, candidates: &[Candidate]) -> Self {
        let fits_on = candidates.iter().find(|one| one.fits());
        let on_cpu = candidates.iter().find(|one| !one.device.is_gpu());
        Self {
            id: offer.id.clone(),
            name: offer.name.clone(),
            quantization: offer.quantization.clone(),
            publisher: offer.publisher.clone(),
            file_bytes: offer.bytes,
            needed_bytes: on_cpu.map_or(0, |one| one.need.total()),
            fits_on: fits_on.map(|one| one.device.name().to_owned()),
            could_fit: candidates.iter().any(|one| one.need.total() <= one.usable_at_most),
        }
    }
}

/// The model that answers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChoiceReport {
    /// Its id; none where nothing can be used.
    pub id: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Where it runs.
    pub device: Option<String>,
    /// Why, for scripts.
    pub reason: Reason,
    /// Why, for people.
    pub sentence: String,
    /// Whether a short measured trial is still to confirm it.
    pub needs_trial: bool,
    /// What comes before it and was passed over, best first.
    pub rejected: Vec<RejectedReport>,
}

impl From<Choice> for ChoiceReport {
    fn from(choice: Choice) -> Self {
        let candidate = choice.candidate.as_ref();
        Self {
            id: candidate.map(|one| one.id.clone()),
            name: candidate.map(|one| one.name.clone()),
            device: candidate.map(|one| one.device.name().to_owned()),
            reason: choice.reason,
            sentence: choice.reason.sentence().to_owned(),
            needs_trial: choice.needs_trial,
            rejected: choice.rejected.iter().map(RejectedReport::from).collect(),
        }
    }
}

/// A candidate that was passed over.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RejectedReport {
    /// The model's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Where it would have run.
    pub device: String,
    /// Why not, for scripts.
    pub why: Rejection,
    /// Why not, for people.
    pub sentence: String,
}

impl From<&Rejected> for RejectedReport {
    fn from(rejected: &Rejected) -> Self {
        let candidate = &rejected.candidate;
        Self {
            id: candidate.id.clone(),
            name: candidate.name.clone(),
            device: candidate.device.name().to_owned(),
            why: rejected.why.clone(),
            sentence: rejected.sentence(),
        }
    }
}
