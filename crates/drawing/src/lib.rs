//! From a mind map or an illustration to positions, and from these to SVG, PNG and Mermaid text.
//!
//! Everything is computed here, from the tools' JSON: where things stand, how texts break, which lines join them. The page
//! shows the same positions that the files have. What a model wrote stays text at every step.

mod font;
mod illustration;
mod mermaid;
mod mind_map;
mod paper;
mod png;
mod scene;
mod svg;
mod text;
mod theme;

pub use illustration::illustration;
pub use mermaid::mermaid;
pub use mind_map::mind_map;
pub use png::{Error, MOST_PIXELS, png};
pub use scene::{Anchor, Drawing, Item, Node, NodeLevel, Paint, TextLine};
pub use svg::svg;
pub use theme::Theme;
