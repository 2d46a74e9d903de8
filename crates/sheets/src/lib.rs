//! What tools made, on paper: Markdown of every tool, and PDF of lesson and exam sheets for students and for whoever
//! teaches. What a model wrote is data at every step: it is escaped for Markdown, and typst gets it as values.

mod formula;
mod lists;
mod markdown;
mod pdf;
mod rich;
mod words;
mod world;

pub use lists::{flashcards_markdown, mind_map_markdown, practice_markdown, quiz_markdown};
pub use markdown::markdown;
pub use pdf::{Error, pdf};

/// For whom a sheet is, beyond what stands in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Language of the headings.
    pub language: tutor::Language,
    /// School year, 1 to 12.
    pub grade: u8,
    /// Whether it is the teacher's: with answers, explanations and points.
    pub answers: bool,
}
