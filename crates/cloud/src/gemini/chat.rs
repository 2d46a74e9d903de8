//! An answer that is shown as it is written.

use std::time::Duration;

use generation::{FinishReason, GenerateRequest, Usage};
use network::Response;
use serde_json::Value;

use super::request::Manner;
use super::wire::{self, Chunk, Finish};
use super::{Gemini, is_vague, request};
use crate::answer::Visible;
use crate::error::{Error, shown};
use crate::exchange::{self, broke_off};
use crate::loops::{Form, Loops};
use crate::sse::{Decoder, Item};
use crate::teller::{Ending, Teller};

/// After the model said that it is done, the end of the stream is waited for so long and no longer: more text or an error
/// may still follow, but a connection that just stays open is none.
const LAST_WORDS: Duration = Duration::from_secs(5);
/// Bytes of a body in which a page for people shows itself.
const PAGE_BYTES: usize = 64;

/// Has the question answered. It is asked again only as long as nothing was shown.
///
/// # Errors
/// If there is no answer, or none that is whole; what was shown stands.
pub(super) async fn answer(gemini: &Gemini, request: &GenerateRequest, teller: &mut Teller) -> Result<Ending, Error> {
    let mut retries = gemini.retries();
    let mut silent = false;
    loop {
        let learnt = gemini.manner();
        let manner = Manner { thinking: learnt.thinking && !silent, ..learnt };
        let body = request::body(request, manner);
        gemini.wait_for_allowance(request::tokens(request), teller).await;
        let outcome = match gemini.post("streamGenerateContent?alt=sse", &body, gemini.options.streaming).await {
            Ok(response) => Stream::new(gemini).read(response, teller).await,
            Err(error) => Err(error),
        };
        match outcome {
            Err(error) if !teller.has_text() => {
                if gemini.learn_manner(&error, manner) {
                    continue;
                }
                if manner.thinking && is_vague(&error) {
                    silent = true;
                    continue;
                }
                let Some(wait) = retries.after(&error) else { return Err(error) };
                teller.wait(wait).await;
            }
            outcome => return outcome,
        }
    }
}

/// A stream while it is read.
struct Stream<'a> {
    gemini: &'a Gemini,
    decoder: Decoder,
    visible: Visible,
    loops: Loops,
    /// The last reason to stop; older models give one with every event.
    finish: Option<(Finish, Option<String>)>,
    usage: Usage,
    /// Whether anything came at all.
    came: bool,
    /// Whether anything came that belongs to an answer.
    is_known: bool,
    /// The first bytes, to see whether they are a page for people.
    first: Vec<u8>,
}

impl<'a> Stream<'a> {
    fn new(gemini: &'a Gemini) -> Self {
        Self {
            gemini,
            decoder: Decoder::default(),
            visible: Visible::default(),
            loops: Loops::new(Form::Text),
            finish: None,
            usage: Usage::default(),
            came: false,
            is_known: false,
            first: Vec::new(),
        }
    }

    async fn read(mut self, mut response: Response, teller: &mut Teller) -> Result<Ending, Error> {
        let outcome = self.chunks(&mut response, teller).await;
        self.close(outcome, teller).await
    }

    /// Reads the body to its end, or to where nothing more is to be expected.
    async fn chunks(&mut self, response: &mut Response, teller: &mut Teller) -> Result<(), Error> {
        loop {
            let next = response.chunk();
            let chunk = if self.finish.is_some() {
                match tokio::time::timeout(LAST_WORDS, next).await {
                    Ok(chunk) => chunk,
                    Err(_) => return Ok(()),
                }
            } else {
                next.await
            };
            match chunk {
                Ok(Some(chunk)) => self.take(&chunk, teller).await?,
                Ok(None) => return Ok(()),
                Err(cause) => return Err(broke_off(&self.gemini.host(), cause)),
            }
        }
    }

    /// Takes the next bytes, cut anywhere.
    async fn take(&mut self, bytes: &[u8], teller: &mut Teller) -> Result<(), Error> {
        let missing = PAGE_BYTES.saturating_sub(self.first.len()).min(bytes.len());
        self.first.extend_from_slice(&bytes[..missing]);
        let items = self.decoder.push(bytes).map_err(|_| self.too_large())?;
        for item in items {
            self.item(item, false, teller).await?;
        }
        Ok(())
    }

