//! The beginning of a model that lies elsewhere, copied aside to be inspected.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use crate::error::Error;
use crate::import::source::Source;
use crate::incoming::{BLOCK_BYTES, fill};
use crate::inspection::{Inspection, inspect};

/// Gemma 4's header takes 16 MB in every published file.
const HEAD_BYTES: u64 = 24 << 20;
/// Less says nothing about a disk's speed.
const SAMPLE_BYTES: u64 = 8 << 20;
/// No disk of this computer writes faster for long, however fast the other one reads.
const FASTEST: f64 = 500e6;
/// How files that are set aside are called. One that is older than this was left by a killed program.
const PREFIX: &str = "aula-look-";
const STALE: Duration = Duration::from_secs(3600);

/// A file with the beginning of a model, at the model's full length but empty behind it. Deleted when dropped.
pub(super) struct Head {
    path: PathBuf,
    /// How fast it was read.
    pub(super) bytes_per_second: Option<f64>,
}

impl Head {
    /// Copies the beginning of `source` aside: to the disk of the models folder if that exists, otherwise to the
    /// system's folder for temporary files.
    pub(super) fn copy(source: &Source, models: &Path) -> Result<Self, Error> {
        let (file, path) = create(models).map_err(|(path, cause)| Error::WriteCopy { path, cause })?;
        let mut head = Self { path, bytes_per_second: None };
        let failed = |cause| Error::WriteCopy { path: head.path.clone(), cause };
        let n_bytes = source.plan.total_bytes.min(HEAD_BYTES);
        let (took, copied) = copy(source, n_bytes, &file, failed)?;
        if copied < n_bytes {
            let (path, expected) = (source.called.clone(), source.plan.total_bytes);
            return Err(Error::SourceChanged { path, expected, found: copied });
        }
        file.set_len(source.plan.total_bytes).map_err(failed)?;
        let is_sample = copied >= SAMPLE_BYTES && !took.is_zero();
        head.bytes_per_second = is_sample.then(|| (copied as f64 / took.as_secs_f64()).min(FASTEST));
        Ok(head)
    }

    /// What the header says; messages name `called`.
    pub(super) fn inspect(&self, called: &Path) -> Result<Inspection, Error> {
        inspect(&self.path).map_err(|error| error.about(called))
    }
}

impl Drop for Head {
    fn drop(&mut self) {
        // One that stays is deleted by a later look.
        let _ = fs::remove_file(&self.path);
    }
}

/// Copies `n_bytes`; returns how long reading took, and how much came.
fn copy(
    source: &Source,
    n_bytes: u64,
    mut to: &File,
    failed: impl Fn(io::Error) -> Error,
) -> Result<(Duration, u64), Error> {
    source.forget_cached();
    let mut from = source.reader(0);
    let mut block = vec![0; BLOCK_BYTES];
    let (mut took, mut copied) = (Duration::ZERO, 0);
    while copied < n_bytes {
        let wanted = usize::try_from(n_bytes - copied).unwrap_or(BLOCK_BYTES).min(BLOCK_BYTES);
        let start = Instant::now();
        let count = fill(&mut from, &mut block[..wanted]).map_err(|cause| source.unreadable(cause))?;
        took += start.elapsed();
        if count == 0 {
            break;
        }
        to.write_all(&block[..count]).map_err(&failed)?;
        copied += count as u64;
    }
    Ok((took, copied))
}

/// A new file for the beginning of a model.
fn create(models: &Path) -> Result<(File, PathBuf), (PathBuf, io::Error)> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let name = || format!("{PREFIX}{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let open = |folder: &Path| {
        clean(folder);
        let path = folder.join(name());
        let options = OpenOptions::new().create_new(true).read(true).write(true).open(&path);
        options.map(|file| (file, path.clone())).map_err(|cause| (path, cause))
    };
    let areas = models.join(".incoming");
    if areas.is_dir()
        && let Ok(opened) = open(&areas)
    {
        return Ok(opened);
    }
    open(&std::env::temp_dir())
}

/// Deletes what killed programs left in `folder`.
fn clean(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        let written = || entry.metadata().and_then(|facts| facts.modified()).ok();
        let is_old = || written().is_some_and(|at| SystemTime::now().duration_since(at).is_ok_and(|age| age > STALE));
        if is_ours && is_old() {
            let _ = fs::remove_file(entry.path());
        }
    }
}
