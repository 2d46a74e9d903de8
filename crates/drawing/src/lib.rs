//! From a mind map or an illustration to positions, and from these to SVG, PNG and Mermaid text.
//!
//! Everything is computed here, from the tools' JSON: where things stand, how texts break, which lines join them. The page
//! shows the same positions that the files have. What a model wrote stays text at every step.

mod scene;

pub use scene::{Anchor, Drawing, Item, Node, NodeLevel, Paint, TextLine};
