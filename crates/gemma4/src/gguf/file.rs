//! An open file: the map and its header.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use memmap2::Mmap;

use super::{
    error::Error,
    header::{Header, parse},
    map::map_file,
    metadata::Metadata,
    tensor::{TensorInfo, UnsupportedTensor, type_name},
};

/// A GGUF file, mapped into memory, with a checked header. Share it in an `Arc`.
pub struct GgufFile {
    path: PathBuf,
    map: Mmap,
    header: Header,
}

impl fmt::Debug for GgufFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GgufFile").field("path", &self.path).field("file_bytes", &self.map.len()).finish()
    }
}

impl GgufFile {
    /// Maps the file at `path` and checks its header.
    ///
    /// # Errors
    /// If the file cannot be opened or its header is not sound.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let map = map_file(path).map_err(|source| Error::Open { path: path.to_owned(), source })?;
        let header = parse(&map).map_err(|source| Error::File { path: path.to_owned(), source: Box::new(source) })?;
        Ok(Self { path: path.to_owned(), map, header })
    }

    /// Where the file lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Size of the file in bytes.
    pub fn file_bytes(&self) -> u64 {
        self.map.len() as u64
    }

    /// The checked header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The keys and values.
    pub fn metadata(&self) -> Metadata<'_> {
        self.header.metadata(&self.map)
    }

    /// The tensors that can be used, in the order of the file.
    pub fn tensors(&self) -> &[TensorInfo] {
        self.header.tensors()
    }

    /// The tensor called `name`, if it is there in a type that can be used.
    pub fn tensor(&self, name: &str) -> Option<&TensorInfo> {
        self.header.tensor(name)
    }

    /// The tensor called `name`.
    ///
    /// # Errors
    /// If it is missing, or in a type that this program cannot use.
    pub fn require_tensor(&self, name: &str) -> Result<&TensorInfo, Error> {
        self.tensor(name).ok_or_else(|| match self.unsupported().iter().find(|tensor| tensor.name == name) {
            Some(tensor) => Error::UnsupportedType { name: name.to_owned(), dtype: type_name(tensor.type_id) },
            None => Error::MissingTensor { name: name.to_owned() },
        })
    }

    /// Tensors in types that this program cannot use.
    pub fn unsupported(&self) -> &[UnsupportedTensor] {
        self.header.unsupported()
    }

    /// The stored bytes of `info`, a tensor of this file, straight from the map.
    ///
    /// An `info` that is not this file's may give other bytes, or none.
    pub fn tensor_bytes(&self, info: &TensorInfo) -> &[u8] {
        usize::try_from(info.offset)
            .ok()
            .and_then(|start| self.map.get(start..start.checked_add(info.n_bytes)?))
            .unwrap_or_default()
    }
}
