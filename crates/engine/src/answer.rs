//! One answer, from the request to its last token: render, prefill, draw, decode.

mod held;

use std::time::Instant;

use generation::{Completion, EngineInfo, FinishReason, GenerateRequest, Timings, TokenEvent, Usage};

use crate::{
    answer_memory::AnswerMemory,
    codec::{Codec, TextStream},
    error::Error,
    guided::Guides,
    kept::Found,
    logits_processor::{Chain, LogitsProcessor},
    sampler::Sampler,
    session::{Prefilled, Session},
    speculation::Speculation,
    validation,
};

/// What an answer is written with.
pub struct Writer<'a> {
    /// The sequence that follows the conversation.
    pub session: &'a mut Session,
    /// Text in and out.
    pub codec: &'a dyn Codec,
    /// Guesses ahead, and what they are worth.
    pub speculation: &'a mut Speculation,
    /// Tokens of earlier answers.
    pub memory: &'a mut AnswerMemory,
    /// Holds answers that have a form to it.
    pub guides: &'a mut Guides,
    /// Who answers.
    pub engine: &'a EngineInfo,
    /// What is kept of the conversation, if anything is.
    pub kept: Option<Found>,
    /// Edits to each row of logits before the draw.
    pub processors: Chain,
    /// Asked before every layer and for every token; `true` stops the answer.
    pub cancelled: &'a dyn Fn() -> bool,
    /// Takes events in their order, without the end.
    pub emit: &'a mut dyn FnMut(TokenEvent),
}

/// What has been generated so far.
#[derive(Default)]
struct Draft {
    tokens: Vec<u32>,
    text: String,
    prompt_tokens: usize,
    prefilled: Option<Prefilled>,
    /// Of the tokens, how many were not drawn.
    forced: usize,
    first_token_s: Option<f64>,
    last_token_s: f64,
    prefill_s: f64,
}

/// An answer while it is written.
struct Answer<'a> {
    max_tokens: usize,
    /// Most tokens it may have: those asked for, and those for which the context has room.
    room: usize,
    /// When the engine turned to it.
    begun: Instant,
    stream: Box<dyn TextStream + 'a>,
    draft: &'a mut Draft,
}

impl Answer<'_> {
    /// Adds `token`; the text that it completes, which is none for one that ends the answer.
    fn put(&mut self, token: u32, is_stop: bool) -> String {
        let draft = &mut *self.draft;
        draft.tokens.push(token);
        draft.last_token_s = self.begun.elapsed().as_secs_f64();
        draft.first_token_s.get_or_insert(draft.last_token_s);
        let piece = if is_stop { String::new() } else { self.stream.push(token) };
        draft.text.push_str(&piece);
        piece
    }

    /// How many tokens more it may have.
    fn left(&self) -> usize {
        self.room.saturating_sub(self.draft.tokens.len())
    }

    /// Why it ends now, if it has as many tokens as it may.
    fn full(&self) -> Option<FinishReason> {
        let reason = if self.room < self.max_tokens { FinishReason::ContextFull } else { FinishReason::MaxTokens };
        (self.left() == 0).then_some(reason)
    }
}

