//! Text in and out, as the worker needs it; `backend` implements it with Gemma's tokenizer and template.

use std::sync::Arc;

use generation::Message;

use crate::error::Error;

/// The tokens that were generated for an answer whose visible text is given, if they are remembered; thoughts among
/// them are for [`Codec::render`] to leave out.
pub type Recall<'a> = &'a mut dyn FnMut(&str) -> Option<Vec<u32>>;

/// Turns conversations into tokens and tokens into text.
pub trait Codec: Send {
    /// The prompt for `messages`, up to where the answer begins.
    ///
    /// For an assistant's message the ids from `recall` are used where there are some: text that was generated
    /// need not tokenize to the tokens that generated it, and only those make the KV cache reusable.
    ///
    /// # Errors
    /// If the tokenizer fails.
    fn render(&self, messages: &[Message], recall: Recall<'_>) -> Result<Vec<u32>, Error>;

    /// The control token that opens a turn. It never comes from text, so it marks turn boundaries in a prompt.
    fn turn_start(&self) -> u32;

    /// Whether `token` ends an answer.
    fn is_stop(&self, token: u32) -> bool;

    /// What the tokens stand for, to hold an answer to its form.
    fn vocabulary(&self) -> Arc<dyn Vocabulary>;

    /// A decoder for one answer.
    fn stream(&self) -> Box<dyn TextStream + '_>;
}

/// What tokens stand for.
pub trait Vocabulary: Send + Sync {
    /// How many tokens there are: ids lie below.
    fn size(&self) -> usize;

    /// The bytes that `token` adds to a text; none for tokens that are never text.
    fn bytes(&self, token: u32) -> Option<Vec<u8>>;

    /// The tokens with which a model ends its turn, the usual one first.
    fn ends(&self) -> Vec<u32>;

    /// The tokens of `text`, all of it plain text.
    ///
    /// # Errors
    /// If the tokenizer fails.
    fn encode(&self, text: &str) -> Result<Vec<u32>, Error>;
}

/// Turns the tokens of one answer into text as they come.
pub trait TextStream {
    /// Whole characters that `token` completes; empty inside a character, in the thought channel and for control tokens.
    fn push(&mut self, token: u32) -> String;

    /// What is still held back when the answer ends, as far as it is text.
    fn finish(&mut self) -> String;
}
