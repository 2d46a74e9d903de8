//! GGUF files, versions 2 and 3, little endian.
//!
//! A file is mapped, its header is checked from the first byte to the last before anything is trusted, and tensors are
//! handed out as slices of the map. Opening touches the header's pages only, however large the file is. Nothing is
//! allocated from a length that the file merely claims: counts are held against the bytes that are there.
//!
//! Layout (all integers little endian): magic `GGUF`, version u32, tensor count u64, key count u64, then the keys
//! (name, type, value), then the tensor table (name, dimensions, type, offset), padding to the alignment, then the data.

mod error;
mod file;
mod header;
mod map;
mod metadata;
mod reader;
mod tensor;
mod value;

pub use error::Error;
pub use file::GgufFile;
pub use header::{Header, parse};
pub(crate) use map::map_open_file;
pub use metadata::{Metadata, optional};
pub use tensor::{TensorInfo, UnsupportedTensor, dtype_id, type_name};
pub use value::{Array, Strs, Value, ValueType};
