//! What earlier starts left unfinished.

use std::fs;
use std::path::{Path, PathBuf};

use super::finish::is_finished;
use super::folder::{file_name, lock_file};
use super::{AREAS, DATA, JOURNAL, Plan, area_name, journal, length, lock_path, read_plan, remove_area};
use crate::error::Error;

/// An assembly that has begun and is not finished; somebody may be working on it.
#[derive(Debug, Clone, PartialEq)]
pub struct Unfinished {
    /// What [`discard`] takes; another text for the key that it was begun under.
    pub key: String,
    /// What is assembled.
    pub plan: Plan,
    /// Bytes of the parts that are recorded.
    pub done_bytes: u64,
    /// Number of those parts.
    pub parts_done: usize,
}

/// Everything unfinished in the models folder `folder`, by key. Looking changes nothing but what a killed program left
/// to be cleaned up.
pub fn unfinished(folder: &Path) -> Vec<Unfinished> {
    let mut found: Vec<_> = areas(folder).into_iter().filter_map(|area| look(folder, &area)).collect();
    found.sort_by(|a, b| a.key.cmp(&b.key));
    found
}

fn areas(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder.join(AREAS)).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}

fn look(folder: &Path, area: &Path) -> Option<Unfinished> {
    let plan = read_plan(area);
    let over = plan.as_ref().is_none_or(|plan| is_finished(&area.join(DATA), &folder.join(&plan.file_name)));
    if over {
        clean(area);
        return None;
    }
    let plan = plan?;
    let bytes = fs::read(area.join(JOURNAL)).unwrap_or_default();
    let parts = journal::read(&bytes, &plan.identity(), plan.n_parts()).0;
    let done_bytes = parts.keys().map(|&index| length(&plan.part_range(index))).sum();
    Some(Unfinished { key: file_name(area), done_bytes, parts_done: parts.len(), plan })
}

/// Deletes an area of which nothing can come any more, unless somebody works on it.
fn clean(area: &Path) {
    if let Ok(Some(_lock)) = lock_file(&lock_path(area))
        && let Err(error) = remove_area(area)
    {
        tracing::warn!(path = %area.display(), %error, "leftovers stay");
    }
}

/// Throws away what is unfinished under `key`, which is that of [`Unfinished`] or the one that it was begun under.
///
/// # Errors
/// [`Error::Busy`] if somebody works on it; otherwise if it cannot be deleted.
pub fn discard(folder: &Path, key: &str) -> Result<(), Error> {
    let area = folder.join(AREAS).join(area_name(key));
    if !area.exists() {
        return Ok(());
    }
    let failed = |cause| Error::Delete { path: area.clone(), cause };
    let _lock = lock_file(&lock_path(&area)).map_err(failed)?.ok_or(Error::Busy)?;
    remove_area(&area).map_err(failed)
}
