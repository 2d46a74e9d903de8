//! Comparing what was assembled with its checksums, and giving it its name.

use std::fs::{self, File};
use std::io::{Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::folder::{FolderLock, file_name, publish};
use super::record::{Record, record_path};
use super::{BLOCK_BYTES, Control, Hasher, Incoming, Progress, Step, fill, length, remove_area};
use crate::error::Error;

/// How long publishing waits for another program, or another transfer, that changes the models folder.
const PATIENCE: Duration = Duration::from_secs(10);

/// The checksum of the whole, as far as the parts from the first one on were seen in order.
#[derive(Debug, Clone, Default)]
pub struct Whole {
    hasher: Hasher,
    next_part: usize,
}

impl Whole {
    /// The part that it would take next.
    pub fn next_part(&self) -> usize {
        self.next_part
    }

    /// Takes bytes of the next part, in order.
    pub fn update(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
    }

    /// Says that all bytes of the next part were taken.
    pub fn part_done(&mut self) {
        self.next_part += 1;
    }
}

impl Incoming {
    /// Compares every recorded part with its checksum and forgets those that do not match. Call it before missing parts
    /// are fetched.
    ///
    /// # Errors
    /// The wish of `control`, or if the disk cannot be read.
    pub fn verify_recorded(&self, control: &Control) -> Result<Whole, Error> {
        let recorded: Vec<_> = self.0.journal().parts().keys().copied().collect();
        let mut whole = Whole::default();
        let damaged = self.hash_parts(&recorded, Step::Resuming, &mut whole, control)?;
        self.forget(&damaged)?;
        Ok(whole)
    }

    /// Compares the whole with its checksum, looks into it, and gives it its name in the models folder, beside the
    /// record of its checksums. `whole` is what was hashed on the way; the rest is read from the disk.
    ///
    /// A whole that is not what it should be is thrown away, because nobody knows which part of it is wrong.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if bytes are missing or wrong; if it is no model that this program runs, whose message names
    /// `called`; [`Error::AlreadyInstalled`] if the name is taken; the wish of `control`; if the disk refuses.
    pub fn finish(self, mut whole: Whole, called: &Path, control: &Control) -> Result<(PathBuf, Record), Error> {
        let plan = self.plan();
        let corrupt = |problem: String| Error::Corrupt { what: format!("`{}`", plan.file_name), problem };
        let missing = self.missing_parts().len();
        if missing > 0 {
            return Err(corrupt(format!("{missing} of {} parts are missing", plan.n_parts())));
        }
        let rest: Vec<_> = (whole.next_part..plan.n_parts()).collect();
        let damaged = self.hash_parts(&rest, Step::Verifying, &mut whole, control)?;
        if !damaged.is_empty() {
            self.forget(&damaged)?;
            return Err(corrupt(format!("{} parts changed on the disk", damaged.len())));
        }
        let found = whole.hasher.finish();
        if let Some(expected) = plan.sha256.as_ref().filter(|expected| **expected != found) {
            let error = corrupt(format!("its SHA-256 should be {expected} and is {found}"));
            self.abandon()?;
            return Err(error);
        }
        let inspection = self.inspect_header(called)?;
        let mut about = plan.about.clone();
        about.name = inspection.name;
        about.quantization = inspection.quantization;
        let parts = self.0.journal().parts().values().cloned().collect();
        let record = Record::of(plan, about, found, parts);
        let target = self.publish(&record)?;
        Ok((target, record))
    }

    /// Hashes `parts`, ascending, from the disk; returns those that are not as recorded.
    fn hash_parts(
        &self,
        parts: &[usize],
        step: Step,
        whole: &mut Whole,
        control: &Control,
    ) -> Result<Vec<usize>, Error> {
        let path = self.data_path();
        let unreadable = |cause| Error::ReadSource { path: path.clone(), cause };
        let mut file = File::open(&path).map_err(unreadable)?;
        let mut block = vec![0; BLOCK_BYTES];
        let mut damaged = Vec::new();
        let total_bytes = parts.iter().map(|&index| length(&self.plan().part_range(index))).sum();
        let mut done_bytes = 0;
        for &index in parts {
            let in_order = index == whole.next_part && damaged.is_empty();
            // A part that turns out to be damaged must not have gone into the whole.
            let before = in_order.then(|| whole.hasher.clone());
            let range = self.plan().part_range(index);
            let mut hasher = Hasher::default();
            let mut left = length(&range);
            file.seek(SeekFrom::Start(range.start)).map_err(unreadable)?;
            while left > 0 {
                let parts_done = self.0.journal().parts().len();
                control.report(Progress { step, done_bytes, total_bytes, parts_done, parts: self.plan().n_parts() })?;
                let wanted = usize::try_from(left).unwrap_or(BLOCK_BYTES).min(BLOCK_BYTES);
                let count = fill(&mut file, &mut block[..wanted]).map_err(unreadable)?;
                if count == 0 {
                    break;
                }
                hasher.update(&block[..count]);
                if in_order {
                    whole.hasher.update(&block[..count]);
                }
                left -= count as u64;
                done_bytes += count as u64;
            }
            let is_whole = left == 0 && self.part_sha256(index) == Some(hasher.finish());
            match (is_whole, before) {
                (true, Some(_)) => whole.next_part += 1,
                (true, None) => {}
                (false, before) => {
                    whole.hasher = before.unwrap_or_else(|| whole.hasher.clone());
                    damaged.push(index);
                }
            }
        }
        Ok(damaged)
    }

    fn forget(&self, damaged: &[usize]) -> Result<(), Error> {
        self.0.journal().forget(damaged).map_err(|cause| self.0.write_failed(cause))
    }

    fn publish(self, record: &Record) -> Result<PathBuf, Error> {
        let folder = &self.0.folder;
        let _lock = take_patiently(folder)?;
        let target = folder.join(&self.plan().file_name);
        let data = self.data_path();
        if target.exists() && !is_same_file(&data, &target) {
            return Err(Error::AlreadyInstalled { file_name: file_name(&target), same_content: false });
        }
        record.write(&record_path(&target))?;
        if !target.exists() {
            publish(&data, &target)?;
        }
        if let Err(error) = remove_area(&self.0.path) {
            tracing::warn!(path = %self.0.path.display(), %error, "leftovers of a finished transfer stay");
        }
        tracing::info!(model = %target.display(), bytes = record.bytes, sha256 = record.sha256, "installed");
        Ok(target)
    }
}

/// The right to change the models folder, once whoever has it gives it back.
pub(crate) fn take_patiently(folder: &Path) -> Result<FolderLock, Error> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match FolderLock::take(folder) {
            Err(Error::Busy) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(50)),
            settled => return settled,
        }
    }
}

/// Whether both names belong to one file, which is so when an earlier start was killed between naming and cleaning up.
fn is_same_file(one: &Path, other: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let identity = |path: &Path| fs::metadata(path).map(|facts| (facts.dev(), facts.ino())).ok();
        identity(one).is_some() && identity(one) == identity(other)
    }
    // Without the file's number: same length and same time of last writing, which two files hardly share.
    #[cfg(not(unix))]
    {
        let identity = |path: &Path| fs::metadata(path).and_then(|facts| Ok((facts.len(), facts.modified()?))).ok();
        identity(one).is_some() && identity(one) == identity(other)
    }
}

/// Whether the area at `area` has nothing left to do: its file was named by an earlier start.
pub(super) fn is_finished(area_data: &Path, target: &Path) -> bool {
    target.exists() && (!area_data.exists() || is_same_file(area_data, target))
}
