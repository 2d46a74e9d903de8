//! Practice.

use super::text::{MediumText, ShortText};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use specta::Type;

/// Exercises on one topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct Practice {
    /// What they are about.
    pub title: ShortText,
    /// The exercises.
    #[schemars(length(min = 3, max = 3))]
    pub exercises: Vec<Exercise>,
}

/// One exercise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct Exercise {
    /// The statement.
    pub prompt: MediumText,
    /// Shown after a first wrong answer: it helps without telling.
    pub hint: MediumText,
    /// The way to the answer.
    #[schemars(length(min = 1, max = 4))]
    pub steps: Vec<MediumText>,
    /// The answer: a number or a few words.
    pub answer: ShortText,
}
