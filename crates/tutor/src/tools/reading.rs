//! What a model read in a picture. It is shown and asked back before anything is done with it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use specta::Type;

/// What stands in a picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    /// Line by line, from the top; none where there is nothing to read.
    #[schemars(length(min = 0, max = 24))]
    pub lines: Vec<Line>,
    /// Whether a part could not be read with certainty.
    pub unsure: bool,
}

/// One line. Formulas stand in LaTeX between dollar signs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// What it says.
    #[schemars(length(min = 1, max = 200))]
    pub text: String,
}
