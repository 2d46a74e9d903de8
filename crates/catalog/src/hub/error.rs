//! What can go wrong between this computer and the hub.

use std::time::Duration;

use errors::{ErrorCode, Explain};

/// An error of a download. Messages name hosts, never whole addresses.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting that makes no sense.
    #[error("a setting in {place} makes no sense: {problem}")]
    Setting {
        /// The file or environment variable.
        place: String,
        /// What is wrong.
        problem: String,
    },
    /// Nothing is offered under this id.
    #[error("there is no model `{id}` to download")]
    NoSuchOffer {
        /// The id.
        id: String,
    },
    /// The connection did not come about or broke off.
    #[error(transparent)]
    Network(#[from] network::Error),
    /// The file is not there or not for everybody.
    #[error("{host} does not give out this model (status {status})")]
    Refused {
        /// The other computer.
        host: String,
        /// The HTTP status.
        status: u16,
    },
    /// The server cannot serve now.
    #[error("{host} is too busy now (status {status})")]
    Busy {
        /// The other computer.
        host: String,
        /// The HTTP status.
        status: u16,
        /// How long it asks to wait.
        retry_after: Option<Duration>,
    },
    /// The answer does not fit the question.
    #[error("{host} sent something else than was asked for: {problem}")]
    Answer {
        /// The other computer.
        host: String,
        /// What does not fit.
        problem: String,
    },
    /// The file changed on the server while it was downloaded.
    #[error("the model changed on {host} while it was downloaded")]
    Changed {
        /// The other computer.
        host: String,
    },
    /// The server has another file under this name than the one that was published.
    #[error("{host} has another file under this name: {problem}")]
    OtherFile {
        /// The other computer.
        host: String,
        /// How it differs.
        problem: String,
    },
    /// Nobody says which checksum the file should have.
    #[error("{host} does not say which checksum this model should have")]
    NoChecksum {
        /// The other computer.
        host: String,
    },
}

impl Error {
    /// Whether the same server may serve a little later.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Network(error) => error.may_pass(),
            Self::Busy { .. } | Self::Answer { .. } => true,
            _ => false,
        }
    }

    /// How long the server asks to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

impl Explain for Error {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Setting { .. } => ErrorCode::InvalidRequest,
            Self::NoSuchOffer { .. } => ErrorCode::NotFound,
            Self::Network(error) => error.code(),
            Self::Refused { .. } | Self::Busy { .. } | Self::NoChecksum { .. } => ErrorCode::ServerRefused,
            Self::Answer { .. } | Self::Changed { .. } | Self::OtherFile { .. } => ErrorCode::TransferCorrupt,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Setting { .. } => "Correct that setting and start Aula again",
            Self::NoSuchOffer { .. } => "See the ids with `aula models offers`",
            Self::Network(error) => return error.hint(),
            Self::Refused { .. } | Self::NoChecksum { .. } | Self::OtherFile { .. } => {
                "Choose another model, or copy one from a USB stick"
            }
            Self::Busy { .. } => "Wait a little; the download goes on by itself",
            Self::Answer { .. } => {
                "The download tries again by itself; if that does not help, something between this \
                                    computer and the server changes what is sent"
            }
            Self::Changed { .. } => "Start the download again; it begins with the new version",
        };
        Some(hint.to_owned())
    }
}