impl Writer<'_> {
    /// Writes the answer to `request`; `Started`, `Prefill` and `Token` events go to `emit`, the end is returned.
    /// A cancellation is an end like others.
    ///
    /// # Errors
    /// A request that contradicts a limit, a prompt longer than the context, or a failure of the model.
    pub fn write(&mut self, request: &GenerateRequest) -> Result<Completion, Error> {
        self.write_with(request, &mut Sampler::new(&request.sampling))
    }

    /// As [`Writer::write`], with tokens drawn by `sampler`.
    pub(crate) fn write_with(&mut self, request: &GenerateRequest, sampler: &mut Sampler) -> Result<Completion, Error> {
        let begun = Instant::now();
        let context_len = self.session.context_len();
        validation::request(request, context_len)?;
        let mut draft = Draft { tokens: Vec::with_capacity(request.max_tokens), ..Draft::default() };
        let finish_reason = self.run(request, sampler, &mut draft, begun)?;
        let (drafted_tokens, accepted_tokens) = self.speculation.counts();
        Ok(Completion {
            finish_reason,
            usage: Usage {
                prompt_tokens: draft.prompt_tokens,
                reused_tokens: draft.prefilled.map_or(0, |prefilled| prefilled.reused),
                prefilled_tokens: draft.prefilled.map_or(0, |prefilled| prefilled.computed),
                completion_tokens: draft.tokens.len(),
                drafted_tokens,
                accepted_tokens,
                forced_tokens: draft.forced,
                seed: sampler.seed(),
            },
            timings: Timings {
                queue_s: 0.0,
                prefill_s: draft.prefill_s,
                ttft_s: draft.first_token_s.unwrap_or_else(|| begun.elapsed().as_secs_f64()),
                decode_s: draft.first_token_s.map_or(0.0, |first| draft.last_token_s - first),
            },
            token_ids: draft.tokens,
            engine: self.engine.clone(),
        })
    }

    fn run(
        &mut self,
        request: &GenerateRequest,
        sampler: &mut Sampler,
        draft: &mut Draft,
        begun: Instant,
    ) -> Result<FinishReason, Error> {
        let guide = match &request.structure {
            Some(structure) => match self.guides.begin(structure, self.cancelled)? {
                Some(guide) => Some(guide),
                None => return Ok(FinishReason::Cancelled),
            },
            None => None,
        };
        let prompt = self.codec.render(&request.messages, &mut |text| self.memory.recall(text))?;
        draft.prompt_tokens = prompt.len();
        validation::prompt_len(prompt.len(), self.session.context_len())?;
        if let Some(kept) = self.kept.take() {
            kept.restore(self.session, &prompt);
        }
        self.speculation.begin(&prompt, request.max_tokens);
        (self.emit)(TokenEvent::Started { engine: self.engine.clone() });

        let prefill_begun = Instant::now();
        let prefilled = &mut draft.prefilled;
        let emit = &mut *self.emit;
        let outcome = self.session.prefill(&prompt, self.codec.turn_start(), self.cancelled, &mut |now, total| {
            *prefilled = Some(now);
            emit(TokenEvent::Prefill { done: now.computed, total });
        });
        draft.prefill_s = prefill_begun.elapsed().as_secs_f64();
        match outcome {
            Ok(_) => {}
            Err(Error::Model(gemma4::Error::Cancelled)) => return Ok(self.cancelled_in_prefill(draft)),
            Err(error) => return Err(error),
        }

        let codec = self.codec;
        let mut answer = Answer {
            max_tokens: request.max_tokens,
            room: request.max_tokens.min(self.session.context_len() - prompt.len()),
            begun,
            stream: codec.stream(),
            draft,
        };
        let reason = match guide {
            Some(guide) => self.held(&guide, &mut answer, sampler)?,
            None => self.free(&mut answer, sampler)?,
        };
        let rest = answer.stream.finish();
        drop(answer);
        let cut_character = !rest.is_empty();
        if cut_character {
            draft.text.push_str(&rest);
            (self.emit)(TokenEvent::Token { text: rest });
        }
        self.session.checkpoint()?;
        self.remember(draft, reason, cut_character);
        Ok(reason)
    }

    /// Draws tokens of any kind until the answer ends.
    fn free(&mut self, answer: &mut Answer<'_>, sampler: &mut Sampler) -> Result<FinishReason, Error> {
        // The row to draw from; the guesses before it were right.
        let mut at = 0;
        let reason = loop {
            if (self.cancelled)() {
                break FinishReason::Cancelled;
            }
            if !self.processors.is_empty() {
                self.processors.process(&answer.draft.tokens, self.session.row_mut(at));
            }
            let token = sampler.sample(self.session.row(at))?;
            self.speculation.drawn(token);
            let is_stop = self.codec.is_stop(token);
            self.show(answer.put(token, is_stop));
            if is_stop {
                break FinishReason::Stop;
            }
            if let Some(full) = answer.full() {
                break full;
            }
            let guess = self.speculation.guesses().get(at);
            if guess == Some(&token) {
                at += 1;
                continue;
            }
            let wrong = guess.is_some();
            self.end_of_draft(at, wrong)?;
            at = 0;
            // What may still be drawn after the token that is fed now.
            let fed = self.speculation.next(token, answer.left() - 1);
            let pass_begun = Instant::now();
            match self.session.feed(fed, self.cancelled) {
                Ok(()) => self.speculation.took(pass_begun.elapsed().as_secs_f64()),
                Err(Error::Model(gemma4::Error::Cancelled)) => {
                    self.speculation.forget();
                    break FinishReason::Cancelled;
                }
                Err(error) => return Err(error),
            }
        };
        // The token drawn last is never fed.
        self.end_of_draft(at, false)?;
        Ok(reason)
    }

    /// Shows a piece of text, if there is any.
    fn show(&mut self, piece: String) {
        if !piece.is_empty() {
            (self.emit)(TokenEvent::Token { text: piece });
        }
    }

    /// Of the guesses that were fed the first `right` were right: takes the others back.
    fn end_of_draft(&mut self, right: usize, wrong: bool) -> Result<(), Error> {
        self.session.take_back(self.speculation.guesses().len() - right)?;
        self.speculation.judged(right, wrong);
        Ok(())
    }

    /// `prefilled_tokens` then counts what was computed; the prompt's length is cut to match the usage's equation.
    fn cancelled_in_prefill(&self, draft: &mut Draft) -> FinishReason {
        if let Some(prefilled) = draft.prefilled {
            draft.prompt_tokens = prefilled.reused + prefilled.computed;
        }
        FinishReason::Cancelled
    }

    /// Remembers the answer's tokens, unless the answer was cut inside a character: they would not be its text.
    fn remember(&mut self, draft: &Draft, reason: FinishReason, cut_character: bool) {
        // An answer that has its whole form may end without a stop token.
        let stopped = reason == FinishReason::Stop && draft.tokens.last().is_some_and(|last| self.codec.is_stop(*last));
        let n_text = draft.tokens.len() - usize::from(stopped);
        let tokens = &draft.tokens[..n_text];
        if !cut_character {
            self.memory.remember(&draft.text, tokens.to_vec());
        }
    }
}
