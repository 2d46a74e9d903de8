//! Weights in the order in which the processor's kernels read them.
//!
//! A model's matrices are packed once, by several threads, into a file that later starts map: they open in milliseconds
//! and what is resident is one copy of the weights, which the system may drop and read again. The file belongs to one
//! model file, named and checked by a fingerprint of it, and may be deleted at any time. Where no folder can be written,
//! and for small models, weights are packed into memory at each start.
//!
//! * `plan` – which matrices, and where each lies
//! * `work` – packing them
//! * `header` – what stands at the beginning of a file, and which model file it belongs to
//! * `folder` – files in a folder that several processes use
//! * `keeper` – what is done beside: writing through, reading ahead, tidying up

mod folder;
mod header;
mod keeper;
mod plan;
mod work;

use std::{
    num::NonZero,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use kernels::{Format, Matrix};
use memmap2::{Mmap, MmapMut};

use self::{
    folder::{Packed, Place, Trouble},
    header::Header,
    keeper::Keeper,
    plan::Entry,
};
pub use self::{
    folder::{bytes_in, remove},
    plan::Packing,
};
use crate::error::Error;

/// From this size on, packed weights are kept in a file.
pub const FILE_FROM_BYTES: u64 = 256 << 20;

/// How weights are packed and kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackOptions<'a> {
    /// Folders in which a file is looked for, in this order; a new one goes to the first that can be written. Without
    /// any, weights are packed in memory.
    pub dirs: &'a [PathBuf],
    /// Threads that pack.
    pub threads: NonZero<usize>,
    /// From how many packed bytes on a file is kept: [`FILE_FROM_BYTES`], but for tests.
    pub file_from_bytes: u64,
}

impl<'a> PackOptions<'a> {
    /// The usual, with files in `dirs`.
    pub fn new(dirs: &'a [PathBuf], threads: NonZero<usize>) -> Self {
        Self { dirs, threads, file_from_bytes: FILE_FROM_BYTES }
    }
}

/// One matrix among [`PackedWeights`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MatrixId(u32);

/// Where packed weights came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Packed just now, into memory.
    Memory,
    /// Packed just now, into this file.
    Packed(PathBuf),
    /// Packed by an earlier start, into this file.
    Kept(PathBuf),
}

/// Packed matrices of one model.
pub struct PackedWeights {
    entries: Vec<Entry>,
    origin: Origin,
    map: Arc<Mmap>,
    keeper: Option<Keeper>,
}

impl std::fmt::Debug for PackedWeights {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PackedWeights").field("origin", &self.origin).field("bytes", &self.map.len()).finish()
    }
}

impl Packing<'_> {
    /// The matrices named so far, packed: from a file of an earlier start, or anew.
    ///
    /// # Errors
    /// If the model file cannot be read, or memory is short where no file can be kept.
    pub fn open(self, options: &PackOptions<'_>) -> Result<PackedWeights, Error> {
        let started = Instant::now();
        let (map, origin, keeper) = self.map(options)?;
        self.file.give_back_pages();
        tracing::info!(?origin, bytes = map.len(), ms = started.elapsed().as_millis() as u64, "packed weights");
        Ok(PackedWeights { entries: self.entries, origin, map, keeper })
    }

    fn map(&self, options: &PackOptions<'_>) -> Result<(Arc<Mmap>, Origin, Option<Keeper>), Error> {
        if self.data_bytes < options.file_from_bytes || options.dirs.is_empty() {
            return Ok((self.in_memory(options)?, Origin::Memory, None));
        }
        let header = Header::of(self)?;
        let kept = |map: Arc<Mmap>, place: &Place| {
            let keeper = Keeper::for_kept(Arc::clone(&map), options.dirs, &header);
            (map, Origin::Kept(place.path.clone()), Some(keeper))
        };
        let places: Vec<Place> = options.dirs.iter().map(|dir| Place::new(dir, &header)).collect();
        if let Some((place, map)) = places.iter().find_map(|place| Some((place, place.open(&header)?))) {
            return Ok(kept(map, place));
        }
        for place in &places {
            match place.pack(self, &header, options.threads) {
                Ok(Packed::Now { map, unfinished }) => {
                    let keeper = Keeper::for_new(unfinished, options.dirs, &header);
                    return Ok((map, Origin::Packed(place.path.clone()), Some(keeper)));
                }
                Ok(Packed::ByAnother(map)) => return Ok(kept(map, place)),
                Err(Trouble::Source(error)) => return Err(error),
                Err(Trouble::Folder(error)) => {
                    let error = errors::chain(&error);
                    tracing::warn!(path = %place.path.display(), %error, "packed weights cannot be kept here");
                }
            }
        }
        Ok((self.in_memory(options)?, Origin::Memory, None))
    }

    fn in_memory(&self, options: &PackOptions<'_>) -> Result<Arc<Mmap>, Error> {
        let needed_bytes = self.data_bytes;
        let short = |source| Error::NoMemory { needed_bytes, source };
        // A map of no bytes is an error on some systems.
        let len = usize::try_from(needed_bytes).unwrap_or(usize::MAX).max(1);
        let mut map = MmapMut::map_anon(len).map_err(short)?;
        #[cfg(target_os = "linux")]
        if let Err(error) = map.advise(memmap2::Advice::HugePage) {
            tracing::debug!(%error, "no huge pages");
        }
        work::into_memory(self, options.threads, &mut map)?;
        Ok(Arc::new(map.make_read_only().map_err(short)?))
    }
}

impl PackedWeights {
    /// The matrix `id`, which must have been named for these weights.
    ///
    /// # Panics
    /// If it was not.
    pub fn matrix(&self, id: MatrixId) -> Matrix<'_> {
        let entry = &self.entries[id.0 as usize];
        let Entry { format, n_rows, width, .. } = *entry;
        let start = entry.at as usize + self.data_offset();
        let bytes = &self.map[start..start + entry.packed_bytes()];
        match Matrix::new(format, n_rows, width, bytes) {
            Some(matrix) => matrix,
            // `Packing::matrix` checked the width, and the bytes are as many as they take by definition.
            None => unreachable!("{} does not fit its own size", entry.name),
        }
    }

    /// How the weights of the matrix `id` are stored.
    ///
    /// # Panics
    /// As [`Self::matrix`].
    pub fn format(&self, id: MatrixId) -> Format {
        self.entries[id.0 as usize].format
    }

    /// Where these weights came from.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Bytes of the map that holds them.
    pub fn bytes(&self) -> u64 {
        self.map.len() as u64
    }

    /// Waits until a new file is written through and has its name. Dropping the weights waits too.
    pub fn finish(&mut self) {
        self.keeper = None;
    }

    /// Where the matrices begin in the map.
    fn data_offset(&self) -> usize {
        self.map.len() - self.entries.last().map_or(self.map.len(), |last| last.at as usize + last.packed_bytes())
    }
}

/// Whether `path` is a file that this module makes in its folders, finished or not.
pub fn is_packed_file(path: &Path) -> bool {
    folder::kind_of(path).is_some()
}
