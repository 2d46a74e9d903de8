//! Who uses this computer, what it is made of, and why a model was chosen.

use serde::{Deserialize, Serialize};
use specta::Type;

/// Who a profile is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum ProfileKind {
    /// A teacher or a family.
    Adult,
    /// A student.
    Learner,
}

/// The person who uses this computer.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    /// Opaque id.
    pub id: String,
    /// What the tutor calls them; may be empty.
    pub name: String,
    /// Who the profile is for.
    pub kind: ProfileKind,
    /// Whether a PIN is asked for at the start.
    pub has_pin: bool,
}

/// A profile as a person fills it in.
#[derive(Debug, Clone, PartialEq, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ProfileInput {
    /// At most 40 characters.
    pub name: String,
    /// Who the profile is for.
    pub kind: ProfileKind,
    /// 4 to 8 digits sets a PIN, an empty text removes it, none leaves it as it is.
    pub pin: Option<String>,
    /// The PIN until now, where there is one and it changes.
    pub old_pin: Option<String>,
}

/// How far the first run is.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct SetupState {
    /// Whether the first run was finished on this computer.
    pub done: bool,
    /// Whether a PIN must be given before anything else.
    pub locked: bool,
    /// Seconds until a PIN may be tried again after several wrong ones; 0 for now.
    pub wait_seconds: u32,
    /// The person who uses this computer.
    pub profile: Profile,
}

/// Where a model computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum DeviceKind {
    /// The processor.
    Cpu,
    /// A graphics card.
    Gpu,
}

/// One graphics card.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct GpuSummary {
    /// Name for people.
    pub name: String,
    /// Its own memory in bytes; none where it shares the main memory or did not tell.
    pub dedicated_bytes: Option<f64>,
    /// Whether this version computes on it.
    pub used: bool,
}

/// This computer.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct HardwareSummary {
    /// The processor's name.
    pub cpu: String,
    /// Cores that compute independently.
    pub cores: u32,
    /// Main memory in bytes.
    pub ram_bytes: f64,
    /// Main memory that is free now, in bytes.
    pub ram_free_bytes: f64,
    /// Graphics cards.
    pub gpus: Vec<GpuSummary>,
}

/// Why a model was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum ChoiceReason {
    /// A person chose it.
    Chosen,
    /// A person chose it although it needs more memory than is free.
    ChosenAlthoughTooLarge,
    /// It is the largest that fits.
    LargestThatFits,
    /// A larger one was tried and did not do; `rejected` says why.
    NextAfterTrial,
    /// All were too slow when they were tried; it is the fastest of them.
    FastestOfSlow,
    /// Nothing but the demo model is installed.
    OnlyTheDemo,
    /// Models are installed, but none fits.
    NothingElseFits,
}

/// Why a model that is installed does not answer.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum RejectReason {
    /// It needs more memory than is free.
    TooLarge {
        /// Bytes that it needs.
        needed_bytes: f64,
        /// Bytes that it may use.
        usable_bytes: f64,
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
    /// It could not be opened or stopped when it was tried.
    Failed,
}

/// A model that is installed and does not answer.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Rejected {
    /// Name for people.
    pub model: String,
    /// Where it would have run.
    pub device: DeviceKind,
    /// That device's name.
    pub device_name: String,
    /// Why not.
    pub reason: RejectReason,
}

/// Why this model on this device.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ChoiceReport {
    /// The model's opaque id.
    pub model_id: String,
    /// Name for people.
    pub model: String,
    /// Where it runs.
    pub device: DeviceKind,
    /// That device's name.
    pub device_name: String,
    /// Cores used, where it runs on the processor.
    pub cores: u32,
    /// Tokens a second in the trial; none where none was made.
    pub tokens_per_second: Option<f64>,
    /// Bytes that it needs there.
    pub needed_bytes: f64,
    /// Bytes that it may use there.
    pub usable_bytes: f64,
    /// Why.
    pub reason: ChoiceReason,
    /// What comes before it and does not do, best first.
    pub rejected: Vec<Rejected>,
}
