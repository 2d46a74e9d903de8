//! What can go wrong between this computer and another.

use errors::{ErrorCode, Explain};

use crate::gate::Purpose;

/// An error of this crate. Messages name hosts, never whole addresses: an address may carry a signature.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nobody opened the network for this purpose, or it was closed again.
    #[error("the network is closed")]
    Closed {
        /// What it would have been used for.
        purpose: Purpose,
    },
    /// The address is none, or is not `https`.
    #[error("`{address}` is not an address that Aula connects to")]
    Address {
        /// The address as far as it may be shown.
        address: String,
    },
    /// The HTTP client could not be set up.
    #[error("secure connections cannot be set up on this computer")]
    Setup {
        /// Why.
        #[source]
        cause: reqwest::Error,
    },
    /// No connection came about.
    #[error("could not connect to {host}")]
    Connect {
        /// The other computer.
        host: String,
        /// Why.
        #[source]
        cause: reqwest::Error,
    },
    /// There is no computer with this name, names cannot be looked up, or the name leads where it must not.
    #[error("could not find {host}")]
    NameNotFound {
        /// The name.
        host: String,
        /// What for.
        purpose: Purpose,
        /// Why.
        #[source]
        cause: reqwest::Error,
    },
    /// The other computer did not prove that it is who it should be.
    #[error("{host} could not prove that it is {host}")]
    Untrusted {
        /// The other computer.
        host: String,
        /// What for.
        purpose: Purpose,
        /// Why.
        #[source]
        cause: reqwest::Error,
    },
    /// Nothing came for a while.
    #[error("{host} sent nothing for {seconds} seconds")]
    Stalled {
        /// The other computer.
        host: String,
        /// How long was waited.
        seconds: u64,
    },
    /// The answer comes, but so slowly that it would not end.
    #[error("{host} sent {bytes} bytes in {seconds} seconds")]
    TooSlow {
        /// The other computer.
        host: String,
        /// Bytes within the span.
        bytes: u64,
        /// The span.
        seconds: f64,
    },
    /// More came than any answer may have.
    #[error("{host} sent more than {limit_bytes} bytes")]
    TooLarge {
        /// The other computer.
        host: String,
        /// The most bytes.
        limit_bytes: u64,
    },
    /// A header's value holds what no header may hold. The value is not shown: it may be a secret.
    #[error("the value of `{name}` cannot be sent")]
    Header {
        /// The header.
        name: &'static str,
    },
    /// The connection broke off, or what came is no HTTP.
    #[error("the connection to {host} broke off")]
    Broken {
        /// The other computer.
        host: String,
        /// Why.
        #[source]
        cause: reqwest::Error,
    },
    /// The other computer sends requests on to where Aula does not follow.
    #[error("{host} sends this request on {problem}")]
    Redirect {
        /// The computer that sent the request on.
        host: String,
        /// Why Aula does not follow, to complete the sentence.
        problem: &'static str,
    },
}

impl Error {
    /// Whether the same request may succeed a little later.
    pub fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::Connect { .. }
                | Self::NameNotFound { .. }
                | Self::Untrusted { .. }
                | Self::Stalled { .. }
                | Self::TooSlow { .. }
                | Self::Broken { .. }
        )
    }
}

impl Explain for Error {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Closed { .. } => ErrorCode::NetworkClosed,
            Self::Address { .. } | Self::Header { .. } => ErrorCode::InvalidRequest,
            Self::Setup { .. } => ErrorCode::Internal,
            // A download waits for the connection to come back, whatever is missing.
            Self::NameNotFound { purpose, .. } if purpose.sends_words() => ErrorCode::NameNotFound,
            Self::Connect { .. } | Self::NameNotFound { .. } | Self::Stalled { .. } | Self::Broken { .. } => {
                ErrorCode::Offline
            }
            Self::TooSlow { .. } => ErrorCode::TooSlow,
            Self::TooLarge { .. } => ErrorCode::AnswerTooLarge,
            Self::Untrusted { purpose, .. } if purpose.sends_words() => ErrorCode::UntrustedServer,
            Self::Untrusted { .. } | Self::Redirect { .. } => ErrorCode::ServerRefused,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Closed { .. } => "Start the download again; Aula connects only when somebody asks for it",
            Self::Address { .. } => "Give an address that begins with https://",
            Self::Setup { .. } => {
                "Check that this computer has its list of certificates (package ca-certificates on Linux)"
            }
            Self::NameNotFound { purpose, .. } if purpose.sends_words() => {
                "Check the name of the server and whether this computer has a network"
            }
            Self::Connect { .. }
            | Self::NameNotFound { .. }
            | Self::Stalled { .. }
            | Self::TooSlow { .. }
            | Self::Broken { .. } => "Check the connection to the internet; the download goes on where it stopped",
            Self::TooLarge { .. } => "Ask again, or ask whoever looks after the server",
            Self::Header { .. } => "Enter the key or token again, without spaces or line breaks in it",
            Self::Untrusted { .. } => {
                "Check the date and time of this computer; in a school, ask whether its proxy's certificate is installed"
            }
            Self::Redirect { .. } => "Try later or choose another address in aula.toml",
        };
        Some(hint.to_owned())
    }
}
