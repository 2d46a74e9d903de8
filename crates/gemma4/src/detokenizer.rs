//! Token ids to text while they arrive.

use crate::tokenizer::{SPACE, SpecialTokens, Tokenizer};

/// Hides what stands between `<|channel>` and `<channel|>`, by token id.
#[derive(Debug, Clone)]
pub struct ThoughtFilter {
    channel: Option<(u32, u32)>,
    inside: bool,
}

impl ThoughtFilter {
    /// A filter at the start of an answer.
    pub fn new(special: &SpecialTokens) -> Self {
        Self { channel: special.channel, inside: false }
    }

    /// Whether the token belongs to the answer: false from `<|channel>` to `<channel|>`, both included.
    pub fn admits(&mut self, id: u32) -> bool {
        let Some((start, end)) = self.channel else { return true };
        if id == start {
            self.inside = true;
        } else if id == end {
            self.inside = false;
            return false;
        }
        !self.inside
    }
}

/// Turns tokens into text one by one. It gives out whole characters only: the bytes of a character that arrives in
/// several tokens are held back until it is complete. Control tokens and thoughts give no text.
#[derive(Debug, Clone)]
pub struct Detokenizer<'a> {
    tokenizer: &'a Tokenizer,
    thoughts: ThoughtFilter,
    /// The beginning of a character, at most three bytes.
    pending: Vec<u8>,
}

impl<'a> Detokenizer<'a> {
    pub(crate) fn new(tokenizer: &'a Tokenizer) -> Self {
        Self { tokenizer, thoughts: ThoughtFilter::new(tokenizer.special()), pending: Vec::new() }
    }

    /// The text that `id` completes; often empty for byte tokens, always for control tokens and unknown ids.
    ///
    /// Bytes that cannot be part of any character come out as U+FFFD.
    pub fn push(&mut self, id: u32) -> String {
        if !self.thoughts.admits(id) || self.tokenizer.is_control(id) {
            return String::new();
        }
        if let Some(byte) = self.tokenizer.token_byte(id) {
            self.pending.push(byte);
            return self.complete();
        }
        let Some(token) = self.tokenizer.token(id) else { return String::new() };
        let mut text = self.finish();
        text.push_str(&token.replace(SPACE, " "));
        text
    }

    /// The end of the answer: a character that was never completed comes out as U+FFFD.
    pub fn finish(&mut self) -> String {
        if self.pending.is_empty() {
            return String::new();
        }
        let text = String::from_utf8_lossy(&self.pending).into_owned();
        self.pending.clear();
        text
    }

    /// Takes what is decided out of the pending bytes: whole characters, and U+FFFD for bytes that fit nowhere.
    fn complete(&mut self) -> String {
        let undecided = match std::str::from_utf8(&self.pending) {
            Ok(_) => 0,
            Err(error) if error.error_len().is_none() => self.pending.len() - error.valid_up_to(),
            // A wrong byte decides about those before it; what follows it may still be a beginning.
            Err(_) => incomplete_tail(&self.pending),
        };
        let tail = self.pending.split_off(self.pending.len() - undecided);
        let text = String::from_utf8_lossy(&self.pending).into_owned();
        self.pending = tail;
        text
    }
}

/// Length of the longest tail that may still become a character.
fn incomplete_tail(bytes: &[u8]) -> usize {
    (1..=bytes.len().min(3))
        .rev()
        .find(|len| {
            let tail = &bytes[bytes.len() - len..];
            matches!(std::str::from_utf8(tail), Err(error) if error.valid_up_to() == 0 && error.error_len().is_none())
        })
        .unwrap_or(0)
}
