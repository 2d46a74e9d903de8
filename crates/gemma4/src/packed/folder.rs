//! Files of packed weights in a folder that several processes use.
//!
//! One process at a time packs into a folder; others wait for it and map what it made. A file gets its name when it is
//! written through to the disk, so what has a name is whole. A process that is killed leaves a file with another ending,
//! which the next one that packs or opens removes.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    num::NonZero,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use memmap2::Mmap;

use super::{
    header::{Header, Unusable, recorded_path},
    plan::Packing,
    work::{self, Stopped},
};
use crate::{error::Error, gguf::map_open_file, positioned::write_all_at};

/// Room that must stay on the disk beside packed weights, which are a convenience.
const SPARE_BYTES: u64 = 512 << 20;
/// Held by whoever packs.
const LOCK_NAME: &str = "packing.lock";
const ENDING: &str = ".packed";
const UNFINISHED_ENDING: &str = ".packed.tmp";
/// How long another process is waited for; packing takes a minute or two where the disk is slow.
const PATIENCE: Duration = Duration::from_secs(300);

/// Why a folder cannot keep packed weights.
#[derive(Debug, thiserror::Error)]
pub(super) enum FolderError {
    /// It is not there and cannot be made.
    #[error("could not make the folder")]
    Make(#[source] io::Error),
    /// Its lock cannot be taken.
    #[error("could not lock the folder")]
    Lock(#[source] io::Error),
    /// Another process has the lock all the time.
    #[error("another process has been packing there for too long")]
    Busy,
    /// The disk is too full.
    #[error("{needed_bytes} bytes needed on the disk, {free_bytes} free")]
    Space { needed_bytes: u64, free_bytes: u64 },
    /// The file cannot be written or mapped.
    #[error("could not write the file")]
    Write(#[source] io::Error),
}

/// Why nothing was packed.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The folder's fault: another one may do.
    Folder(FolderError),
    /// The model file's fault.
    Source(Error),
}

/// Weights in a folder that had none.
pub(super) enum Packed {
    /// Packed and mapped; the file has no name yet.
    Now { map: Arc<Mmap>, unfinished: Unfinished },
    /// Another process was first.
    ByAnother(Arc<Mmap>),
}

/// What a file in such a folder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Finished,
    Unfinished,
}

/// What the file at `path` is by its name; `None` if it is none of ours.
pub(super) fn kind_of(path: &Path) -> Option<Kind> {
    let name = path.file_name()?.to_str()?;
    let (digits, ending) = name.split_at_checked(16)?;
    digits.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)).then_some(())?;
    match ending {
        ENDING => Some(Kind::Finished),
        UNFINISHED_ENDING => Some(Kind::Unfinished),
        _ => None,
    }
}

/// The right to pack into a folder.
struct Lock {
    _file: File,
}

impl Lock {
    /// `None` if somebody else has it.
    fn try_take(dir: &Path) -> io::Result<Option<Self>> {
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(dir.join(LOCK_NAME))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn take(dir: &Path) -> Result<Self, FolderError> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match Self::try_take(dir).map_err(FolderError::Lock)? {
                Some(lock) => return Ok(lock),
                None if Instant::now() < deadline => thread::sleep(Duration::from_millis(20)),
                None => return Err(FolderError::Busy),
            }
        }
    }
}

/// Where the packed weights of one model file lie, or would.
pub(super) struct Place {
    dir: PathBuf,
    pub(super) path: PathBuf,
}

impl Place {
    pub(super) fn new(dir: &Path, header: &Header) -> Self {
        let path = dir.join(format!("{:016x}{ENDING}", header.fingerprint.name()));
        Self { dir: dir.to_owned(), path }
    }

    /// The file, mapped, if it is there, whole and exactly what `wanted` describes. Reads the header alone.
    pub(super) fn open(&self, wanted: &Header) -> Option<Arc<Mmap>> {
        let file = File::open(&self.path).ok()?;
        let facts = file.metadata().ok()?;
        let fits = facts.is_file()
            && facts.len() == wanted.total_bytes
            && Header::read(&file).is_ok_and(|header| header.serves(wanted));
        if !fits {
            tracing::warn!(path = %self.path.display(), "packed weights are not usable and will be packed again");
            return None;
        }
        match map_open_file(&file) {
            Ok(map) => Some(Arc::new(map)),
            Err(error) => {
                tracing::warn!(path = %self.path.display(), %error, "packed weights could not be mapped");
                None
            }
        }
    }

