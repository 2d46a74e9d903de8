//! The one place that maps files into memory.
#![expect(unsafe_code, reason = "mapping a file is unsafe by nature; this module is its only home")]

use std::{fs::File, io, path::Path};

use memmap2::Mmap;

/// Opens the file at `path` and maps all of it for reading.
///
/// # Errors
/// If the file cannot be opened, is not a regular file, or cannot be mapped.
pub(super) fn map_file(path: &Path) -> io::Result<(File, Mmap)> {
    let file = File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    let map = map_open_file(&file)?;
    Ok((file, map))
}

/// Maps all of `file` for reading: a model, or packed weights.
///
/// # Errors
/// If it cannot be mapped.
pub(crate) fn map_open_file(file: &File) -> io::Result<Mmap> {
    // SAFETY: the map is private and read-only, and Rust code sees it only as `&[u8]`, which has no invalid values.
    // What remains is that the bytes must not change while the map lives. Nobody can promise that for a file, so the
    // rest of the project keeps to it: models and packed weights lie in folders that only this program writes, are put
    // there whole by renaming, and are never written in place; files on removable media are copied in first. If somebody
    // truncates the file all the same, the system ends the process that touches the lost pages, which is the worker, not
    // the app.
    unsafe { Mmap::map(file) }
}

/// Takes the pages of `map`, which [`map_file`] made, out of this process' resident memory. They come back when they are
/// read again, mostly from the system's cache. Where the system cannot, nothing happens.
pub(super) fn give_back_pages(map: &Mmap) {
    #[cfg(unix)]
    {
        // SAFETY: "don't need" would lose what was written to private or anonymous pages; this map is of a file and was
        // never writable, so that every page reads the same when it is faulted in again.
        let given = unsafe { map.unchecked_advise(memmap2::UncheckedAdvice::DontNeed) };
        if let Err(error) = given {
            tracing::debug!(%error, "the pages of a file stay resident");
        }
    }
    #[cfg(not(unix))]
    let _ = map;
}
