//! A quiz.

use super::text::{LongText, MediumText, ShortText};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use specta::Type;

/// Questions with four answers to choose from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct Quiz {
    /// What it is about.
    pub title: ShortText,
    /// As many as were asked for.
    #[schemars(length(min = 3, max = 10))]
    pub questions: Vec<Question>,
}

/// One question of a quiz.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// The question.
    pub prompt: MediumText,
    /// Four answers, one of them right.
    #[schemars(length(min = 4, max = 4))]
    pub options: Vec<ShortText>,
    /// Shown after a first wrong answer: it helps without telling.
    pub hint: MediumText,
    /// Why the right answer is right. It stands before `answer`, so that a model thinks before it decides.
    pub explanation: LongText,
    /// The place of the right answer, from 0.
    #[schemars(range(min = 0, max = 3))]
    pub answer: u8,
}
