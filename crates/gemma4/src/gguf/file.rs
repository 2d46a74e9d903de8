//! An open file: the map and its header.

use std::{
    fmt,
    fs::File,
    io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use memmap2::Mmap;

use super::{
    error::Error,
    header::{Header, parse},
    map::{give_back_pages, map_file},
    metadata::Metadata,
    tensor::{TensorInfo, UnsupportedTensor, type_name},
};
use crate::positioned::read_exact_at;

/// A GGUF file, mapped into memory, with a checked header. Share it in an `Arc`.
pub struct GgufFile {
    path: PathBuf,
    file: File,
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
        let (file, map) = map_file(path).map_err(|source| Error::Open { path: path.to_owned(), source })?;
        let header = parse(&map).map_err(|source| Error::File { path: path.to_owned(), source: Box::new(source) })?;
        Ok(Self { path: path.to_owned(), file, map, header })
    }

    /// Where the file lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Size of the file in bytes.
    pub fn file_bytes(&self) -> u64 {
        self.map.len() as u64
    }

    /// When the file was last written, where the system tells.
    pub fn modified(&self) -> Option<SystemTime> {
        self.file.metadata().and_then(|facts| facts.modified()).ok()
    }

    /// Fills `bytes` with the file's from `offset` on, without the map: for what is read once, since mapped pages stay
    /// resident.
    ///
    /// # Errors
    /// If the file is shorter now or cannot be read.
    pub fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        read_exact_at(&self.file, bytes, offset)
    }

    /// The header's bytes: everything before the tensors' data.
    pub fn header_bytes(&self) -> &[u8] {
        let end = usize::try_from(self.header.data_offset()).unwrap_or(usize::MAX).min(self.map.len());
        &self.map[..end]
    }

    /// Takes the file's pages out of this process' resident memory until they are read again: for when what is read
    /// once, the header first of all, has been read.
    pub fn give_back_pages(&self) {
        give_back_pages(&self.map);
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
