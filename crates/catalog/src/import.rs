//! Copying a model file into the models folder so that it appears whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::error::Error;

/// Bytes copied between two reports of progress; also all the memory that copying takes.
const BLOCK_BYTES: usize = 4 << 20;
/// Room that must stay on the disk beside the copy, for the file system's own records and other programs.
const SPARE_BYTES: u64 = 64 << 20;
/// When so much is copied, the header lies in the copy and is checked; Gemma 4's takes 16 MB.
const HEADER_BYTES: u64 = 64 << 20;
/// Ending of a copy under way. No such file is ever listed; one that is left behind is deleted by the next import.
const PARTIAL_ENDING: &str = ".importing";
const LOCK_NAME: &str = ".import.lock";

/// How far an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes copied.
    pub done_bytes: u64,
    /// Bytes in all.
    pub total_bytes: u64,
}

/// What to do after a block: go on, or stop and leave nothing behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Continue {
    /// Go on.
    Yes,
    /// Stop.
    No,
}

/// The right to change the models folder; given back when dropped, or when the program ends.
pub(crate) struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Makes the folder if need be and takes the right.
    pub(crate) fn take(folder: &Path) -> Result<Self, Error> {
        let failed = |cause| Error::Folder { path: folder.to_owned(), cause };
        fs::create_dir_all(folder).map_err(failed)?;
        let options = OpenOptions::new().create(true).truncate(false).write(true).open(folder.join(LOCK_NAME));
        let file = options.map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Err(Error::Busy),
            // Some network file systems have no locks; a copy there still appears whole, under a name of its own.
            Err(fs::TryLockError::Error(cause)) if cause.kind() == io::ErrorKind::Unsupported => {}
            Err(fs::TryLockError::Error(cause)) => return Err(failed(cause)),
        }
        remove_leftovers(folder);
        Ok(Self { _file: file })
    }
}

/// Deletes copies that a killed program left. The caller holds the lock, so nobody is writing one.
fn remove_leftovers(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().ends_with(PARTIAL_ENDING) {
            match fs::remove_file(entry.path()) {
                Ok(()) => tracing::info!(path = %entry.path().display(), "deleted an unfinished copy"),
                Err(error) => tracing::warn!(path = %entry.path().display(), %error, "an unfinished copy stays"),
            }
        }
    }
}

/// Free room on `folder`'s disk must hold `bytes` and a little more.
pub(crate) fn check_space(folder: &Path, bytes: u64) -> Result<(), Error> {
    let free = fs4::available_space(folder).map_err(|cause| Error::Folder { path: folder.to_owned(), cause })?;
    enough_space(bytes, free)
}

fn enough_space(bytes: u64, free_bytes: u64) -> Result<(), Error> {
    let needed_bytes = bytes.saturating_add(SPARE_BYTES);
    if needed_bytes > free_bytes { Err(Error::NotEnoughSpace { needed_bytes, free_bytes }) } else { Ok(()) }
}

/// A copy that is deleted again unless it is published.
pub(crate) struct PartialCopy {
    path: PathBuf,
    published: bool,
}

impl PartialCopy {
    /// Where the unpublished copy lies.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Copies `source`, `total_bytes` long, into `folder` under a hidden name, down to the disk itself.
    ///
    /// `check` is shown the copy early, at its full length but empty behind the first part, and may refuse it.
    pub(crate) fn write(
        source: &Path,
        total_bytes: u64,
        folder: &Path,
        check: &mut dyn FnMut(&Path) -> Result<(), Error>,
        progress: &mut dyn FnMut(Progress) -> Continue,
    ) -> Result<Self, Error> {
        let mut from = File::open(source).map_err(|cause| Error::ReadSource { path: source.to_owned(), cause })?;
        let path = folder.join(format!(".{}{PARTIAL_ENDING}", std::process::id()));
        let copy = Self { path, published: false };
        let failed = |cause| Error::WriteCopy { path: copy.path.clone(), cause };
        let mut to = OpenOptions::new().create_new(true).write(true).open(&copy.path).map_err(failed)?;
        to.set_len(total_bytes).map_err(failed)?;
        let mut copied = Blocks { source, target: &copy.path, done_bytes: 0, total_bytes };
        let head = total_bytes.min(HEADER_BYTES);
        copied.copy(head, &mut from, &mut to, progress)?;
        if copied.done_bytes == head {
            check(&copy.path)?;
            copied.copy(u64::MAX, &mut from, &mut to, progress)?;
        }
        let found = copied.done_bytes;
        if found != total_bytes {
            return Err(Error::SourceChanged { path: source.to_owned(), expected: total_bytes, found });
        }
        to.sync_all().map_err(failed)?;
        Ok(copy)
    }

