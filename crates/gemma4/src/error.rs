//! What can go wrong with a model file or a forward pass.

use std::path::PathBuf;

use candle_core::quantized::GgmlDType;
use errors::{ErrorCode, Explain, io_code};

use crate::gguf;

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
    /// A context length of zero, or longer than the model was made for.
    #[error("a context length of {asked} is not between 1 and {most}")]
    ContextLength {
        /// The length asked for.
        asked: usize,
        /// What the model was made for.
        most: usize,
    },
    /// A token id that the vocabulary does not have.
    #[error("token id {token} is not in the vocabulary of {vocab}")]
    TokenOutOfRange {
        /// The id.
        token: u32,
        /// Size of the vocabulary.
        vocab: usize,
    },
    /// A checkpoint that this sequence cannot return to.
    #[error("cannot rewind to a checkpoint of {len} positions: {reason}")]
    Checkpoint {
        /// Positions in the cache when the checkpoint was taken.
        len: usize,
        /// Why not.
        reason: CheckpointReason,
    },
    /// More was to be taken back than the last pass fed, or than may be taken back.
    #[error("cannot go back to {asked} of {len} positions: {least} is the least")]
    Truncate {
        /// The length asked for.
        asked: usize,
        /// The shortest length that was possible.
        least: usize,
        /// Positions in the cache.
        len: usize,
    },
    /// Something that this implementation of the forward pass does not do.
    #[error("not supported on this path: {what}")]
    Unsupported {
        /// What, e.g. `keeping the KV cache`.
        what: String,
    },
    /// The kernels that were asked for are not there.
    #[error(transparent)]
    Kernels(#[from] kernels::Error),
    /// A kept KV cache that this sequence cannot go on with.
    #[error("a kept KV cache cannot be used: {reason}")]
    KvState {
        /// Why not.
        reason: KvStateReason,
    },
    /// A KV cache could not be written or read.
    #[error("a KV cache could not be written or read")]
    KvStateIo(#[source] std::io::Error),
    /// The file could not be opened or its header is wrong.
    #[error(transparent)]
    File(#[from] gguf::Error),
    /// A sound file that holds something else than a Gemma 4 language model.
    #[error("not a Gemma 4 language model: the file's architecture is `{architecture}`")]
    Architecture {
        /// `general.architecture` of the file.
        architecture: String,
    },
    /// A Gemma 4 model with a part that this program does not have.
    #[error("this kind of Gemma 4 model is not supported: {what}")]
    Variant {
        /// The part, e.g. `mixture of experts`.
        what: String,
    },
    /// A hyper-parameter that makes no sense.
    #[error("`{key}` is {found}, expected {expected}")]
    Parameter {
        /// The metadata key.
        key: String,
        /// Its value.
        found: String,
        /// What was expected.
        expected: String,
    },
    /// A tensor has another shape than the metadata promises.
    #[error("the tensor `{name}` has shape {found:?}, expected {expected}")]
    TensorShape {
        /// Its name in the file.
        name: String,
        /// Shape by the metadata, as (out, in).
        expected: String,
        /// Shape in the file, as (out, in).
        found: Vec<usize>,
    },
    /// A tensor of a type that cannot be used in its place.
    #[error("the tensor `{name}` has type {dtype:?}, which is not supported there")]
    TensorType {
        /// Its name in the file.
        name: String,
        /// Its type.
        dtype: GgmlDType,
    },
    /// A tensor's bytes do not start or end where its type needs them to.
    #[error("the tensor `{name}` is not stored as whole aligned blocks")]
    TensorLayout {
        /// Its name in the file.
        name: String,
    },
    /// The weights could not be read from the file.
    #[error("could not read the weights in `{}`", path.display())]
    ReadWeights {
        /// The model file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// There is no room for the weights.
    #[error("not enough memory for {needed_bytes} bytes of weights")]
    NoMemory {
        /// Bytes that they take.
        needed_bytes: u64,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The device is absent, or this build cannot use it.
    #[error("cannot use {device}: {reason}")]
    DeviceUnavailable {
        /// The device asked for.
        device: String,
        /// Why not.
        reason: String,
    },
    /// A tensor operation failed.
    #[error("a tensor operation failed")]
    Tensor(#[from] candle_core::Error),
}

/// Why a checkpoint is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckpointReason {
    /// It was taken on another sequence.
    OtherSequence,
    /// The sequence is shorter now.
    Ahead,
    /// The sequence went back behind it since; what stood there is overwritten.
    Overwritten,
}

impl std::fmt::Display for CheckpointReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::OtherSequence => "it belongs to another sequence",
            Self::Ahead => "the sequence is shorter now",
            Self::Overwritten => "the sequence has gone back behind it since",
        })
    }
}

/// Why a kept KV cache is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KvStateReason {
    /// The bytes are something else, or of another version.
    Format,
    /// It is another model's.
    OtherModel,
    /// It has more positions than the sequence may hold.
    TooLong,
    /// It ends early, goes on behind its end, or its checksum is wrong.
    Damaged,
}

