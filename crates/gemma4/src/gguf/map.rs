//! The one place that maps a file into memory.
#![expect(unsafe_code, reason = "mapping a file is unsafe by nature; this module is its only home")]

use std::{fs::File, io, path::Path};

use memmap2::Mmap;

/// Maps all of the file at `path` for reading.
///
/// # Errors
/// If the file cannot be opened, is not a regular file, or cannot be mapped.
pub(super) fn map_file(path: &Path) -> io::Result<Mmap> {
    let file = File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    // SAFETY: the map is private and read-only, and Rust code sees it only as `&[u8]`, which has no invalid values.
    // What remains is that the bytes must not change while the map lives. Nobody can promise that for a file, so the
    // rest of the project keeps to it: models lie in a folder that only this program writes, are put there whole by
    // renaming, and are never written in place; files on removable media are copied in first. If somebody truncates
    // the file all the same, the system ends the process that touches the lost pages, which is the worker, not the app.
    unsafe { Mmap::map(&file) }
}