    /// The body ended, or reading it failed.
    async fn close(mut self, outcome: Result<(), Error>, teller: &mut Teller) -> Result<Ending, Error> {
        let outcome = match outcome {
            Ok(()) => self.rest(teller).await,
            failed => failed,
        };
        // Whatever may be read is shown, however it ended.
        teller.text(std::mem::take(&mut self.visible).end()).await;
        outcome?;
        self.gemini.allowance(|allowance| allowance.correct(self.usage.prompt_tokens as u64));
        self.ending(teller.has_text())
    }

    async fn rest(&mut self, teller: &mut Teller) -> Result<(), Error> {
        let rest = std::mem::take(&mut self.decoder).finish().map_err(|_| self.too_large())?;
        for item in rest {
            self.item(item, true, teller).await?;
        }
        if !self.is_known && exchange::looks_like_page(&self.first) {
            return Err(Error::CaptivePortal { host: self.gemini.host() });
        }
        Ok(())
    }

    fn too_large(&self) -> Error {
        Error::TooLarge { host: self.gemini.host() }
    }

    /// Takes one event. The last one before the end of the body may have been cut.
    async fn item(&mut self, item: Item, is_last: bool, teller: &mut Teller) -> Result<(), Error> {
        let text = match &item {
            Item::Event(event) => event.data.as_str(),
            Item::Bare(text) => text.as_str(),
        };
        if text.trim().is_empty() || text.trim() == "[DONE]" {
            return Ok(());
        }
        self.came = true;
        let value: Value = match serde_json::from_str(text) {
            Ok(value) => value,
            Err(_) if is_last => return Err(Error::Truncated { host: self.gemini.host(), cause: None }),
            Err(_) => return Err(self.gemini.nonsense("an event of the stream is no JSON")),
        };
        // Something on the way may have taken `alt=sse` out: then all responses come in one array.
        match value {
            Value::Array(values) => {
                for value in values {
                    self.response(&value, teller).await?;
                }
                Ok(())
            }
            value => self.response(&value, teller).await,
        }
    }

    async fn response(&mut self, value: &Value, teller: &mut Teller) -> Result<(), Error> {
        if let Some(said) = wire::error(value) {
            return Err(self.gemini.error_within(said));
        }
        let chunk = Chunk::read(value);
        self.is_known |= chunk.is_known;
        if let Some(usage) = chunk.usage {
            self.usage = usage;
        }
        if let Some(reason) = chunk.blocked {
            return Err(blocked(self.gemini, &reason));
        }
        let text = self.visible.push(&chunk.text);
        let looped = self.loops.push(&text);
        teller.text(text).await;
        if let Some(finish) = chunk.finish {
            self.finish = Some((finish, chunk.finish_message));
        }
        if looped { Err(Error::Looped) } else { Ok(()) }
    }

    fn ending(self, has_text: bool) -> Result<Ending, Error> {
        let host = self.gemini.host();
        let (finish, message) = match self.finish {
            Some(finish) => finish,
            None if self.is_known || !self.came => return Err(Error::Truncated { host, cause: None }),
            None => return Err(self.gemini.nonsense("it is no answer of a model")),
        };
        let reason = match finish {
            Finish::Stop if has_text => FinishReason::Stop,
            Finish::MaxTokens if has_text => FinishReason::MaxTokens,
            // All of it went into thoughts.
            Finish::MaxTokens => return Err(Error::Cut),
            Finish::Stop => return Err(Error::Empty { host }),
            Finish::Blocked(reason) => return Err(blocked(self.gemini, &with_message(reason, message))),
            Finish::Other(_) if has_text => return Err(Error::Truncated { host, cause: None }),
            Finish::Other(reason) => {
                let what = shown(Some(&self.gemini.key), &with_message(reason, message));
                return Err(Error::Nonsense { host, what });
            }
        };
        Ok(Ending { reason, usage: self.usage })
    }
}

/// A reason with the service's sentence about it.
pub(super) fn with_message(reason: String, message: Option<String>) -> String {
    message.map_or(reason.clone(), |message| format!("{reason}: {message}"))
}

pub(super) fn blocked(gemini: &Gemini, reason: &str) -> Error {
    Error::Blocked { reason: shown(Some(&gemini.key), reason) }
}

#[cfg(test)]
#[path = "chat_tests.rs"]
mod tests;