impl std::fmt::Display for KvStateReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Format => "it is something else, or of another version",
            Self::OtherModel => "it belongs to another model",
            Self::TooLong => "it is longer than the context",
            Self::Damaged => "it is damaged",
        })
    }
}

impl Explain for Error {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Cancelled | Self::TokenOutOfRange { .. } | Self::ContextLength { .. } | Self::Kernels(_) => {
                ErrorCode::InvalidRequest
            }
            Self::ContextFull { .. } => ErrorCode::PromptTooLong,
            Self::Checkpoint { .. }
            | Self::Truncate { .. }
            | Self::Unsupported { .. }
            | Self::KvState { .. }
            | Self::KvStateIo(_) => ErrorCode::Internal,
            Self::File(error) => error.code(),
            Self::Architecture { .. } | Self::Variant { .. } | Self::TensorType { .. } => ErrorCode::ModelUnsupported,
            Self::Parameter { .. } | Self::TensorShape { .. } | Self::TensorLayout { .. } => {
                ErrorCode::ModelFileDamaged
            }
            Self::ReadWeights { source, .. } => io_code(source),
            Self::NoMemory { .. } => ErrorCode::OutOfMemory,
            Self::DeviceUnavailable { .. } => ErrorCode::DeviceUnavailable,
            Self::Tensor(error) if is_out_of_memory(error) => ErrorCode::OutOfMemory,
            Self::Tensor(_) => ErrorCode::Internal,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::File(error) => return error.hint(),
            Self::Architecture { architecture } => architecture_hint(architecture).to_owned(),
            Self::Variant { .. } => "Choose a Gemma 4 E2B or E4B file".to_owned(),
            Self::TensorType { .. } => {
                "Choose another quantization of the same model, for example Q4_0, Q4_K_M or Q8_0".to_owned()
            }
            Self::Parameter { .. } | Self::TensorShape { .. } | Self::TensorLayout { .. } => {
                "The file contradicts itself: download it again or choose another conversion of the model".to_owned()
            }
            Self::ContextLength { most, .. } => format!("Choose a context length between 1 and {most}"),
            Self::ContextFull { .. } => "Start a new conversation or choose a longer context length".to_owned(),
            Self::ReadWeights { .. } => "Check the disk that the model lies on".to_owned(),
            Self::DeviceUnavailable { .. } => "Run on the CPU (`--device cpu`)".to_owned(),
            Self::NoMemory { .. } => OUT_OF_MEMORY_HINT.to_owned(),
            Self::Kernels(_) => format!("Unset {} and start again", kernels::select::VARIABLE),
            Self::Tensor(error) if is_out_of_memory(error) => OUT_OF_MEMORY_HINT.to_owned(),
            Self::Cancelled
            | Self::TokenOutOfRange { .. }
            | Self::Checkpoint { .. }
            | Self::Truncate { .. }
            | Self::Unsupported { .. }
            | Self::KvState { .. }
            | Self::KvStateIo(_)
            | Self::Tensor(_) => return None,
        };
        Some(hint)
    }
}

const OUT_OF_MEMORY_HINT: &str = "Close other programs, choose a shorter context length or a smaller model";

/// What a file of another architecture is, and what to do about it.
fn architecture_hint(architecture: &str) -> &'static str {
    match architecture {
        "clip" => {
            "This is the projector for images and sound (mmproj) that belongs to a model; choose the model's own file"
        }
        "gemma4-assistant" | "gemma4_assistant" => {
            "This is the small draft model that only speeds up Gemma 4; choose the file of Gemma 4 itself"
        }
        _ => "Choose a Gemma 4 E2B or E4B file in GGUF format",
    }
}

/// Whether a device ran out of memory. Drivers report it as text only.
fn is_out_of_memory(error: &candle_core::Error) -> bool {
    let text = error.to_string().to_ascii_lowercase();
    text.contains("out_of_memory") || text.contains("out of memory")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_projector_and_a_drafter_are_called_what_they_are() {
        for (architecture, word) in [("clip", "mmproj"), ("gemma4-assistant", "draft"), ("llama", "Gemma 4 E2B")] {
            let error = Error::Architecture { architecture: architecture.to_owned() };
            assert_eq!(error.code(), ErrorCode::ModelUnsupported);
            assert!(error.hint().is_some_and(|hint| hint.contains(word)), "{architecture}: {:?}", error.hint());
        }
    }

    #[test]
    fn a_full_card_is_out_of_memory() {
        let error = Error::Tensor(candle_core::Error::Msg("DriverError(CUDA_ERROR_OUT_OF_MEMORY, \"x\")".to_owned()));
        assert_eq!(error.code(), ErrorCode::OutOfMemory);
        assert_eq!(Error::Tensor(candle_core::Error::Msg("other".to_owned())).code(), ErrorCode::Internal);
    }
}
