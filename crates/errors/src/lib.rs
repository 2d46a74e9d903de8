//! The vocabulary of failures that the whole project shares.
//!
//! Every crate has its own `thiserror` enum whose variants name the operation and hold the facts.
//! A type that knows what the user can do about it implements [`Explain`]; the outermost layer (`api`, `cli`)
//! turns it into one sentence and one hint. A code exists only if somebody branches on it: the page
//! translates codes, never messages.

use serde::{Deserialize, Serialize};

/// What kind of failure this is, as the page and scripts see it. Stable: names are part of the JSON contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The file is not a GGUF file, is cut short, or contradicts itself.
    ModelFileDamaged,
    /// A sound GGUF file that this program cannot run (another architecture, a projector, an unknown type).
    ModelUnsupported,
    /// There is no model where one was expected.
    ModelMissing,
    /// The model or its cache does not fit in memory.
    OutOfMemory,
    /// The model is still being opened.
    ModelLoading,
    /// The process that holds the model stopped and was started again.
    WorkerCrashed,
    /// The process that holds the model did not answer in time and was started again.
    WorkerHung,
    /// As many requests are waiting as may wait.
    QueueFull,
    /// The conversation does not fit in the context length.
    PromptTooLong,
    /// The request contradicts itself or a limit.
    InvalidRequest,
    /// The device (graphics card) is absent or cannot be used by this build.
    DeviceUnavailable,
    /// The conversation, message or file named does not exist.
    NotFound,
    /// The database could not be read; it was kept aside.
    StoreDamaged,
    /// A later version wrote the database; it was not touched.
    StoreNewer,
    /// Another window of this program has the data open.
    AlreadyOpen,
    /// The disk is full.
    DiskFull,
    /// The network is closed to this purpose: nobody allowed it.
    NetworkClosed,
    /// The other computer could not be reached, or the connection broke off.
    Offline,
    /// The other computer answered that it will not or cannot serve this.
    ServerRefused,
    /// What was copied or downloaded is not what it should be.
    TransferCorrupt,
    /// The disk or folder that is being copied from is not there (any more).
    SourceGone,
    /// The profile is locked with a PIN.
    Locked,
    /// The PIN is not the profile's.
    WrongPin,
    /// There is no computer with the name that was asked for, or names cannot be looked up.
    NameNotFound,
    /// The other computer could not prove that it is who it should be.
    UntrustedServer,
    /// A login page of the network answered in the place of the server.
    CaptivePortal,
    /// The other computer took the request and then sent nothing for too long.
    ServerSilent,
    /// The connection is too slow for an answer to arrive.
    TooSlow,
    /// The answer broke off before its end; what came was kept.
    Truncated,
    /// The other computer sent more than any answer may have.
    AnswerTooLarge,
    /// The result does not have the form that was asked for.
    BadAnswer,
    /// The model repeated itself without end.
    AnswerLooped,
    /// The result was not finished within its limit, so it is not shown.
    ResultCut,
    /// There is no key for Cloud Boost.
    KeyMissing,
    /// The key or token is not accepted (any more).
    KeyRejected,
    /// The key is genuine, but may not be used for this.
    KeyRestricted,
    /// The service is not offered in this country.
    RegionBlocked,
    /// The server does not have the model that was asked for.
    ModelNotServed,
    /// The allowance of the key is used up for now.
    QuotaExceeded,
    /// The server has too much to do.
    ServerBusy,
    /// The service refused to answer this.
    ContentBlocked,
    /// Only an adult profile may do this.
    AdultOnly,
    /// An adult must first agree to what is sent.
    ConsentNeeded,
    /// No engine that can do this is switched on.
    EngineOff,
    /// The model in use cannot read pictures.
    NoVision,
    /// The picture cannot be read.
    ImageUnreadable,
    /// A file or folder could not be read or written.
    Io,
    /// A defect of this program.
    Internal,
}

