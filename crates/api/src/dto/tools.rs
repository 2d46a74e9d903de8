//! The tools: what can run where, a tool at work, and what was made.

use super::{Badge, ErrorCode, IpcError};
use serde::{Deserialize, Serialize};
use specta::Type;
use tutor::tools::{Content, Level, SheetForm, ToolKind};

/// Something a person can do that needs an engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum Feature {
    /// Talking with the tutor: always on this computer.
    Chat,
    /// Another answer in the chat, by a larger model, when a person asks for it.
    SecondAnswer,
    /// A quiz.
    Quiz,
    /// Practice on a free topic.
    Practice,
    /// Flashcards.
    Flashcards,
    /// A lesson or exam sheet; adults only.
    Sheet,
    /// A mind map.
    MindMap,
    /// An illustration.
    Illustration,
    /// Reading a photo.
    Photo,
    /// Reading what was written on the whiteboard.
    Handwriting,
}

/// What would make a feature available: the button beside the reason does it or leads there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum Unlock {
    /// Install a model: Settings, models.
    InstallModel,
    /// Choose who does it: Settings, who answers.
    ChooseEngine,
    /// Enter the key: Settings, who answers.
    EnterKey,
    /// An adult reads what is sent and agrees.
    Agree,
    /// Enter the school server's address: Settings, who answers.
    EnterServer,
    /// Choose another of the server's models: Settings, who answers.
    ChooseServerModel,
    /// An adult does it in their profile: Settings, profile.
    AskAnAdult,
    /// Connect to a network, then try again.
    Connect,
    /// Wait or try again.
    Retry,
}

/// Where a feature runs now, or why it does not.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct FeatureState {
    /// The feature.
    pub feature: Feature,
    /// Who will do it: the badge on its button. None where nothing can.
    pub badge: Option<Badge>,
    /// Why nothing can; the page has the sentence.
    pub reason: Option<ErrorCode>,
    /// What would change that.
    pub unlock: Option<Unlock>,
    /// Who could do it instead, if the person says so.
    pub instead: Option<Badge>,
    /// Absent for this profile: it is not shown at all.
    pub hidden: bool,
}

/// What a drawing is about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum AboutInput {
    /// A topic, 2 to 200 characters.
    Topic {
        /// As typed.
        topic: String,
    },
    /// An answer of the tutor.
    Answer {
        /// Its message id.
        message_id: String,
    },
}

/// What is asked of a tool. Topics have 2 to 200 characters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
#[serde(tag = "tool", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ToolInput {
    /// A quiz.
    Quiz {
        /// What about.
        topic: String,
        /// 3, 5 or 10.
        count: u8,
        /// How hard.
        level: Level,
    },
    /// Three exercises.
    Practice {
        /// What about.
        topic: String,
        /// How hard.
        level: Level,
        /// Statements of earlier exercises on this topic, the latest last; at most 12.
        used: Vec<String>,
    },
    /// A mind map.
    MindMap {
        /// What about.
        about: AboutInput,
    },
    /// An illustration.
    Illustration {
        /// What about.
        about: AboutInput,
    },
    /// Flashcards.
    Flashcards {
        /// What about.
        topic: String,
        /// 5, 8 or 12.
        count: u8,
    },
    /// A sheet; adults only.
    Sheet {
        /// What about.
        topic: String,
        /// 1 to 12.
        grade: u8,
        /// 3, 5, 7 or 10.
        count: u8,
        /// Which kind of questions.
        form: SheetForm,
    },
    /// Reading a picture that `image_take` or `image_pick` prepared.
    Reading {
        /// Its id.
        image_id: String,
        /// Whether it was drawn on the whiteboard; otherwise it is a photo.
        handwriting: bool,
    },
}

/// Admission of a tool's work.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ToolTicket {
    /// For `tool_cancel`.
    pub request_id: String,
}

/// Why an engine waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum WaitReason {
    /// The allowance is used up until then.
    Quota,
    /// The server has too much to do.
    Busy,
}

