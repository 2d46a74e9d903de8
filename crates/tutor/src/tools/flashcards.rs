//! Flashcards.

use super::text::{MediumText, ShortText};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use specta::Type;

/// Cards on one topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct Flashcards {
    /// What they are about.
    pub title: ShortText,
    /// As many as were asked for.
    #[schemars(length(min = 5, max = 12))]
    pub cards: Vec<Card>,
}

/// One card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// What is asked.
    pub front: MediumText,
    /// What is to be remembered.
    pub back: MediumText,
}
