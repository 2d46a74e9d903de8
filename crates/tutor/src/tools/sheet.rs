//! A lesson or exam sheet.

use super::text::{LongText, MediumText, ShortText};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use specta::Type;

/// Questions on paper, with their answers for whoever teaches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct Sheet {
    /// What it is about.
    pub title: ShortText,
    /// What the students are told first.
    pub instructions: MediumText,
    /// Questions with four answers to choose from.
    #[schemars(length(min = 0, max = 10))]
    pub choice: Vec<ChoiceItem>,
    /// Questions with lines to write on.
    #[schemars(length(min = 0, max = 10))]
    pub open: Vec<OpenItem>,
}

/// A question with four answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct ChoiceItem {
    /// The question.
    pub prompt: MediumText,
    /// Four answers, one of them right.
    #[schemars(length(min = 4, max = 4))]
    pub options: Vec<ShortText>,
    /// Why the right answer is right.
    pub explanation: LongText,
    /// The place of the right answer, from 0.
    #[schemars(range(min = 0, max = 3))]
    pub answer: u8,
}

/// A question to be answered in writing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct OpenItem {
    /// The question.
    pub prompt: MediumText,
    /// Lines that the answer needs.
    #[schemars(range(min = 1, max = 10))]
    pub lines: u8,
    /// What a good answer says.
    pub answer: LongText,
}
