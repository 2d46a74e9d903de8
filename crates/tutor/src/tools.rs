//! The tools: what each asks a model for, and what it gets.
//!
//! Each result is one Rust type, from which the JSON Schema is made that every engine gets: the one on this computer is held
//! to it token by token, a server is asked for it and checked. A type here therefore keeps to what all of them do well:
//!
//! * at most one free text in an object (larger models behind servers fall into loops with two), so texts are objects
//!   of their own: `{"text": "…"}`;
//! * every text and every list has bounds, every property is required, no other property is allowed;
//! * no references, no recursion, no alternatives; whatever must be thought of first stands first.
//!
//! The property names are part of what a model reads: short English words.

pub mod answers;
mod check;
mod flashcards;
mod illustration;
mod limits;
mod mind_map;
mod practice;
mod prompt;
mod quiz;
mod reading;
mod repair;
mod schema;
mod sheet;
mod text;

#[cfg(test)]
mod tests;

pub use check::NotATask;
pub use flashcards::{Card, Flashcards};
pub use illustration::{Curve, Function, Illustration, Shape, ShapeKind, Tone};
pub use mind_map::{Branch, Leaf, MindMap, Twig};
pub use practice::{Exercise, Practice};
pub use prompt::{MAX_ABOUT_CHARS, PROMPT_VERSION};
pub use quiz::{Question, Quiz};
pub use reading::{Line, Reading};
pub use schema::NotAResult;
pub use sheet::{ChoiceItem, OpenItem, Sheet};
pub use text::{LongText, MediumText, ShortText};

use serde::{Deserialize, Serialize};
use specta::Type;

/// The tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum ToolKind {
    /// Questions with four answers to choose from.
    Quiz,
    /// Exercises on a free topic.
    Practice,
    /// A tree of ideas.
    MindMap,
    /// A drawing of shapes, labels and curves.
    Illustration,
    /// Cards with a front and a back.
    Flashcards,
    /// A lesson or exam sheet on paper, for adults.
    Sheet,
    /// What stands in a photo or a drawing by hand.
    Reading,
}

impl ToolKind {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Quiz, Self::Practice, Self::MindMap, Self::Illustration, Self::Flashcards, Self::Sheet, Self::Reading];

    /// A name in ASCII letters and `_`, stable: the store and servers see it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Quiz => "quiz",
            Self::Practice => "practice",
            Self::MindMap => "mind_map",
            Self::Illustration => "illustration",
            Self::Flashcards => "flashcards",
            Self::Sheet => "sheet",
            Self::Reading => "reading",
        }
    }
}

/// How hard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum Level {
    /// To begin with.
    Easy,
    /// As in class.
    Medium,
    /// To think about.
    Hard,
}

/// What questions a sheet has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum SheetForm {
    /// Four answers to choose from.
    Choice,
    /// Lines to write on.
    Open,
    /// Half and half; with an odd number one choice more.
    Mixed,
}

/// What a drawing is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// A topic that a person named.
    Topic(String),
    /// A text, e.g. an answer of the tutor. It is data: nothing in it is an instruction.
    Text(String),
}

/// One task for a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// A quiz of [`Task::QUIZ_COUNTS`] questions.
    Quiz {
        /// What about.
        topic: String,
        /// Questions.
        count: u8,
        /// How hard.
        level: Level,
    },
    /// Exercises.
    Practice {
        /// What about.
        topic: String,
        /// How hard.
        level: Level,
        /// Statements that were used already, the latest last.
        used: Vec<String>,
    },
    /// A mind map.
    MindMap {
        /// What about.
        about: About,
    },
    /// An illustration.
    Illustration {
        /// What about.
        about: About,
    },
    /// Flashcards.
    Flashcards {
        /// What about.
        topic: String,
        /// Cards, one of [`Task::CARD_COUNTS`].
        count: u8,
    },
    /// A sheet.
    Sheet {
        /// What about.
        topic: String,
        /// School year, 1 to 12.
        grade: u8,
        /// Questions, one of [`Task::SHEET_COUNTS`].
        count: u8,
        /// Which kind.
        form: SheetForm,
    },
    /// Reading a picture, which goes with the request.
    Reading {
        /// Whether it was drawn by hand on the whiteboard; otherwise it is a photo.
        handwriting: bool,
    },
}

impl Task {
    /// How many questions a quiz may have.
    pub const QUIZ_COUNTS: [u8; 3] = [3, 5, 10];
    /// How many cards a set may have.
    pub const CARD_COUNTS: [u8; 3] = [5, 8, 12];
    /// How many questions a sheet may have.
    pub const SHEET_COUNTS: [u8; 4] = [3, 5, 7, 10];
    /// Exercises that are made at a time.
    pub const EXERCISES: u8 = 3;
    /// The school years.
    pub const GRADES: std::ops::RangeInclusive<u8> = 1..=12;

    /// The tool.
    pub fn kind(&self) -> ToolKind {
        match self {
            Self::Quiz { .. } => ToolKind::Quiz,
            Self::Practice { .. } => ToolKind::Practice,
            Self::MindMap { .. } => ToolKind::MindMap,
            Self::Illustration { .. } => ToolKind::Illustration,
            Self::Flashcards { .. } => ToolKind::Flashcards,
            Self::Sheet { .. } => ToolKind::Sheet,
            Self::Reading { .. } => ToolKind::Reading,
        }
    }
}

/// What a tool made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
#[serde(tag = "tool", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Content {
    /// A quiz.
    Quiz(Quiz),
    /// Exercises.
    Practice(Practice),
    /// A mind map.
    MindMap(MindMap),
    /// An illustration.
    Illustration(Illustration),
    /// Flashcards.
    Flashcards(Flashcards),
    /// A sheet.
    Sheet(Sheet),
    /// What was read.
    Reading(Reading),
}

impl Content {
    /// The tool that made it.
    pub fn kind(&self) -> ToolKind {
        match self {
            Self::Quiz(_) => ToolKind::Quiz,
            Self::Practice(_) => ToolKind::Practice,
            Self::MindMap(_) => ToolKind::MindMap,
            Self::Illustration(_) => ToolKind::Illustration,
            Self::Flashcards(_) => ToolKind::Flashcards,
            Self::Sheet(_) => ToolKind::Sheet,
            Self::Reading(_) => ToolKind::Reading,
        }
    }
}
