//! The one place where errors become what the page sees, and where they are logged.

use crate::dto::{ErrorCode, IpcError};
use errors::Explain;
use generation::GenerateError;

/// The result of a command.
pub(crate) type Reply<T> = Result<T, IpcError>;

impl<E: Explain + 'static> From<E> for IpcError {
    fn from(error: E) -> Self {
        explain(&error, None)
    }
}

/// Turns `error` into its sentence, code and hint; the log gets the whole chain.
pub(crate) fn explain(error: &(impl Explain + 'static), request_id: Option<&str>) -> IpcError {
    let code = error.code();
    tracing::warn!(code = code.as_str(), request_id, error = %errors::chain(error), "a command failed");
    IpcError {
        code: code.into(),
        message: error.to_string(),
        hint: error.hint(),
        request_id: request_id.map(str::to_owned),
    }
}

/// What the person or the page asked for cannot be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// Nothing was typed.
    #[error("the question is empty")]
    Empty,
    /// Too much was typed.
    #[error("the question has {chars} characters; at most {most} can be sent")]
    TooLong { chars: usize, most: usize },
    /// A title without a letter, or too long.
    #[error("a title has 1 to {most} characters")]
    Title { most: usize },
    /// Another answer is still being written there.
    #[error("an answer is being written in this conversation")]
    Busy,
    /// A number in the settings is outside its range.
    #[error("{name} must be between {least} and {most}")]
    OutOfRange { name: &'static str, least: u32, most: u32 },
    /// The reply would not leave room for a question.
    #[error("the reply cap ({reply} tokens) must be below the context length ({context} tokens)")]
    ReplyTooLong { reply: u32, context: u32 },
    /// No such model is installed.
    #[error("no model `{id}` is installed")]
    NoSuchModel { id: String },
    /// No such model in what was listed.
    #[error("there is no model `{id}` to copy any more")]
    NoSuchSource { id: String },
    /// The disk of the models folder does not tell how much is free.
    #[error("the disk of the models does not say how much room it has")]
    DiskSilent { source: std::io::Error },
    /// Too long a name.
    #[error("a name has at most {most} characters")]
    Name { most: usize },
    /// Not a PIN.
    #[error("a PIN has {least} to {most} digits")]
    PinForm { least: usize, most: usize },
    /// The profile is locked.
    #[error("the profile is locked with a PIN")]
    Locked,
    /// Another PIN than the profile's.
    #[error("the PIN is not the profile's")]
    WrongPin { wait_seconds: u32 },
    /// Too many wrong PINs: nothing was compared.
    #[error("too many wrong PINs were tried")]
    PinMustWait { seconds: u32 },
    /// The engine stopped reporting without saying why.
    #[error("the engine broke off without a reason")]
    BrokeOff,
    /// Only adults have sheets and change who answers.
    #[error("this is for adult profiles only")]
    AdultsOnly,
    /// `aula.toml` sets the school's server.
    #[error("the school's server is set by whoever looks after this computer")]
    Managed,
    /// Neither a key nor a token.
    #[error("that is no key: it is empty, too long, or has spaces or signs in it that no key has")]
    NotASecret,
    /// Too long an address or name.
    #[error("an address has at most {most} characters")]
    TooLongName { most: usize },
    /// The keychain does not have the token any more.
    #[error("the token of the school's server is not in the system's keychain any more")]
    TokenGone,
    /// Another tool is at work.
    #[error("a tool is at work already")]
    ToolAtWork,
    /// The context length is too short for a tool.
    #[error("this needs a context length of {needed} tokens, and {context} are set")]
    ContextTooShort { needed: usize, context: usize },
    /// No such picture in this run.
    #[error("there is no picture `{id}` any more")]
    NoSuchImage { id: String },
    /// Not a drawing.
    #[error("this is no drawing")]
    NoDrawing,
    /// Not that kind of file.
    #[error("this cannot be saved in that format")]
    NoSuchFormat,
    /// More than anybody does.
    #[error("that is more work than anything that is made has room for")]
    WorkTooLarge,
    /// Another version of Aula made it.
    #[error("this was made by another version of Aula and cannot be read")]
    NotOurs,
    /// Another version is shown, or it is a question.
    #[error("this is no answer that is shown now")]
    NotShown,
    /// Nothing to draw or ask about.
    #[error("this answer has no text yet")]
    NoText,
    /// A thread of the program ended unexpectedly.
    #[error("{what} ended unexpectedly")]
    TaskDied { what: &'static str },
}

impl Explain for Refusal {
    fn code(&self) -> errors::ErrorCode {
        match self {
            Self::NoSuchModel { .. } => errors::ErrorCode::NotFound,
            Self::NoSuchSource { .. } | Self::NoSuchImage { .. } => errors::ErrorCode::NotFound,
            Self::NotOurs => errors::ErrorCode::StoreNewer,
            Self::AdultsOnly => errors::ErrorCode::AdultOnly,
            Self::TokenGone => errors::ErrorCode::KeyMissing,
            Self::DiskSilent { .. } => errors::ErrorCode::Io,
            Self::Locked => errors::ErrorCode::Locked,
            Self::WrongPin { .. } | Self::PinMustWait { .. } => errors::ErrorCode::WrongPin,
            Self::BrokeOff => errors::ErrorCode::WorkerCrashed,
            Self::TaskDied { .. } => errors::ErrorCode::Internal,
            _ => errors::ErrorCode::InvalidRequest,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::TooLong { .. } => "Send it in parts.",
            Self::Busy => "Stop it first, or wait for its end.",
            Self::NoSuchModel { .. } => "Choose another model in Settings.",
            Self::BrokeOff => "Ask again.",
            Self::AdultsOnly => "An adult can do it in their profile.",
            Self::Managed => "Ask whoever looks after this computer.",
            Self::NotASecret => "Copy it again from where it was made.",
            Self::TokenGone => "Enter the token again in Settings.",
            Self::ToolAtWork => "Stop it first, or wait for its end.",
            Self::ContextTooShort { needed, .. } => {
                return Some(format!("Set a context length of at least {needed} tokens in Settings."));
            }
            Self::NoSuchImage { .. } => "Choose the picture again.",
            Self::NoSuchSource { .. } => "Plug the stick in again or pick the folder again.",
            Self::DiskSilent { .. } => "Check the disk.",
            Self::Locked => "Give the PIN first.",
            Self::WrongPin { wait_seconds: 0 } => "Try again.",
            Self::WrongPin { wait_seconds: seconds } | Self::PinMustWait { seconds } => {
                return Some(format!("Wait {seconds} seconds and try again."));
            }
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

impl From<Refusal> for GenerateError {
    fn from(refusal: Refusal) -> Self {
        Self::from_explain(&refusal)
    }
}

impl From<errors::ErrorCode> for ErrorCode {
    fn from(code: errors::ErrorCode) -> Self {
        use errors::ErrorCode as Theirs;
        match code {
            Theirs::ModelFileDamaged => Self::ModelFileDamaged,
            Theirs::ModelUnsupported => Self::ModelUnsupported,
            Theirs::ModelMissing => Self::ModelMissing,
            Theirs::OutOfMemory => Self::OutOfMemory,
            Theirs::ModelLoading => Self::ModelLoading,
            Theirs::WorkerCrashed => Self::WorkerCrashed,
            Theirs::WorkerHung => Self::WorkerHung,
            Theirs::QueueFull => Self::QueueFull,
            Theirs::PromptTooLong => Self::PromptTooLong,
            Theirs::InvalidRequest => Self::InvalidRequest,
            Theirs::DeviceUnavailable => Self::DeviceUnavailable,
            Theirs::NotFound => Self::NotFound,
            Theirs::StoreDamaged => Self::StoreDamaged,
            Theirs::StoreNewer => Self::StoreNewer,
            Theirs::AlreadyOpen => Self::AlreadyOpen,
            Theirs::DiskFull => Self::DiskFull,
            Theirs::NetworkClosed => Self::NetworkClosed,
            Theirs::Offline => Self::Offline,
            Theirs::ServerRefused => Self::ServerRefused,
            Theirs::TransferCorrupt => Self::TransferCorrupt,
            Theirs::SourceGone => Self::SourceGone,
            Theirs::Locked => Self::Locked,
            Theirs::WrongPin => Self::WrongPin,
            Theirs::NameNotFound => Self::NameNotFound,
            Theirs::UntrustedServer => Self::UntrustedServer,
            Theirs::CaptivePortal => Self::CaptivePortal,
            Theirs::ServerSilent => Self::ServerSilent,
            Theirs::TooSlow => Self::TooSlow,
            Theirs::Truncated => Self::Truncated,
            Theirs::AnswerTooLarge => Self::AnswerTooLarge,
            Theirs::BadAnswer => Self::BadAnswer,
            Theirs::AnswerLooped => Self::AnswerLooped,
            Theirs::ResultCut => Self::ResultCut,
            Theirs::KeyMissing => Self::KeyMissing,
            Theirs::KeyRejected => Self::KeyRejected,
            Theirs::KeyRestricted => Self::KeyRestricted,
            Theirs::RegionBlocked => Self::RegionBlocked,
            Theirs::ModelNotServed => Self::ModelNotServed,
            Theirs::QuotaExceeded => Self::QuotaExceeded,
            Theirs::ServerBusy => Self::ServerBusy,
            Theirs::ContentBlocked => Self::ContentBlocked,
            Theirs::AdultOnly => Self::AdultOnly,
            Theirs::ConsentNeeded => Self::ConsentNeeded,
            Theirs::EngineOff => Self::EngineOff,
            Theirs::NoVision => Self::NoVision,
            Theirs::ImageUnreadable => Self::ImageUnreadable,
            Theirs::Io => Self::Io,
            Theirs::Internal => Self::Internal,
        }
    }
}
