//! What crosses the border to the page: plain types, from which the TypeScript bindings are generated.
//!
//! The page is untrusted (`ARCHITECTURE.md`): no type here carries a path, and ids are opaque strings. What a person types
//! about a server goes in: its address is shown back, its key or token never.

mod engines;
mod setup;
mod tools;
mod transfer;

pub use engines::{
    CloudState, EnginesInput, EnginesState, Place, Places, SchoolInput, SchoolState, SecretKept, ServerKind,
    ServerModel, TestReport, TestStep, TestStepKind,
};

pub use setup::{
    ChoiceReason, ChoiceReport, DeviceKind, GpuSummary, HardwareSummary, Profile, ProfileInput, ProfileKind,
    RejectReason, Rejected, SetupState,
};
pub use tools::{
    AboutInput, Creation, CreationSummary, DrawingView, ExportFormat, Feature, FeatureState, ItemWork, PreparedImage,
    SendPreview, SentText, ToolEvent, ToolInput, ToolTicket, Unlock, WaitReason, Work,
};
pub use transfer::{
    ConnectionLine, ModelOffer, ModelSource, NetworkState, PickKind, SourceDetails, SourceKind, SourceModel, Storage,
    Transfer, TransferKind, TransferState,
};

pub use tutor::tools::{Content, Level, SheetForm, ToolKind};

use serde::{Deserialize, Serialize};
use specta::Type;

/// Languages of the interface and of the tutor's instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum Language {
    /// Spanish.
    Es,
    /// English.
    En,
    /// Portuguese.
    Pt,
}

/// Light, dark, high contrast, or as the system says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum Theme {
    /// As the system says.
    System,
    /// The squared notebook.
    Light,
    /// The chalkboard.
    Dark,
    /// Black on white with strong edges.
    Contrast,
}

/// Size of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum TextSize {
    /// As designed.
    S,
    /// 1.125 times.
    M,
    /// 1.3 times.
    L,
}

/// Everything a person chose in Settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// Interface language.
    pub language: Language,
    /// Colours.
    pub theme: Theme,
    /// Size of text.
    pub text_size: TextSize,
    /// No movement, whatever the system says.
    pub reduce_motion: bool,
    /// Context length in tokens, 512 to 32768.
    pub context_len: u32,
    /// Reply cap in tokens, 16 to 8192, below the context length.
    pub max_reply_tokens: u32,
    /// Installed model to use; `None` lets Aula choose.
    pub model_id: Option<String>,
    /// Minutes without a question after which the model leaves the memory, at most 240; 0 keeps it.
    pub idle_unload_minutes: u32,
    /// Most kilobytes a second that a download may take; 0 for no limit.
    pub download_limit_kb: u32,
    /// While the computer runs on its battery about half of the processor's cores compute.
    pub battery_saver: bool,
    /// Copies of what the model has read of recent conversations are kept on disk, so that going on with one is fast.
    pub keep_ready: bool,
}

/// Facts that do not change while the app runs.
#[derive(Debug, Clone, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct AppInfo {
    /// Aula's version.
    pub version: String,
    /// Connections to the network that Aula has opened since it was installed.
    pub connections: u32,
    /// A damaged database was found at start and kept aside; the app started with an empty one.
    pub store_was_damaged: bool,
}

/// The engine badge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum BadgeKind {
    /// Gemma 4 on this computer: green.
    Local,
    /// Cloud Boost: blue.
    Cloud,
    /// The school's server: violet.
    School,
    /// The demo model: grey.
    Demo,
}

/// Who wrote an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Badge {
    /// Colour and word.
    pub kind: BadgeKind,
    /// Model name, e.g. `Gemma 4 E2B`.
    pub model: String,
    /// Device, e.g. `CPU`.
    pub device: String,
}

/// The model's state, for the page's composer and the badge before any answer.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(tag = "state", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ModelStatus {
    /// No model is installed.
    Absent,
    /// It is being opened; questions may be written and are answered afterwards.
    Loading,
    /// It is open and is being tried for some seconds; questions may be written and are answered afterwards.
    Trying {
        /// Name of the model that is tried.
        model: String,
        /// Where it is tried.
        device: String,
    },
    /// It left the memory because nobody asked for a while or memory ran low; the next question opens it again.
    Resting {
        /// Who will answer.
        badge: Badge,
        /// Whether other programs needed the memory.
        for_memory: bool,
    },
    /// It answers.
    Ready {
        /// Who will answer.
        badge: Badge,
        /// Context length in tokens.
        context_len: u32,
        /// Seconds that opening took.
        load_seconds: f64,
        /// Why this model on this device; none until that is known.
        choice: Option<ChoiceReport>,
    },
    /// It could not be opened.
    Failed {
        /// Why, and what to do.
        error: IpcError,
    },
}

