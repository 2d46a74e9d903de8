//! A mind map: a tree of at most four levels, each with its own type, because schemas here know no recursion.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use specta::Type;

/// The root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct MindMap {
    /// The topic in a few words.
    #[schemars(length(min = 1, max = 40))]
    pub label: String,
    /// Its main ideas.
    #[schemars(length(min = 2, max = 6))]
    pub children: Vec<Branch>,
}

/// A main idea.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct Branch {
    /// The idea in a few words.
    #[schemars(length(min = 1, max = 40))]
    pub label: String,
    /// What belongs to it.
    #[schemars(length(min = 0, max = 4))]
    pub children: Vec<Leaf>,
}

/// Something that belongs to a main idea.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct Leaf {
    /// In a few words.
    #[schemars(length(min = 1, max = 40))]
    pub label: String,
    /// What belongs to it.
    #[schemars(length(min = 0, max = 2))]
    pub children: Vec<Twig>,
}

/// The last level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct Twig {
    /// In a few words.
    #[schemars(length(min = 1, max = 40))]
    pub label: String,
}
