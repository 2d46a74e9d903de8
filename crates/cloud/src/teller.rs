//! Tells whoever asked how an answer comes along.

use std::time::Instant;

use generation::{Completion, EngineInfo, FinishReason, GenerateError, Timings, TokenEvent, Usage};
use tokio::sync::mpsc;

use crate::error::Error;
use crate::retry::Wait;

/// How an answer ended well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ending {
    /// Why it ended.
    pub reason: FinishReason,
    /// What the server counted.
    pub usage: Usage,
}

/// Sends the events of one answer and measures it.
#[derive(Debug)]
pub(crate) struct Teller {
    events: mpsc::Sender<TokenEvent>,
    engine: EngineInfo,
    seed: Option<u64>,
    began: Instant,
    first: Option<Instant>,
    last: Instant,
}

impl Teller {
    /// A teller for an answer by `engine` that is about to be asked for.
    pub fn new(events: mpsc::Sender<TokenEvent>, engine: EngineInfo, seed: Option<u64>) -> Self {
        let now = Instant::now();
        Self { events, engine, seed, began: now, first: None, last: now }
    }

    /// Nobody listening any more is no failure: whoever stops listening cancels.
    async fn tell(&self, event: TokenEvent) {
        let _ = self.events.send(event).await;
    }

    /// It has begun.
    pub async fn start(&self) {
        self.tell(TokenEvent::Started { engine: self.engine.clone() }).await;
    }

    /// More text; none is told of an empty piece.
    pub async fn text(&mut self, text: String) {
        if text.is_empty() {
            return;
        }
        self.last = Instant::now();
        self.first.get_or_insert(self.last);
        self.tell(TokenEvent::Token { text }).await;
    }

    /// Whether any text was told.
    pub fn has_text(&self) -> bool {
        self.first.is_some()
    }

    /// So many characters of what is not shown yet have come.
    pub async fn receiving(&self, characters: usize) {
        self.tell(TokenEvent::Receiving { characters }).await;
    }

    /// Tells of a pause and lets it pass.
    pub async fn wait(&self, wait: Wait) {
        self.tell(TokenEvent::Waiting { seconds: wait.seconds(), reason: wait.reason }).await;
        tokio::time::sleep(wait.pause).await;
    }

    /// The end.
    pub async fn end(self, outcome: Result<Ending, Error>) {
        let ending = match outcome {
            Ok(ending) => ending,
            Err(Error::Cancelled) => Ending { reason: FinishReason::Cancelled, usage: Usage::default() },
            Err(error) => {
                tracing::info!(error = errors::chain(&error), "an answer failed");
                return self.tell(TokenEvent::Failed(GenerateError::from_explain(&error))).await;
            }
        };
        let seconds = |from: Instant, to: Instant| to.duration_since(from).as_secs_f64();
        let timings = Timings {
            ttft_s: self.first.map_or(0.0, |first| seconds(self.began, first)),
            decode_s: self.first.map_or(0.0, |first| seconds(first, self.last)),
            ..Timings::default()
        };
        let completion = Completion {
            finish_reason: ending.reason,
            usage: Usage { seed: self.seed.unwrap_or(0), ..ending.usage },
            timings,
            token_ids: Vec::new(),
            engine: self.engine.clone(),
        };
        self.tell(TokenEvent::Finished(completion)).await;
    }
}
