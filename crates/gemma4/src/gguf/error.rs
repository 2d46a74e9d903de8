//! What can be wrong with a GGUF file.

use std::path::PathBuf;

use errors::{ErrorCode, Explain, io_code};

use super::value::ValueType;

/// Why a GGUF file, or something asked of it, could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file could not be opened or mapped.
    #[error("could not open the model file `{}`", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Something is wrong inside the file.
    #[error("could not read the model file `{}`", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: Box<Error>,
    },
    /// The first four bytes are not `GGUF`.
    #[error("not a GGUF file: it begins with the bytes {found:02x?}")]
    Magic {
        /// The first bytes, at most four.
        found: Vec<u8>,
    },
    /// The file was written for machines with the other byte order.
    #[error("a big-endian GGUF file")]
    BigEndian,
    /// A version this program does not know.
    #[error("GGUF version {version} is not one of 2 and 3")]
    Version {
        /// As the file says.
        version: u32,
    },
    /// The file ends too early.
    #[error("cut short: {what} at byte {at} needs {needed} bytes and {available} are left")]
    Truncated {
        /// What was being read.
        what: &'static str,
        /// Where in the file.
        at: u64,
        /// Bytes it needs.
        needed: u64,
        /// Bytes that are left.
        available: u64,
    },
    /// A count or length that no sound file has.
    #[error("{what} at byte {at} is {count}; the most that makes sense here is {limit}")]
    Absurd {
        /// What is counted.
        what: &'static str,
        /// Where in the file.
        at: u64,
        /// As the file says.
        count: u64,
        /// The most that is accepted.
        limit: u64,
    },
    /// Text that is not UTF-8.
    #[error("{what} at byte {at} is not UTF-8 text")]
    NotUtf8 {
        /// What was being read.
        what: &'static str,
        /// Where in the file.
        at: u64,
    },
    /// A truth value that is neither 0 nor 1.
    #[error("a truth value at byte {at} is {found}")]
    NotBool {
        /// Where in the file.
        at: u64,
        /// The byte.
        found: u8,
    },
    /// A value type that the format does not have.
    #[error("value type {id} at byte {at} does not exist")]
    ValueType {
        /// Where in the file.
        at: u64,
        /// As the file says.
        id: u32,
    },
    /// Arrays inside arrays inside arrays.
    #[error("arrays nested more than {limit} deep at byte {at}")]
    Nesting {
        /// Where in the file.
        at: u64,
        /// The deepest that is read.
        limit: usize,
    },
    /// The same key twice.
    #[error("the key `{key}` occurs twice")]
    DuplicateKey {
        /// The key.
        key: String,
    },
    /// The same tensor name twice.
    #[error("the tensor `{name}` occurs twice")]
    DuplicateTensor {
        /// Its name.
        name: String,
    },
    /// `general.alignment` is not a power of two from 1 to 65536.
    #[error("an alignment of {alignment} bytes")]
    Alignment {
        /// As the file says.
        alignment: u64,
    },
    /// A tensor's dimensions contradict its type, or overflow.
    #[error("the tensor `{name}` has an impossible shape {shape:?} for its type {dtype}")]
    Shape {
        /// Its name.
        name: String,
        /// Rows first.
        shape: Vec<u64>,
        /// Name of the type.
        dtype: String,
    },
    /// A tensor does not begin on the file's alignment.
    #[error("the tensor `{name}` begins at {offset}, which is not a multiple of {alignment}")]
    Misaligned {
        /// Its name.
        name: String,
        /// Offset within the data section.
        offset: u64,
        /// The file's alignment.
        alignment: u64,
    },
    /// A tensor reaches beyond the end of the file.
    #[error("cut short: the tensor `{name}` needs {n_bytes} bytes from byte {offset} of a file of {file_bytes} bytes")]
    TensorBeyondEnd {
        /// Its name.
        name: String,
        /// Offset from the start of the file; saturated if it overflows.
        offset: u64,
        /// Bytes it needs.
        n_bytes: u64,
        /// Bytes the file has.
        file_bytes: u64,
    },
    /// Two tensors claim the same bytes.
    #[error("the tensors `{first}` and `{second}` overlap")]
    Overlap {
        /// The one that begins first.
        first: String,
        /// The one that begins inside it.
        second: String,
    },
    /// A key that is needed is not there.
    #[error("the key `{key}` is missing")]
    MissingKey {
        /// The key.
        key: String,
    },
    /// A key holds another type of value.
    #[error("the key `{key}` holds {found} where {wanted} is needed")]
    WrongType {
        /// The key.
        key: String,
        /// What is needed.
        wanted: &'static str,
        /// What is there.
        found: ValueType,
    },
    /// A number that does not fit where it is needed.
    #[error("the key `{key}` holds {found}, which does not fit {wanted}")]
    OutOfRange {
        /// The key.
        key: String,
        /// The number.
        found: i128,
        /// What is needed.
        wanted: &'static str,
    },
    /// A tensor that is needed is not there.
    #[error("the tensor `{name}` is missing")]
    MissingTensor {
        /// Its name.
        name: String,
    },
    /// A tensor in a type that this program cannot compute with.
    #[error("the tensor `{name}` has the type {dtype}, which this program cannot use")]
    UnsupportedType {
        /// Its name.
        name: String,
        /// Name or number of the type.
        dtype: String,
    },
}

impl Explain for Error {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Open { source, .. } if source.kind() == std::io::ErrorKind::NotFound => ErrorCode::ModelMissing,
            Self::Open { source, .. } => io_code(source),
            Self::File { source, .. } => source.code(),
            Self::BigEndian | Self::Version { .. } | Self::UnsupportedType { .. } => ErrorCode::ModelUnsupported,
            _ => ErrorCode::ModelFileDamaged,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Open { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
                "Check the path, or install a model first"
            }
            Self::Open { .. } => "Check that the file is on this computer and that you may read it",
            Self::File { source, .. } => return source.hint(),
            Self::Magic { .. } => {
                "Choose a file whose name ends in .gguf; a page or an archive saved in its place will not do"
            }
            Self::BigEndian => "Get the little-endian file; nearly all published files are",
            Self::Version { .. } => "Get a newer copy of the model; version 3 files have been usual since 2023",
            Self::UnsupportedType { .. } => "Get the model in another quantization, for example Q4_0, Q4_K_M or Q8_0",
            Self::MissingKey { .. } | Self::WrongType { .. } | Self::OutOfRange { .. } | Self::MissingTensor { .. } => {
                "This may be another kind of model, or a conversion that went wrong: get a published Gemma 4 E2B or E4B file"
            }
            _ => "The file is damaged or its download did not finish: get it again",
        };
        Some(hint.to_owned())
    }
}
