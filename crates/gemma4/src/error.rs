//! What can go wrong with a model file or a forward pass.

use errors::{ErrorCode, Explain};

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The caller asked to stop; the sequence is as it was before the call.
    #[error("cancelled")]
    Cancelled,
    /// The tokens do not fit in the context length.
    #[error("{asked} positions do not fit in a context length of {context_len}")]
    ContextFull {
        /// Positions that the call would have needed.
        asked: usize,
        /// Positions the sequence may hold.
        context_len: usize,
    },
    /// A token id that the vocabulary does not have.
    #[error("token id {token} is not in the vocabulary of {vocab}")]
    TokenOutOfRange {
        /// The id.
        token: u32,
        /// Size of the vocabulary.
        vocab: usize,
    },
    /// A tensor operation failed.
    #[error("a tensor operation failed")]
    Tensor(#[from] candle_core::Error),
}

impl Explain for Error {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Cancelled | Self::TokenOutOfRange { .. } => ErrorCode::InvalidRequest,
            Self::ContextFull { .. } => ErrorCode::PromptTooLong,
            Self::Tensor(_) => ErrorCode::Internal,
        }
    }

    fn hint(&self) -> Option<String> {
        None
    }
}
