//! What can go wrong between a request and its answer.

use std::path::PathBuf;

use errors::{ErrorCode, Explain};
use generation::GenerateError;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A request without a message.
    #[error("the request holds no message; at least 1 is needed")]
    NoMessages,
    /// The last message is not the user's, so there is nothing to answer.
    #[error("the last of {count} messages is not the user's")]
    LastNotUser {
        /// Messages given.
        count: usize,
    },
    /// The last message is blank.
    #[error("the question is empty")]
    EmptyQuestion,
    /// Instructions after the beginning.
    #[error("message {position} holds instructions; only message 1 may")]
    SystemNotFirst {
        /// Which message, counted from 1.
        position: usize,
    },
    /// More text than is taken in at all.
    #[error("the conversation has {bytes} bytes of text; the limit is {limit}")]
    RequestTooLarge {
        /// Bytes given.
        bytes: usize,
        /// Most bytes taken.
        limit: usize,
    },
    /// The reply cap leaves no room for a reply, or none for a prompt.
    #[error("the reply cap is {max_tokens} tokens; it must lie between 1 and {limit}, below the context length")]
    MaxTokens {
        /// Tokens given.
        max_tokens: usize,
        /// Most tokens allowed.
        limit: usize,
    },
    /// A temperature that is not a number, infinite or negative.
    #[error("the temperature is {given}; it must be a number of at least 0")]
    Temperature {
        /// Value given.
        given: f32,
    },
    /// A top-p outside its range.
    #[error("top-p is {given}; it must be more than 0 and at most 1")]
    TopP {
        /// Value given.
        given: f32,
    },
    /// The conversation does not leave room for an answer.
    #[error("the conversation has {tokens} tokens; the context length is {context_len} and holds the answer too")]
    PromptTooLong {
        /// Tokens of the rendered prompt.
        tokens: usize,
        /// Context length in tokens.
        context_len: usize,
    },
    /// As many requests are waiting as may wait.
    #[error("{limit} questions are waiting already; no more are taken")]
    QueueFull {
        /// Most requests that may wait.
        limit: usize,
    },
    /// No model was chosen.
    #[error("no model is installed")]
    ModelMissing,
    /// A path that cannot be told to the worker.
    #[error("the name of `{}` holds characters that are not Unicode", path.display())]
    ModelPath {
        /// The file.
        path: PathBuf,
    },
    /// The engine was shut down.
    #[error("the engine is shutting down")]
    ShuttingDown,
    /// The engine's own thread could not be started.
    #[error("the engine could not be started")]
    EngineThread(#[source] std::io::Error),
    /// The worker process could not be started.
    #[error("could not start the model process `{program}`")]
    WorkerSpawn {
        /// The executable.
        program: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The worker process ended by itself.
    #[error("the model process stopped unexpectedly ({how})")]
    WorkerCrashed {
        /// Its exit status, for people.
        how: String,
    },
    /// The system ended the worker process, as it does when memory runs out.
    #[error("the model process was ended by the system, as happens when memory runs out, {doing}")]
    WorkerKilled {
        /// What it was doing.
        doing: &'static str,
    },
    /// The worker process asked for memory that the system did not have.
    #[error("the memory does not suffice for the model")]
    WorkerOutOfMemory,
    /// A model and its KV cache that the computer's free memory cannot hold.
    #[error(
        "the model needs {} of memory with a context length of {context_len} tokens; {} is free",
        gigabytes(*needed_bytes), gigabytes(*free_bytes)
    )]
    DoesNotFit {
        /// Weights read for every token, and the KV cache.
        needed_bytes: u64,
        /// What could be had.
        free_bytes: u64,
        /// Positions of the KV cache.
        context_len: usize,
    },
    /// The worker process did not answer, or made no progress.
    #[error("the model process did not react for {seconds} seconds and was stopped")]
    WorkerHung {
        /// How long was waited.
        seconds: u64,
    },
    /// The worker is of another build than its parent.
    #[error("the model process is of another build: `{theirs}` instead of `{ours}`")]
    WorkerMismatch {
        /// Build and protocol of this process.
        ours: String,
        /// Build and protocol of the worker.
        theirs: String,
    },
    /// Bytes on the pipe that are not the protocol.
    #[error("the model process could not be understood: {what}")]
    Protocol {
        /// What was wrong.
        what: String,
    },
    /// The pipe broke.
    #[error("the connection to the model process broke")]
    Pipe(#[source] std::io::Error),
    /// Pictures, which no model here can see.
    #[error("the question comes with pictures ({count}); the model on this computer sees none")]
    NoVision {
        /// Pictures given.
        count: usize,
    },
    /// A form that answers cannot be held to: a defect of the program that asks.
    #[error("the form `{name}` cannot be used: {reason}")]
    Form {
        /// Its name.
        name: String,
        /// Why.
        reason: String,
    },
    /// An answer could not be held to its form.
    #[error("the answer could not be kept in its form: {what}")]
    Guide {
        /// What happened.
        what: String,
    },
    /// A row of logits from which no token can be drawn.
    #[error("the model computed unusable numbers: {what}")]
    Logits {
        /// What was wrong with them.
        what: String,
    },
    /// The model or its cache failed.
    #[error("the model failed")]
    Model(#[from] gemma4::Error),
    /// Nothing to compute logits for.
    #[error("no token was given; at least 1 is needed")]
    NoTokens,
    /// A count that must not be zero.
    #[error("the number of {name} is 0; at least 1 is needed")]
    Zero {
        /// What is counted.
        name: &'static str,
    },
    /// The model's tokenizer failed.
    #[error("the model's tokenizer failed")]
    Tokenizer(#[from] gemma4::tokenizer::Error),
    /// A failure already explained, from the worker.
    #[error(transparent)]
    Explained(#[from] GenerateError),
}

impl Explain for Error {
    fn code(&self) -> ErrorCode {
        match self {
            Self::NoMessages
            | Self::NoTokens
            | Self::Zero { .. }
            | Self::LastNotUser { .. }
            | Self::EmptyQuestion
            | Self::SystemNotFirst { .. }
            | Self::MaxTokens { .. }
            | Self::Temperature { .. }
            | Self::TopP { .. }
            | Self::Form { .. } => ErrorCode::InvalidRequest,
            Self::RequestTooLarge { .. } | Self::PromptTooLong { .. } => ErrorCode::PromptTooLong,
            Self::NoVision { .. } => ErrorCode::NoVision,
            Self::QueueFull { .. } => ErrorCode::QueueFull,
            Self::ModelMissing => ErrorCode::ModelMissing,
            Self::ModelPath { .. } => ErrorCode::Io,
            Self::WorkerCrashed { .. } | Self::Pipe(_) | Self::Protocol { .. } => ErrorCode::WorkerCrashed,
            Self::WorkerKilled { .. } | Self::WorkerOutOfMemory | Self::DoesNotFit { .. } => ErrorCode::OutOfMemory,
            Self::WorkerHung { .. } => ErrorCode::WorkerHung,
            Self::ShuttingDown
            | Self::EngineThread(_)
            | Self::WorkerSpawn { .. }
            | Self::WorkerMismatch { .. }
            | Self::Guide { .. }
            | Self::Logits { .. } => ErrorCode::Internal,
            Self::Model(error) => error.code(),
            Self::Tokenizer(error) => error.code(),
            Self::Explained(error) => error.code,
        }
    }

    fn hint(&self) -> Option<String> {
        let text = match self {
            Self::NoMessages | Self::LastNotUser { .. } | Self::EmptyQuestion => "Write a question and send it again",
            Self::SystemNotFirst { .. } => "Put the instructions first",
            Self::RequestTooLarge { .. } | Self::PromptTooLong { .. } => {
                "Begin a new conversation, shorten the question, or raise the context length in Settings"
            }
            Self::MaxTokens { .. } => "Lower the reply cap or raise the context length in Settings",
            Self::Temperature { .. } => "Use a temperature between 0 and 2",
            Self::NoTokens | Self::Zero { .. } => "Give at least one",
            Self::TopP { .. } => "Use a top-p between 0.1 and 1",
            Self::QueueFull { .. } => "Wait for an answer or stop one, then ask again",
            Self::ModelMissing => "Install a model in Settings",
            Self::ModelPath { .. } => "Rename the file and its folders, then choose it again",
            Self::ShuttingDown | Self::EngineThread(_) => "Start Aula again",
            Self::WorkerSpawn { .. } => "Install Aula again; a protection program may also have blocked it",
            Self::WorkerCrashed { .. } | Self::Pipe(_) | Self::Protocol { .. } => {
                "Ask again; if it happens repeatedly, close other apps or choose a smaller model in Settings"
            }
            Self::WorkerKilled { .. } | Self::WorkerOutOfMemory | Self::DoesNotFit { .. } => {
                "Close other apps, or choose a shorter context length or a smaller model in Settings"
            }
            Self::WorkerHung { .. } => {
                "Ask again; if it happens repeatedly, choose a smaller model or another device in Settings"
            }
            Self::WorkerMismatch { .. } => "Aula was updated while it was running: close it and start it again",
            Self::Logits { .. } => {
                "Ask again; if it happens repeatedly, check the model file or choose another device in Settings"
            }
            Self::NoVision { .. } => "Ask without pictures, or choose Cloud Boost or the school's server in Settings",
            Self::Form { .. } => "Update Aula; if it happens again, report it",
            Self::Guide { .. } => "Ask again",
            Self::Model(error) => return error.hint(),
            Self::Tokenizer(error) => return error.hint(),
            Self::Explained(error) => return error.hint.clone(),
        };
        Some(text.to_owned())
    }
}

/// Bytes as people write them, e.g. `2.4 GB`.
fn gigabytes(bytes: u64) -> String {
    format!("{:.1} GB", bytes as f64 / 1e9)
}

impl From<&Error> for GenerateError {
    fn from(error: &Error) -> Self {
        Self::from_explain(error)
    }
}

impl From<Error> for GenerateError {
    fn from(error: Error) -> Self {
        match error {
            Error::Explained(explained) => explained,
            other => Self::from_explain(&other),
        }
    }
}