impl ErrorCode {
    /// The code as it stands in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ModelFileDamaged => "model_file_damaged",
            Self::ModelUnsupported => "model_unsupported",
            Self::ModelMissing => "model_missing",
            Self::OutOfMemory => "out_of_memory",
            Self::ModelLoading => "model_loading",
            Self::WorkerCrashed => "worker_crashed",
            Self::WorkerHung => "worker_hung",
            Self::QueueFull => "queue_full",
            Self::PromptTooLong => "prompt_too_long",
            Self::InvalidRequest => "invalid_request",
            Self::DeviceUnavailable => "device_unavailable",
            Self::NotFound => "not_found",
            Self::StoreDamaged => "store_damaged",
            Self::StoreNewer => "store_newer",
            Self::AlreadyOpen => "already_open",
            Self::DiskFull => "disk_full",
            Self::NetworkClosed => "network_closed",
            Self::Offline => "offline",
            Self::ServerRefused => "server_refused",
            Self::TransferCorrupt => "transfer_corrupt",
            Self::SourceGone => "source_gone",
            Self::Locked => "locked",
            Self::WrongPin => "wrong_pin",
            Self::NameNotFound => "name_not_found",
            Self::UntrustedServer => "untrusted_server",
            Self::CaptivePortal => "captive_portal",
            Self::ServerSilent => "server_silent",
            Self::TooSlow => "too_slow",
            Self::Truncated => "truncated",
            Self::AnswerTooLarge => "answer_too_large",
            Self::BadAnswer => "bad_answer",
            Self::AnswerLooped => "answer_looped",
            Self::ResultCut => "result_cut",
            Self::KeyMissing => "key_missing",
            Self::KeyRejected => "key_rejected",
            Self::KeyRestricted => "key_restricted",
            Self::RegionBlocked => "region_blocked",
            Self::ModelNotServed => "model_not_served",
            Self::QuotaExceeded => "quota_exceeded",
            Self::ServerBusy => "server_busy",
            Self::ContentBlocked => "content_blocked",
            Self::AdultOnly => "adult_only",
            Self::ConsentNeeded => "consent_needed",
            Self::EngineOff => "engine_off",
            Self::NoVision => "no_vision",
            Self::ImageUnreadable => "image_unreadable",
            Self::Io => "io",
            Self::Internal => "internal",
        }
    }
}

/// An error that knows its code and, where there is one, the next thing to do.
pub trait Explain: std::error::Error {
    /// The code that the page branches on.
    fn code(&self) -> ErrorCode;

    /// One sentence in English that says what to do next; `None` when there is nothing to do.
    fn hint(&self) -> Option<String>;
}

/// The message of `error` and of every cause below it, joined by `: `, for logs and terminals.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

/// The code for a failed file operation: a full disk is told apart, because the remedy is another.
pub fn io_code(error: &std::io::Error) -> ErrorCode {
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => ErrorCode::DiskFull,
        std::io::ErrorKind::NotFound => ErrorCode::NotFound,
        std::io::ErrorKind::OutOfMemory => ErrorCode::OutOfMemory,
        _ => ErrorCode::Io,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_and_as_str_agree() {
        for code in [
            ErrorCode::ModelFileDamaged,
            ErrorCode::QueueFull,
            ErrorCode::Io,
            ErrorCode::StoreNewer,
            ErrorCode::AlreadyOpen,
        ] {
            assert_eq!(serde_json::to_string(&code).ok(), Some(format!("\"{}\"", code.as_str())));
        }
    }

    #[test]
    fn chain_prints_each_cause_once() {
        #[derive(Debug)]
        struct Outer(std::io::Error);
        impl std::fmt::Display for Outer {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "could not open `a`")
            }
        }
        impl std::error::Error for Outer {
            fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
                Some(&self.0)
            }
        }
        let error = Outer(std::io::Error::other("no disk"));
        assert_eq!(chain(&error), "could not open `a`: no disk");
    }
}
