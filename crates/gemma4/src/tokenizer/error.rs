//! What can be wrong with a file's tokenizer.

use errors::{ErrorCode, Explain};

use crate::gguf;

/// Why a tokenizer could not be built or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A key of the tokenizer is missing or holds something else.
    #[error("the file's tokenizer cannot be read")]
    File(#[from] gguf::Error),
    /// Not Gemma 4's kind of tokenizer.
    #[error("the file's tokenizer is of the kind `{found}`, not `gemma4`")]
    Kind {
        /// `tokenizer.ggml.model` of the file.
        found: String,
    },
    /// A vocabulary that cannot be.
    #[error("the file's vocabulary has {found} {what}, expected {expected}")]
    Vocabulary {
        /// What was counted.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
    /// A control token is missing or has another id than in Gemma 4.
    #[error("the control token `{name}` should have the id {expected} and has {found:?}")]
    ControlToken {
        /// Its text.
        name: &'static str,
        /// Its id in Gemma 4.
        expected: u32,
        /// Its id in the file.
        found: Option<u32>,
    },
    /// The tokenizers crate refused.
    #[error("the text could not be cut into tokens")]
    Pipeline(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Explain for Error {
    fn code(&self) -> ErrorCode {
        match self {
            Self::File(source) => source.code(),
            Self::Kind { .. } | Self::ControlToken { .. } => ErrorCode::ModelUnsupported,
            Self::Vocabulary { .. } => ErrorCode::ModelFileDamaged,
            Self::Pipeline(_) => ErrorCode::Internal,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::File(source) => source.hint(),
            Self::Kind { .. } | Self::ControlToken { .. } => {
                Some("Get a published Gemma 4 E2B or E4B file; other models cannot be used".to_owned())
            }
            Self::Vocabulary { .. } => Some("The file is damaged or badly converted: get it again".to_owned()),
            Self::Pipeline(_) => None,
        }
    }
}
