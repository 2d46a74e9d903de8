//! Engines on other computers: Cloud Boost (the Gemini API) and the school's server (vLLM, llama-server, Ollama, LM Studio).
//!
//! * [`Gemini`] – Cloud Boost
//! * [`School`] – the school's server
//! * [`Secret`] – a key or token that shows up nowhere
//! * [`Error`] – every bad day, with its code and the next thing to do
//! * [`sse`] – streams of events, as servers really send them
//!
//! Nothing of a server is trusted: neither its status, its content type, its end, nor the form of its result.

mod answer;
mod error;
mod exchange;
mod gemini;
mod loops;
mod retry;
mod school;
mod secret;
pub mod sse;
mod teller;

pub use error::{Error, Problem};
pub use gemini::{Gemini, GeminiOptions};
pub use school::{Discovery, Rung, School, SchoolOptions, ServerKind, school_origin};
pub use secret::Secret;

/// A model that a server offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelInfo {
    /// What requests call it, e.g. `gemma-4-26b-a4b-it`.
    pub id: String,
    /// What people call it, where the server says.
    pub name: Option<String>,
    /// Tokens that it reads at most, where the server says.
    pub context_len: Option<usize>,
    /// Tokens that it writes at most, where the server says.
    pub max_tokens: Option<usize>,
}