/// One installed model, in Settings.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ModelSummary {
    /// Opaque id.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Quantization, e.g. `Q4_0`.
    pub quantization: String,
    /// Size of the file in bytes.
    pub file_bytes: f64,
    /// Whether it is the demo model.
    pub demo: bool,
    /// Whether this computer has the memory for it.
    pub fits: bool,
    /// Whether it is the one in use.
    pub active: bool,
}

/// A conversation in the list.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ConversationSummary {
    /// Opaque id.
    pub id: String,
    /// Title; empty until the first question names it.
    pub title: String,
    /// Milliseconds since 1970.
    pub updated_at: f64,
}

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum Speaker {
    /// The student.
    Student,
    /// The tutor.
    Tutor,
}

/// How far an answer got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum MessageState {
    /// It is being written.
    Streaming,
    /// It is whole.
    Complete,
    /// The student stopped it.
    Stopped,
    /// The reply cap or the context length cut it.
    Cut,
    /// The engine stopped in the middle; the text so far was kept.
    Interrupted,
}

/// One turn.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// Opaque id.
    pub id: String,
    /// Who speaks.
    pub speaker: Speaker,
    /// What is said: Markdown with LaTeX from the tutor, plain text from the student.
    pub text: String,
    /// How far it got.
    pub state: MessageState,
    /// Who wrote it; none for the student, and none until an engine has begun.
    pub badge: Option<Badge>,
    /// Tokens a second; none for the student or a very short answer.
    pub tokens_per_second: Option<f64>,
    /// Seconds from asking to the end.
    pub seconds: Option<f64>,
    /// Milliseconds since 1970.
    pub created_at: f64,
    /// All versions of this turn (edits, regenerations) in order of creation, this one included.
    pub version_ids: Vec<String>,
}

/// A conversation with the turns of its active branch, oldest first.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Conversation {
    /// Its line in the list.
    pub summary: ConversationSummary,
    /// Turns.
    pub messages: Vec<Message>,
}

/// A new question.
#[derive(Debug, Clone, PartialEq, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct AskRequest {
    /// Where to ask; none begins a new conversation.
    pub conversation_id: Option<String>,
    /// The question, at most 20 000 characters.
    pub text: String,
}

/// Admission of a question, an edit or a regeneration.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct AskTicket {
    /// For `chat_cancel`.
    pub request_id: String,
    /// The answer's message id, to which the channel's events belong.
    pub answer_id: String,
    /// The conversation as it stands now: the question and the empty answer included.
    pub conversation: Conversation,
}

/// Events of one answer, over the channel given with the command.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(tag = "event", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ChatEvent {
    /// So many questions are ahead.
    Queued {
        /// Questions ahead.
        position: u32,
    },
    /// An engine has begun.
    Started {
        /// Who answers.
        badge: Badge,
    },
    /// Nothing comes for so long, then it goes on.
    Waiting {
        /// Seconds from now.
        seconds: u32,
        /// Why.
        reason: WaitReason,
    },
    /// Reading the question.
    Prefill {
        /// Tokens read.
        done: u32,
        /// Tokens to read.
        total: u32,
    },
    /// More text.
    Token {
        /// To append.
        text: String,
    },
    /// The end: the answer as saved.
    Finished {
        /// The answer.
        message: Message,
    },
    /// The end by a failure; what was written is kept in `message`.
    Failed {
        /// Why, and what to do.
        error: IpcError,
        /// The answer as saved.
        message: Message,
    },
}

/// A failed command.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct IpcError {
    /// The page translates this.
    pub code: ErrorCode,
    /// English, for the log and behind "Details".
    pub message: String,
    /// English: what to do next.
    pub hint: Option<String>,
    /// The request it belongs to, if any.
    pub request_id: Option<String>,
}

/// The page's copy of [`errors::ErrorCode`]; a new code there fails to compile here until it is added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "documented on errors::ErrorCode")]
pub enum ErrorCode {
    ModelFileDamaged,
    ModelUnsupported,
    ModelMissing,
    OutOfMemory,
    ModelLoading,
    WorkerCrashed,
    WorkerHung,
    QueueFull,
    PromptTooLong,
    InvalidRequest,
    DeviceUnavailable,
    NotFound,
    StoreDamaged,
    StoreNewer,
    AlreadyOpen,
    DiskFull,
    NetworkClosed,
    Offline,
    ServerRefused,
    TransferCorrupt,
    SourceGone,
    Locked,
    WrongPin,
    NameNotFound,
    UntrustedServer,
    CaptivePortal,
    ServerSilent,
    TooSlow,
    Truncated,
    AnswerTooLarge,
    BadAnswer,
    AnswerLooped,
    ResultCut,
    KeyMissing,
    KeyRejected,
    KeyRestricted,
    RegionBlocked,
    ModelNotServed,
    QuotaExceeded,
    ServerBusy,
    ContentBlocked,
    AdultOnly,
    ConsentNeeded,
    EngineOff,
    NoVision,
    ImageUnreadable,
    Io,
    Internal,
}
