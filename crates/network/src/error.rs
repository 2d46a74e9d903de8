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
    /// The other computer did not prove that it is who it should be.
    #[error("{host} could not prove that it is {host}")]
    Untrusted {
        /// The other computer.
        host: String,
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
        matches!(self, Self::Connect { .. } | Self::Untrusted { .. } | Self::Stalled { .. } | Self::Broken { .. })
    }
}

impl Explain for Error {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Closed { .. } => ErrorCode::NetworkClosed,
            Self::Address { .. } => ErrorCode::InvalidRequest,
            Self::Setup { .. } => ErrorCode::Internal,
            Self::Connect { .. } | Self::Stalled { .. } | Self::Broken { .. } => ErrorCode::Offline,
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
            Self::Connect { .. } | Self::Stalled { .. } | Self::Broken { .. } => {
                "Check the connection to the internet; the download goes on where it stopped"
            }
            Self::Untrusted { .. } => {
                "Check the date and time of this computer; in a school, ask whether its proxy's certificate is installed"
            }
            Self::Redirect { .. } => "Try later or choose another address in aula.toml",
        };
        Some(hint.to_owned())
    }
}