    /// Packs `plan` into a new file.
    pub(super) fn pack(&self, plan: &Packing<'_>, header: &Header, threads: NonZero<usize>) -> Result<Packed, Trouble> {
        fs::create_dir_all(&self.dir).map_err(|error| Trouble::Folder(FolderError::Make(error)))?;
        let lock = Lock::take(&self.dir).map_err(Trouble::Folder)?;
        if let Some(map) = self.open(header) {
            return Ok(Packed::ByAnother(map));
        }
        remove_unfinished(&self.dir);
        self.check_space(header.total_bytes).map_err(Trouble::Folder)?;

        let wrong = |error| Trouble::Folder(FolderError::Write(error));
        let temporary = self.path.with_extension(&UNFINISHED_ENDING[1..]);
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(&temporary).map_err(wrong)?;
        // From here on the file is removed unless it is finished.
        let unfinished = Unfinished { file, temporary, path: self.path.clone(), named: false, _lock: lock };
        let file = &unfinished.file;
        file.set_len(header.total_bytes).map_err(wrong)?;
        work::into_store(plan, threads, &|at, bytes| write_all_at(file, bytes, header.data_offset + at)).map_err(
            |stopped| match stopped {
                Stopped::Reading(source) => Trouble::Source(work::unread(plan, source)),
                Stopped::Storing(error) => wrong(error),
            },
        )?;
        write_all_at(file, &header.to_bytes(), 0).map_err(wrong)?;
        let map = Arc::new(map_open_file(file).map_err(wrong)?);
        Ok(Packed::Now { map, unfinished })
    }

    fn check_space(&self, bytes: u64) -> Result<(), FolderError> {
        let needed_bytes = bytes.saturating_add(SPARE_BYTES);
        match fs4::available_space(&self.dir) {
            Ok(free_bytes) if free_bytes < needed_bytes => Err(FolderError::Space { needed_bytes, free_bytes }),
            Ok(_) => Ok(()),
            // Writing will show.
            Err(error) => {
                tracing::debug!(%error, "the disk does not tell how much is free");
                Ok(())
            }
        }
    }
}

/// A file that is packed and has no name yet. Dropping it removes it.
pub(super) struct Unfinished {
    file: File,
    temporary: PathBuf,
    path: PathBuf,
    named: bool,
    _lock: Lock,
}

impl Unfinished {
    /// Writes the file through and gives it its name.
    pub(super) fn finish(mut self) {
        match self.file.sync_all().and_then(|()| fs::rename(&self.temporary, &self.path)) {
            Ok(()) => {
                self.named = true;
                // Windows makes names last by itself and opens no folders.
                if cfg!(unix)
                    && let Some(dir) = self.path.parent()
                    && let Err(error) = File::open(dir).and_then(|dir| dir.sync_all())
                {
                    tracing::debug!(path = %dir.display(), %error, "the folder could not be written through");
                }
            }
            Err(error) => tracing::warn!(path = %self.path.display(), %error, "packed weights were not kept"),
        }
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.named {
            remove_file(&self.temporary, "it was not finished");
        }
    }
}

/// Files of packed weights in `dir`.
fn files(dir: &Path, kind: Kind) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(move |path| kind_of(path) == Some(kind))
}

/// Removes what killed processes left. The caller has the lock.
fn remove_unfinished(dir: &Path) {
    files(dir, Kind::Unfinished).for_each(|path| remove_file(&path, "nobody will finish it"));
}

/// The same, unless somebody is packing.
fn remove_abandoned(dir: &Path) {
    if files(dir, Kind::Unfinished).next().is_some()
        && let Ok(Some(_lock)) = Lock::try_take(dir)
    {
        remove_unfinished(dir);
    }
}

fn remove_file(path: &Path, reason: &str) {
    match fs::remove_file(path) {
        Ok(()) => tracing::info!(path = %path.display(), reason, "removed packed weights"),
        Err(error) => tracing::warn!(path = %path.display(), %error, reason, "packed weights stay"),
    }
}

/// Removes from `dir` what is of no use to anybody: files that were never finished, damaged or old ones, those of models
/// that are gone, and those of earlier files in the place of the one that `current` describes.
pub(super) fn tidy(dir: &Path, current: &Header) {
    remove_abandoned(dir);
    for path in files(dir, Kind::Finished) {
        let header = match File::open(&path) {
            Ok(file) => Header::read(&file),
            Err(_) => continue,
        };
        match header {
            Err(Unusable::Useless) => remove_file(&path, "damaged, or of an earlier version"),
            Ok(header) if header.is_replaced_by(current) => remove_file(&path, "the model file was replaced"),
            Ok(header) if header.is_orphan() => remove_file(&path, "the model file is gone or changed"),
            Ok(_) | Err(Unusable::Unknown) => {}
        }
    }
}

/// Bytes of all files in `dirs`.
pub fn bytes_in(dirs: &[PathBuf]) -> u64 {
    let files = dirs.iter().flat_map(|dir| files(dir, Kind::Finished));
    files.filter_map(|path| Some(fs::metadata(path).ok()?.len())).sum()
}

/// Removes the packed weights of the model file at `model` from `dirs`, where there are some. The model file may be gone
/// already. What cannot be removed, because a process on Windows has it open, is removed by a later start.
pub fn remove(model: &Path, dirs: &[PathBuf]) {
    let model = recorded_path(model);
    dirs.iter().for_each(|dir| remove_abandoned(dir));
    for path in dirs.iter().flat_map(|dir| files(dir, Kind::Finished)) {
        let header = File::open(&path).ok().and_then(|file| Header::read(&file).ok());
        if !model.is_empty() && header.is_some_and(|header| header.model == model) {
            remove_file(&path, "the model is removed");
        }
    }
}
