//! What a text generation is, as plain data: the request, the events that come back, and the trait that
//! every engine (this computer, the school's server, the cloud) implements.
//!
//! No engine, no model and no user interface is known here.

mod structure;

pub use structure::{Misfit, Structure};

use errors::{ErrorCode, Explain};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};

/// Who speaks in a [`Message`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The application's instructions.
    System,
    /// The student.
    User,
    /// The tutor.
    Assistant,
}

/// One turn of a conversation. `content` is plain text: control tokens spelled in it stay text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said.
    pub content: String,
}

impl Message {
    /// A turn of `role` saying `content`.
    pub fn new(role: Role, content: impl Into<String>) -> Self {
        Self { role, content: content.into() }
    }
}

/// A picture that goes with the last message. It was made anew from the pixels of what a person gave, so nothing but
/// them is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// `image/jpeg` or `image/png`.
    pub media_type: String,
    /// The file's bytes in base64, the standard alphabet with padding.
    pub base64: String,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

/// How a token is drawn from the logits. The default is Gemma's recommendation (`general.sampling.*` of its files).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sampling {
    /// 0 is greedy; otherwise logits are divided by it.
    pub temperature: f32,
    /// Smallest set of most likely tokens whose probability reaches this; 1 keeps all.
    pub top_p: f32,
    /// At most this many of the most likely tokens; 0 keeps all.
    pub top_k: usize,
    /// The same seed gives the same tokens; `None` draws a fresh one, which the usage reports.
    pub seed: Option<u64>,
}

impl Default for Sampling {
    fn default() -> Self {
        Self { temperature: 1.0, top_p: 0.95, top_k: 64, seed: None }
    }
}

impl Sampling {
    /// Always the most likely token.
    pub fn greedy() -> Self {
        Self { temperature: 0.0, ..Self::default() }
    }
}

/// Prompt and reply together never exceed this many tokens unless somebody chose otherwise.
pub const DEFAULT_CONTEXT_LEN: usize = 4096;
/// A reply is cut after this many tokens unless somebody chose otherwise.
pub const DEFAULT_MAX_TOKENS: usize = 1024;

/// One answer to be generated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GenerateRequest {
    /// Chosen by the caller, unique while the request lives; names it in logs, events and errors.
    pub request_id: String,
    /// The conversation so far; the last message is the user's.
    pub messages: Vec<Message>,
    /// How tokens are drawn.
    pub sampling: Sampling,
    /// The reply cap in tokens.
    pub max_tokens: usize,
    /// Which conversation this belongs to, where there is one that may go on: an opaque name. An engine that is allowed to
    /// may keep what it has read of it under this name.
    #[serde(default)]
    pub conversation: Option<String>,
    /// The form that the answer must have. The answer is then one JSON value, written without thinking aloud; one that is
    /// cut ([`FinishReason::MaxTokens`], [`FinishReason::ContextFull`]) is worth nothing.
    #[serde(default)]
    pub structure: Option<Structure>,
    /// Pictures that belong to the last message.
    #[serde(default)]
    pub images: Vec<Image>,
}

impl GenerateRequest {
    /// A request with the default sampling and reply cap.
    pub fn new(request_id: impl Into<String>, messages: Vec<Message>) -> Self {
        Self {
            request_id: request_id.into(),
            messages,
            sampling: Sampling::default(),
            max_tokens: DEFAULT_MAX_TOKENS,
            conversation: None,
            structure: None,
            images: Vec::new(),
        }
    }
}

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FinishReason {
    /// The model ended its turn.
    Stop,
    /// The reply cap was reached.
    MaxTokens,
    /// Prompt and reply filled the context length.
    ContextFull,
    /// Somebody cancelled it.
    Cancelled,
}

/// Counts of tokens. `prompt_tokens = reused_tokens + prefilled_tokens`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens of the rendered prompt.
    pub prompt_tokens: usize,
    /// Of these, how many were already in the KV cache.
    pub reused_tokens: usize,
    /// Of these, how many were computed for this request.
    pub prefilled_tokens: usize,
    /// Tokens generated, the closing stop token included.
    pub completion_tokens: usize,
    /// Tokens guessed ahead and checked. They change the speed, never the text.
    #[serde(default)]
    pub drafted_tokens: usize,
    /// Of these, how many were what the model wrote.
    #[serde(default)]
    pub accepted_tokens: usize,
    /// Of the tokens generated, how many the answer's form left no choice about: they were not drawn.
    #[serde(default)]
    pub forced_tokens: usize,
    /// The seed that was used, so that a sampled answer can be repeated.
    pub seed: u64,
}

/// Wall times in seconds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Timings {
    /// From admission until the engine began.
    pub queue_s: f64,
    /// Prefill of the prompt's new tokens.
    pub prefill_s: f64,
    /// From the engine's beginning to the first token.
    pub ttft_s: f64,
    /// From the first token to the last.
    pub decode_s: f64,
}