/// Events of one tool at work.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(tag = "event", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ToolEvent {
    /// So many requests are ahead.
    Queued {
        /// Requests ahead.
        position: u32,
    },
    /// An engine has begun.
    Started {
        /// Who does it.
        badge: Badge,
    },
    /// Reading the task.
    Prefill {
        /// Tokens read.
        done: u32,
        /// Tokens to read.
        total: u32,
    },
    /// Nothing comes for so long, then it goes on.
    Waiting {
        /// Seconds from now.
        seconds: u32,
        /// Why.
        reason: WaitReason,
    },
    /// It grows.
    Writing {
        /// Characters so far.
        characters: u32,
        /// Whole items so far (questions, cards, branches …).
        items: u32,
        /// Items that were asked for, where that is known.
        of: Option<u32>,
    },
    /// The end: what was made, as saved.
    Finished {
        /// What was made.
        creation: Creation,
    },
    /// The end by a failure. Nothing half-done is shown.
    Failed {
        /// Why, and what to do.
        error: IpcError,
        /// Who could do it instead, if the person says so.
        instead: Option<Badge>,
    },
    /// The end by a person.
    Cancelled,
}

/// Something that a tool made, in the list.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct CreationSummary {
    /// Opaque id.
    pub id: String,
    /// The tool.
    pub tool: ToolKind,
    /// Its title.
    pub title: String,
    /// Who made it.
    pub badge: Badge,
    /// Milliseconds since 1970.
    pub created_at: f64,
    /// How far a person got with it, 0 to 1; none where that means nothing.
    pub progress: Option<f64>,
}

/// Something that a tool made.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Creation {
    /// Its line in the list.
    pub summary: CreationSummary,
    /// What was asked for.
    pub input: ToolInput,
    /// What came.
    pub content: Content,
    /// What a person did with it.
    pub work: Work,
}

/// One question or exercise as a person went through it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ItemWork {
    /// What was tried, in order: the place of an option, or what was typed.
    pub tries: Vec<String>,
    /// Whether it is done: right, or the answer was shown.
    pub done: bool,
    /// Whether it was right; none while it is not done.
    pub right: Option<bool>,
}

/// What a person did with a creation. Saved whole at every step.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Work {
    /// For each question, exercise or card, in order.
    pub items: Vec<ItemWork>,
    /// Where they are.
    pub at: u32,
}

/// A file that a creation can be saved as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum ExportFormat {
    /// A drawing, scalable.
    Svg,
    /// A drawing, as pixels.
    Png,
    /// Text.
    Markdown,
    /// A sheet without answers.
    StudentPdf,
    /// A sheet with answers.
    TeacherPdf,
}

/// A drawing ready to be shown: positions are computed, texts are text.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct DrawingView {
    /// What it shows.
    pub drawing: drawing::Drawing,
    /// The same as Mermaid text, for mind maps.
    pub mermaid: Option<String>,
}

/// A picture that was made anew from its pixels: what a person gave lost everything else.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct PreparedImage {
    /// Opaque id; good until the program ends.
    pub id: String,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Bytes that would be sent.
    pub bytes: u32,
    /// The picture as it would be sent: a `data:` address for an `img` element.
    pub preview: String,
}

/// One message, as it would be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct SentText {
    /// `system`, `user` or `assistant`.
    pub role: String,
    /// What it says.
    pub text: String,
}

/// Exactly what a request would send, and to whom.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct SendPreview {
    /// Who would get it.
    pub badge: Badge,
    /// The computer that would get it, e.g. `generativelanguage.googleapis.com`; none for this one.
    pub host: Option<String>,
    /// All texts.
    pub texts: Vec<SentText>,
    /// The picture, if one goes along.
    pub image: Option<PreparedImage>,
    /// Whether an adult must still agree (Cloud Boost's first request).
    pub needs_consent: bool,
}
