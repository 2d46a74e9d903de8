//! Guided decoding: an answer that has its form by construction.
//!
//! The form is a JSON Schema, from which a grammar is made. At each token the grammar says which of the vocabulary may
//! come next, and the others are forbidden before one is drawn. Where only one text can follow (a property's name, a
//! bracket) nothing is drawn at all: its tokens are fed as they are, together.
//!
//! ```text
//! engine thread   prefill │ feed 1 + forced │ mask the row, draw │ feed 1 + forced │ …
//! guide's thread  grammar │ mask …………………… │ next, forced       │ mask …………………… │ …
//! ```
//!
//! `vocabulary` is the model's tokens as bytes, `grammar` what may follow, `guide` the thread and its conversation.

mod grammar;
mod guide;
mod vocabulary;

pub(crate) use grammar::{Dialect, Place, Workshop};
pub use grammar::{Forced, Mask};
pub use guide::{Guide, Guides};
pub(crate) use vocabulary::environment;

#[cfg(test)]
mod tests;