impl Timings {
    /// Tokens a second after the first token; `None` where fewer than two were generated.
    pub fn decode_tokens_per_second(&self, usage: &Usage) -> Option<f64> {
        (usage.completion_tokens > 1 && self.decode_s > 0.0)
            .then(|| (usage.completion_tokens - 1) as f64 / self.decode_s)
    }
}

/// Which kind of engine wrote an answer; decides the badge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EngineKind {
    /// Gemma 4 on this computer.
    Local,
    /// The demo model on this computer.
    Demo,
    /// Cloud Boost.
    Cloud,
    /// The school's server.
    School,
}

/// Who answers: what the badge shows and opens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineInfo {
    /// The badge.
    pub kind: EngineKind,
    /// The model's name, e.g. `Gemma 4 E2B`.
    pub model: String,
    /// Where it runs, e.g. `CPU`, `NVIDIA GeForce RTX 3050`.
    pub device: String,
}

/// How an answer ended, with everything measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Completion {
    /// Why it ended.
    pub finish_reason: FinishReason,
    /// Token counts.
    pub usage: Usage,
    /// Wall times.
    pub timings: Timings,
    /// Ids of the generated tokens, the stop token included.
    pub token_ids: Vec<u32>,
    /// Who wrote it.
    pub engine: EngineInfo,
}

/// A failure that ends a generation, already explained. It is data, because it crosses process borders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct GenerateError {
    /// The code that the page branches on.
    pub code: ErrorCode,
    /// One sentence in English: what happened.
    pub message: String,
    /// One sentence in English: what to do next.
    pub hint: Option<String>,
}

impl GenerateError {
    /// Explains `error`, with its chain of causes as the message.
    pub fn from_explain(error: &impl Explain) -> Self {
        Self { code: error.code(), message: errors::chain(error), hint: error.hint() }
    }
}

impl Explain for GenerateError {
    fn code(&self) -> ErrorCode {
        self.code
    }

    fn hint(&self) -> Option<String> {
        self.hint.clone()
    }
}

/// Why an engine waits before it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitReason {
    /// The allowance is used up until then.
    Quota,
    /// The server has too much to do.
    Busy,
}

/// What a generation reports, in this order: `Queued`* `Started` (`Prefill` or `Waiting`)* `Token`* then one `Finished` or
/// `Failed`. Of an answer with a [`Structure`] a server's engine sends all text in one `Token`, once it was found valid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum TokenEvent {
    /// So many requests are ahead; 0 means the next to begin. Sent again whenever it changes.
    Queued {
        /// Requests ahead of this one.
        position: usize,
    },
    /// The engine has begun.
    Started {
        /// Who answers.
        engine: EngineInfo,
    },
    /// Progress through the prompt's new tokens.
    Prefill {
        /// Tokens computed.
        done: usize,
        /// Tokens to compute.
        total: usize,
    },
    /// Nothing comes for so long, because the server asked for it; then it is asked again.
    Waiting {
        /// Seconds from now.
        seconds: u32,
        /// Why.
        reason: WaitReason,
    },
    /// A server's answer grows, but is not to be read yet: so many characters have come.
    Receiving {
        /// Characters so far.
        characters: usize,
    },
    /// More text: whole characters, never the thought channel, never a control token.
    Token {
        /// The piece to append; never empty.
        text: String,
    },
    /// The end.
    Finished(Completion),
    /// The end, by a failure; the text so far stands.
    Failed(GenerateError),
}

/// A generation under way: its events, and the means to stop it. Dropping it cancels it.
#[derive(Debug)]
pub struct Generation {
    events: mpsc::Receiver<TokenEvent>,
    cancel: CancellationToken,
    _cancel_on_drop: DropGuard,
}

impl Generation {
    /// Joins a channel of events with the token that stops their source.
    pub fn new(events: mpsc::Receiver<TokenEvent>, cancel: CancellationToken) -> Self {
        Self { events, _cancel_on_drop: cancel.clone().drop_guard(), cancel }
    }

    /// The next event; `None` after `Finished` or `Failed`, or when the source is gone.
    pub async fn next(&mut self) -> Option<TokenEvent> {
        self.events.recv().await
    }

    /// Stops it; `Finished` with [`FinishReason::Cancelled`] follows.
    pub fn cancel(&self) {
        self.cancel.cancel();
    }

    /// A handle that stops it from elsewhere.
    pub fn cancel_token(&self) -> CancellationToken {
        self.cancel.clone()
    }
}

/// Something that writes answers.
pub trait Generator: Send + Sync {
    /// Admits `request` and returns at once; everything else arrives as events.
    ///
    /// # Errors
    /// What is known before admission: the queue is full, the request contradicts itself.
    fn generate(&self, request: GenerateRequest) -> Result<Generation, GenerateError>;
}