    /// Gives the copy its visible name, in one step, never over an existing file.
    pub(crate) fn publish(mut self, target: &Path) -> Result<(), Error> {
        let failed = |cause| Error::WriteCopy { path: target.to_owned(), cause };
        let taken = || Error::AlreadyInstalled { file_name: file_name(target), same_content: false };
        match fs::hard_link(&self.path, target) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(taken()),
            // FAT and some network file systems have no links: the folder's lock makes look-then-rename safe enough.
            Err(_) if target.exists() => return Err(taken()),
            Err(_) => {
                fs::rename(&self.path, target).map_err(failed)?;
                self.published = true;
            }
        }
        if !self.published {
            fs::remove_file(&self.path).map_err(failed)?;
            self.published = true;
        }
        if let Some(folder) = target.parent() {
            sync_folder(folder);
        }
        Ok(())
    }
}

impl Drop for PartialCopy {
    fn drop(&mut self) {
        if !self.published {
            // If this fails too, the next import deletes it.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Makes a new name in `folder` survive a power cut. Windows does so by itself and does not open folders.
fn sync_folder(folder: &Path) {
    if cfg!(unix)
        && let Err(error) = File::open(folder).and_then(|folder| folder.sync_all())
    {
        tracing::warn!(path = %folder.display(), %error, "the folder could not be written through");
    }
}

/// Copying from one place to another in blocks, and how far it is.
struct Blocks<'a> {
    source: &'a Path,
    target: &'a Path,
    done_bytes: u64,
    total_bytes: u64,
}

impl Blocks<'_> {
    /// Copies until `until` bytes are done, `from` ends, or more than `total_bytes` came.
    fn copy(
        &mut self,
        until: u64,
        from: &mut dyn Read,
        to: &mut dyn Write,
        progress: &mut dyn FnMut(Progress) -> Continue,
    ) -> Result<(), Error> {
        let mut block = vec![0; BLOCK_BYTES];
        while self.done_bytes < until {
            let now = Progress { done_bytes: self.done_bytes, total_bytes: self.total_bytes };
            if progress(now) == Continue::No {
                return Err(Error::Cancelled);
            }
            let wanted = usize::try_from(until - self.done_bytes).unwrap_or(BLOCK_BYTES).min(BLOCK_BYTES);
            let unreadable = |cause| Error::ReadSource { path: self.source.to_owned(), cause };
            let count = fill(from, &mut block[..wanted]).map_err(unreadable)?;
            self.done_bytes += count as u64;
            if count == 0 || self.done_bytes > self.total_bytes {
                break;
            }
            let unwritable = |cause| Error::WriteCopy { path: self.target.to_owned(), cause };
            to.write_all(&block[..count]).map_err(unwritable)?;
        }
        Ok(())
    }
}

/// Reads until `block` is full or `from` ends.
fn fill(from: &mut dyn Read, block: &mut [u8]) -> io::Result<usize> {
    let mut count = 0;
    while count < block.len() {
        match from.read(&mut block[count..]) {
            Ok(0) => break,
            Ok(more) => count += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(count)
}

/// Whether two files hold the same bytes. Files of different models differ in the first block, so this is quick to say no.
pub(crate) fn same_content(one: &Path, other: &Path) -> io::Result<bool> {
    let (mut one, mut other) = (File::open(one)?, File::open(other)?);
    let (mut left, mut right) = (vec![0; BLOCK_BYTES], vec![0; BLOCK_BYTES]);
    loop {
        let (n_left, n_right) = (fill(&mut one, &mut left)?, fill(&mut other, &mut right)?);
        if left[..n_left] != right[..n_right] {
            return Ok(false);
        }
        if n_left == 0 {
            return Ok(true);
        }
    }
}

/// The last part of `path` for messages.
pub(crate) fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use errors::{ErrorCode, Explain};

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("a folder");
        let mut names: Vec<_> = entries.map(|entry| file_name(&entry.expect("an entry").path())).collect();
        names.sort();
        names
    }

    fn go_on(_: Progress) -> Continue {
        Continue::Yes
    }

    fn source(folder: &Path, bytes: usize) -> PathBuf {
        let path = folder.join("source.gguf");
        fs::write(&path, (0..bytes).map(|i| (i * 7 % 251) as u8).collect::<Vec<_>>()).expect("a file");
        path
    }

    #[test]
    fn a_copy_is_invisible_until_it_is_published() {
        let stick = tempfile::tempdir().expect("a folder");
        let models = tempfile::tempdir().expect("a folder");
        let source = source(stick.path(), BLOCK_BYTES + 5);
        let mut seen = Vec::new();
        let mut progress = |now: Progress| {
            seen.push(now.done_bytes);
            Continue::Yes
        };
        let total = BLOCK_BYTES as u64 + 5;
        let copy = PartialCopy::write(&source, total, models.path(), &mut |_| Ok(()), &mut progress).expect("a copy");
        assert_eq!(seen, [0, BLOCK_BYTES as u64, total]);
        assert!(names(models.path()).iter().all(|name| name.ends_with(PARTIAL_ENDING)));
        copy.publish(&models.path().join("m.gguf")).expect("published");
        assert_eq!(names(models.path()), ["m.gguf"]);
        assert!(same_content(&source, &models.path().join("m.gguf")).expect("readable"));
    }

    #[test]
    fn publishing_never_overwrites() {
        let models = tempfile::tempdir().expect("a folder");
        let source = source(models.path(), 100);
        let target = models.path().join("m.gguf");
        fs::write(&target, "mine").expect("a file");
        let copy = PartialCopy::write(&source, 100, models.path(), &mut |_| Ok(()), &mut go_on).expect("a copy");
        let error = copy.publish(&target).expect_err("the name is taken");
        assert!(matches!(error, Error::AlreadyInstalled { same_content: false, .. }), "{error:?}");
        assert_eq!(fs::read(&target).expect("readable"), b"mine");
        assert_eq!(names(models.path()), ["m.gguf", "source.gguf"]);
    }

    #[test]
    fn stopping_and_a_changed_source_leave_nothing() {
        let stick = tempfile::tempdir().expect("a folder");
        let models = tempfile::tempdir().expect("a folder");
        let source = source(stick.path(), 1000);
        let mut stop = |_: Progress| Continue::No;
        let stopped = PartialCopy::write(&source, 1000, models.path(), &mut |_| Ok(()), &mut stop).map(|_| ());
        assert!(matches!(stopped, Err(Error::Cancelled)), "{stopped:?}");
        for expected in [999, 1001] {
            let changed = PartialCopy::write(&source, expected, models.path(), &mut |_| Ok(()), &mut go_on).map(|_| ());
            assert!(matches!(changed, Err(Error::SourceChanged { found: 1000, .. })), "{changed:?}");
        }
        assert_eq!(names(models.path()), [""; 0]);
    }

    struct PulledOut(usize);

    impl Read for PulledOut {
        fn read(&mut self, block: &mut [u8]) -> io::Result<usize> {
            let count = self.0.min(block.len());
            self.0 -= count;
            if count == 0 { Err(io::Error::from(io::ErrorKind::NotConnected)) } else { Ok(count) }
        }
    }

    #[test]
    fn a_stick_that_is_pulled_out_is_named_as_the_cause() {
        let mut stick = PulledOut(BLOCK_BYTES + 10);
        let mut blocks = Blocks {
            source: Path::new("/media/stick/m.gguf"),
            target: Path::new("copy"),
            done_bytes: 0,
            total_bytes: 3 * BLOCK_BYTES as u64,
        };
        let error = blocks.copy(u64::MAX, &mut stick, &mut io::sink(), &mut go_on).expect_err("gone");
        assert_eq!(error.to_string(), "could not read `/media/stick/m.gguf`");
        assert_eq!(error.code(), ErrorCode::Io);
        assert!(error.hint().is_some_and(|hint| hint.contains("plug it in again")), "{error:?}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_disk_that_fills_up_is_named_as_the_cause() {
        let stick = tempfile::tempdir().expect("a folder");
        let source = source(stick.path(), 1000);
        let mut from = File::open(&source).expect("readable");
        let mut full = OpenOptions::new().write(true).open("/dev/full").expect("a device that is always full");
        let mut blocks = Blocks { source: &source, target: Path::new("copy"), done_bytes: 0, total_bytes: 1000 };
        let error = blocks.copy(u64::MAX, &mut from, &mut full, &mut go_on).expect_err("full");
        assert_eq!(error.code(), ErrorCode::DiskFull);
        assert!(error.hint().is_some_and(|hint| hint.contains("Free some room")), "{error:?}");
    }

    #[test]
    fn room_is_checked_before_the_first_byte() {
        let gib = 1 << 30;
        assert!(enough_space(gib, 2 * gib).is_ok());
        let error = enough_space(gib, gib).expect_err("no spare room");
        assert_eq!(error.code(), ErrorCode::DiskFull);
        assert_eq!(error.to_string(), "not enough room on the disk: 1.14 GB needed, 1.07 GB free");
        assert_eq!(error.hint().as_deref(), Some("Free 67.1 MB on that disk and repeat"));
        let here = tempfile::tempdir().expect("a folder");
        assert!(check_space(here.path(), u64::MAX / 2).is_err());
        assert!(check_space(here.path(), 1).is_ok());
    }

    #[test]
    fn leftovers_of_a_killed_import_are_deleted_and_two_imports_exclude_each_other() {
        let models = tempfile::tempdir().expect("a folder");
        fs::write(models.path().join(format!(".4711{PARTIAL_ENDING}")), "half").expect("a file");
        fs::write(models.path().join("whole.gguf"), "whole").expect("a file");
        let lock = FolderLock::take(models.path()).expect("free");
        assert_eq!(names(models.path()), [LOCK_NAME, "whole.gguf"]);
        assert!(matches!(FolderLock::take(models.path()).map(|_| ()), Err(Error::Busy)));
        drop(lock);
        assert!(FolderLock::take(models.path()).is_ok());
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let root = tempfile::tempdir().expect("a folder");
        let file = root.path().join("a-file");
        fs::write(&file, "").expect("a file");
        let error = FolderLock::take(&file.join("models")).map(|_| ()).expect_err("a file is no folder");
        assert!(matches!(&error, Error::Folder { .. }), "{error:?}");
        assert!(error.hint().is_some_and(|hint| hint.contains("may be written")), "{error:?}");
    }
}
