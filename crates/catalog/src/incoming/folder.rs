//! The models folder as a place that several programs change: who may, whether there is room, how a name appears.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::record::record_of;
use crate::error::Error;

/// Room that must stay on the disk beside a model, for the file system's own records and other programs.
const SPARE_BYTES: u64 = 64 << 20;
const LOCK_NAME: &str = ".import.lock";
/// Ending of a copy under way, as the first version of this program named it.
const OLD_PARTIAL_ENDING: &str = ".importing";

/// The right to change the names in the models folder; given back when dropped, or when the program ends.
pub(crate) struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Makes the folder if need be and takes the right.
    pub(crate) fn take(folder: &Path) -> Result<Self, Error> {
        let failed = |cause| Error::Folder { path: folder.to_owned(), cause };
        fs::create_dir_all(folder).map_err(failed)?;
        let file = lock_file(&folder.join(LOCK_NAME)).map_err(failed)?.ok_or(Error::Busy)?;
        remove_leftovers(folder);
        Ok(Self { _file: file })
    }
}

/// A process that is just being started has our open files until it runs its own program, and with them a lock that we
/// gave back meanwhile.
const STARTING_PROCESS: Duration = Duration::from_millis(100);

/// Makes the file at `path` and locks it; `None` if somebody else has it, this program included.
pub(super) fn lock_file(path: &Path) -> io::Result<Option<File>> {
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
    let deadline = Instant::now() + STARTING_PROCESS;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(fs::TryLockError::WouldBlock) if Instant::now() < deadline => thread::sleep(Duration::from_millis(5)),
            Err(fs::TryLockError::WouldBlock) => return Ok(None),
            // Some network file systems have no locks; a model there still appears whole.
            Err(fs::TryLockError::Error(cause)) if cause.kind() == io::ErrorKind::Unsupported => return Ok(Some(file)),
            Err(fs::TryLockError::Error(cause)) => return Err(cause),
        }
    }
}

/// Deletes copies of the first version's making, and records without a model. The caller holds the lock.
fn remove_leftovers(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let orphan = record_of(&name).is_some_and(|model| !folder.join(model).exists());
        if name.ends_with(OLD_PARTIAL_ENDING) || orphan {
            match fs::remove_file(entry.path()) {
                Ok(()) => tracing::info!(path = %entry.path().display(), "deleted a leftover"),
                Err(error) => tracing::warn!(path = %entry.path().display(), %error, "a leftover stays"),
            }
        }
    }
}

/// Free room on `folder`'s disk must hold `bytes` and a little more.
///
/// # Errors
/// [`Error::NotEnoughSpace`] with the facts; [`Error::Folder`] if the disk does not tell.
pub fn check_space(folder: &Path, bytes: u64) -> Result<(), Error> {
    let free = fs4::available_space(folder).map_err(|cause| Error::Folder { path: folder.to_owned(), cause })?;
    enough_space(bytes, free)
}

fn enough_space(bytes: u64, free_bytes: u64) -> Result<(), Error> {
    let needed_bytes = bytes.saturating_add(SPARE_BYTES);
    if needed_bytes > free_bytes { Err(Error::NotEnoughSpace { needed_bytes, free_bytes }) } else { Ok(()) }
}

/// Gives the finished file at `from` the visible name `to`, in one step, never over an existing file.
pub(super) fn publish(from: &Path, to: &Path) -> Result<(), Error> {
    let failed = |cause| Error::WriteCopy { path: to.to_owned(), cause };
    let taken = || Error::AlreadyInstalled { file_name: file_name(to), same_content: false };
    match fs::hard_link(from, to) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(taken()),
        // FAT and some network file systems have no links: the folder's lock makes look-then-rename safe enough.
        Err(_) if to.exists() => return Err(taken()),
        Err(_) => fs::rename(from, to).map_err(failed)?,
    }
    if let Some(folder) = to.parent() {
        sync_folder(folder);
    }
    Ok(())
}

/// Makes a new name in `folder` survive a power cut. Windows does so by itself and does not open folders.
pub(crate) fn sync_folder(folder: &Path) {
    if cfg!(unix)
        && let Err(error) = File::open(folder).and_then(|folder| folder.sync_all())
    {
        tracing::warn!(path = %folder.display(), %error, "the folder could not be written through");
    }
}

/// Writes `bytes` to `path`, replacing what was there, whole or not at all.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut aside = OsString::from(".");
    aside.push(path.file_name().unwrap_or_default());
    aside.push(".new");
    let aside = path.with_file_name(aside);
    let written = File::create(&aside).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    if let Err(error) = written.and_then(|()| fs::rename(&aside, path)) {
        let _ = fs::remove_file(&aside);
        return Err(error);
    }
    if let Some(folder) = path.parent() {
        sync_folder(folder);
    }
    Ok(())
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

    #[test]
    fn publishing_never_overwrites() {
        let models = tempfile::tempdir().expect("a folder");
        let (data, target) = (models.path().join("data"), models.path().join("m.gguf"));
        fs::write(&data, "copy").expect("a file");
        fs::write(&target, "mine").expect("a file");
        let error = publish(&data, &target).expect_err("the name is taken");
        assert!(matches!(error, Error::AlreadyInstalled { same_content: false, .. }), "{error:?}");
        assert_eq!(fs::read(&target).expect("readable"), b"mine");
        fs::remove_file(&target).expect("removed");
        publish(&data, &target).expect("published");
        assert_eq!(fs::read(&target).expect("readable"), b"copy");
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
    fn leftovers_are_deleted_and_two_programs_exclude_each_other() {
        let models = tempfile::tempdir().expect("a folder");
        let put = |name: &str| fs::write(models.path().join(name), "").expect("a file");
        put(".4711.importing");
        put("gone.gguf.aula.toml");
        put("whole.gguf.aula.toml");
        put("whole.gguf");
        let lock = FolderLock::take(models.path()).expect("free");
        assert_eq!(names(models.path()), [LOCK_NAME, "whole.gguf", "whole.gguf.aula.toml"]);
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

    #[test]
    fn a_file_is_replaced_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("plan");
        for text in ["one", "two"] {
            write_whole(&path, text.as_bytes()).expect("written");
            assert_eq!(fs::read_to_string(&path).expect("readable"), text);
        }
        assert_eq!(names(folder.path()), ["plan"]);
    }
}
