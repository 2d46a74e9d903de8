//! Speculation: several tokens from one forward pass.
//!
//! While one token is computed the processor waits for memory, so a pass over a few more rows costs little. A drafter
//! guesses the tokens that follow; they are fed together with the token just drawn, and each row of logits is then drawn
//! from as if it had been computed alone: by the same logits processors and the same sampler, in the same order. As long
//! as the token drawn is the one that was guessed, the next row is already there; the rest is taken back.
//!
//! A row does not depend on how many were computed with it, so text, tokens and the sampler's random numbers are exactly
//! those without speculation.

mod draft_length;
pub mod drafter;
pub mod prompt_lookup;

use draft_length::DraftLength;
use drafter::{Confidence, DraftContext, Drafter};
use prompt_lookup::PromptLookup;

/// The drafter of a model, what is known of its worth, and the present draft.
pub struct Speculation {
    /// `None` never guesses.
    drafter: Option<Box<dyn Drafter>>,
    length: DraftLength,
    /// The prompt and the answer so far.
    text: Vec<u32>,
    /// The token drawn last, then the guesses that were fed with it.
    fed: Vec<u32>,
    confidence: Confidence,
    drafted: usize,
    accepted: usize,
}

impl Default for Speculation {
    /// By prompt lookup.
    fn default() -> Self {
        Self::with(Box::new(PromptLookup))
    }
}

impl Speculation {
    /// Guesses by `drafter`.
    pub fn with(drafter: Box<dyn Drafter>) -> Self {
        Self { drafter: Some(drafter), ..Self::off() }
    }

    /// Never guesses.
    pub fn off() -> Self {
        Self {
            drafter: None,
            length: DraftLength::default(),
            text: Vec::new(),
            fed: Vec::new(),
            confidence: 0,
            drafted: 0,
            accepted: 0,
        }
    }

    /// A new answer begins, to `prompt`, of at most `max_tokens` tokens. What was measured stays.
    pub(crate) fn begin(&mut self, prompt: &[u32], max_tokens: usize) {
        self.text.clear();
        self.text.reserve(prompt.len() + max_tokens);
        self.text.extend_from_slice(prompt);
        self.fed.clear();
        (self.drafted, self.accepted) = (0, 0);
    }

    /// `token` was drawn.
    pub(crate) fn drawn(&mut self, token: u32) {
        self.text.push(token);
    }

    /// Guesses that were fed.
    pub(crate) fn guesses(&self) -> &[u32] {
        self.fed.get(1..).unwrap_or_default()
    }

    /// What to feed now: `token`, which was drawn last, and at most `most` guesses.
    pub(crate) fn next(&mut self, token: u32, most: usize) -> &[u32] {
        self.fed.clear();
        self.fed.push(token);
        if let Some(drafter) = &mut self.drafter
            && most > 0
        {
            let context = DraftContext { tokens: &self.text, hidden: None };
            let most = most.min(DraftLength::most());
            self.confidence = drafter.draft(&context, most, &mut self.fed);
            let offered = (self.fed.len() - 1).min(most);
            let tried = self.length.choose(self.confidence, offered);
            self.fed.truncate(1 + tried);
            self.drafted += tried;
        }
        &self.fed
    }

    /// The pass over what [`Speculation::next`] said took `seconds`.
    pub(crate) fn took(&mut self, seconds: f64) {
        self.length.took(self.fed.len(), seconds);
    }

    /// The first `right` guesses were drawn. The one behind them was not, if `wrong`; otherwise it was not looked at.
    /// The draft is over.
    pub(crate) fn judged(&mut self, right: usize, wrong: bool) {
        let guesses = self.fed.get(1..).unwrap_or_default();
        if let Some(drafter) = &mut self.drafter
            && !guesses.is_empty()
        {
            self.length.judged(self.confidence, right, wrong);
            drafter.observe(guesses, right);
            self.accepted += right;
        }
        self.fed.clear();
    }

    /// The pass did not take place.
    pub(crate) fn forget(&mut self) {
        self.drafted -= self.guesses().len();
        self.fed.clear();
    }

    /// Guesses tried and guesses that were right, in this answer.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.drafted, self.accepted)
    }
}

impl std::fmt::Debug for Speculation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Speculation").field("on", &self.drafter.is_some()).field("length", &self.length).finish()
    }
}

#[cfg(test)]
mod tests;
