//! Writing the files of an export and reading them back.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::{PARTIAL_ENDING, forget_cached};
use crate::error::Error;
use crate::incoming::folder::{file_name, sync_folder};
use crate::incoming::{BLOCK_BYTES, Control, Hasher, Piece, Plan, Progress, Record, Step, fill};

/// One file of an export.
#[derive(Debug)]
pub(super) struct PieceJob {
    /// Its final name.
    path: PathBuf,
    /// Its name until it is finished.
    partial: PathBuf,
    /// Which bytes of the model it holds.
    range: Range<u64>,
}

impl PieceJob {
    /// The files `pieces` in `folder`.
    pub(super) fn of(folder: &Path, pieces: &[Piece]) -> Vec<Self> {
        let mut start = 0;
        let mut jobs = Vec::with_capacity(pieces.len());
        for piece in pieces {
            let path = folder.join(&piece.file);
            let partial = folder.join(format!("{}{PARTIAL_ENDING}", piece.file));
            jobs.push(Self { path, partial, range: start..start + piece.bytes });
            start += piece.bytes;
        }
        jobs
    }

    /// Bytes that the disk must still find room for.
    pub(super) fn missing_bytes(&self) -> u64 {
        let there = fs::metadata(&self.path).or_else(|_| fs::metadata(&self.partial)).map_or(0, |facts| facts.len());
        (self.range.end - self.range.start).saturating_sub(there)
    }

    /// Deletes what is not finished.
    pub(super) fn discard(&self) {
        let _ = fs::remove_file(&self.partial);
    }
}

/// Checksums of a file.
pub(super) struct Hashes {
    pub(super) whole: String,
    pub(super) parts: Vec<String>,
}

/// An export under way.
pub(super) struct Exporter<'a> {
    source: &'a Path,
    plan: Plan,
    control: &'a Control,
    whole: Hasher,
    parts: Vec<String>,
}

impl<'a> Exporter<'a> {
    pub(super) fn new(source: &'a Path, plan: Plan, control: &'a Control) -> Self {
        Self { source, plan, control, whole: Hasher::default(), parts: Vec::new() }
    }

    /// Writes every piece, reads it back, and gives it its name.
    pub(super) fn run(&mut self, jobs: &[PieceJob]) -> Result<(), Error> {
        let mut from = File::open(self.source).map_err(|cause| self.unreadable(cause))?;
        for job in jobs {
            let failed = |cause| Error::WriteCopy { path: job.path.clone(), cause };
            // What is finished is compared like everything else; a difference is mended under the unfinished name.
            if !job.partial.exists() && job.path.exists() {
                fs::rename(&job.path, &job.partial).map_err(failed)?;
            }
            let options = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&job.partial);
            let mut to = options.map_err(failed)?;
            self.write_piece(job, &mut from, &mut to)?;
            to.sync_all().map_err(failed)?;
            self.read_back(job, &mut to)?;
            drop(to);
            fs::rename(&job.partial, &job.path).map_err(failed)?;
            if let Some(folder) = job.path.parent() {
                sync_folder(folder);
            }
        }
        let found = std::mem::take(&mut self.whole).finish();
        match &self.plan.sha256 {
            Some(expected) if *expected != found => Err(self.damaged_source()),
            _ => {
                self.plan.sha256 = Some(found);
                Ok(())
            }
        }
    }

    /// The record of a model that had none.
    pub(super) fn record(&mut self) -> Record {
        let sha256 = self.plan.sha256.clone().unwrap_or_default();
        Record::of(&self.plan, self.plan.about.clone(), sha256, std::mem::take(&mut self.parts))
    }

    /// Brings `to` to hold the piece; parts that it holds already stay.
    fn write_piece(&mut self, job: &PieceJob, from: &mut File, to: &mut File) -> Result<(), Error> {
        let failed = |cause| Error::WriteCopy { path: job.path.clone(), cause };
        let mut there = to.metadata().map_err(failed)?.len();
        let length = job.range.end - job.range.start;
        if there > length {
            to.set_len(length).map_err(failed)?;
            there = length;
        }
        for index in self.parts_of(&job.range) {
            let range = self.plan.part_range(index);
            let within = range.start - job.range.start..range.end - job.range.start;
            if within.end <= there {
                // Held from an earlier start, perhaps: the part is read on both sides and rewritten where it differs.
                let held = self.hash_part(to, within.start, &range, Step::Resuming, |_| {}, failed)?;
                let unreadable = |cause| Error::ReadSource { path: self.source.to_owned(), cause };
                let mut whole = self.whole.clone();
                let mine =
                    self.hash_part(from, range.start, &range, Step::Resuming, |block| whole.update(block), unreadable)?;
                if held == mine {
                    self.whole = whole;
                    self.take_part(index, mine)?;
                    continue;
                }
            }
            let mine = self.copy_part(&range, from, to, within.start, job)?;
            self.take_part(index, mine)?;
        }
        Ok(())
    }

    /// Copies one part of the model; returns its checksum.
    fn copy_part(
        &mut self,
        range: &Range<u64>,
        from: &mut File,
        to: &mut File,
        at: u64,
        job: &PieceJob,
    ) -> Result<String, Error> {
        let failed = |cause| Error::WriteCopy { path: job.path.clone(), cause };
        from.seek(SeekFrom::Start(range.start)).map_err(|cause| self.unreadable(cause))?;
        to.seek(SeekFrom::Start(at)).map_err(failed)?;
        let mut hasher = Hasher::default();
        let mut block = vec![0; BLOCK_BYTES];
        let mut done = range.start;
        while done < range.end {
            self.control.report(self.progress(Step::Copying, done))?;
            let wanted = usize::try_from(range.end - done).unwrap_or(BLOCK_BYTES).min(BLOCK_BYTES);
            let block = &mut block[..wanted];
            from.read_exact(block).map_err(|cause| self.unreadable(cause))?;
            hasher.update(block);
            self.whole.update(block);
            to.write_all(block).map_err(failed)?;
            done += wanted as u64;
        }
        Ok(hasher.finish())
    }

    /// Notes the checksum of the next part, and compares it with the record's.
    fn take_part(&mut self, index: usize, sha256: String) -> Result<(), Error> {
        if self.plan.part_sha256.get(index).is_some_and(|expected| *expected != sha256) {
            return Err(self.damaged_source());
        }
        self.parts.push(sha256);
        Ok(())
    }

    /// Compares what the disk holds with what was written.
    fn read_back(&self, job: &PieceJob, to: &mut File) -> Result<(), Error> {
        forget_cached(to);
        let unreadable = |cause| Error::ReadSource { path: job.path.clone(), cause };
        for index in self.parts_of(&job.range) {
            let range = self.plan.part_range(index);
            let found =
                self.hash_part(to, range.start - job.range.start, &range, Step::Verifying, |_| {}, unreadable)?;
            if self.parts.get(index) != Some(&found) {
                // Whatever is wrong with that disk, the next try must not rely on this file.
                job.discard();
                let problem = "the disk does not hold what was written to it".to_owned();
                return Err(Error::Corrupt { what: format!("`{}`", job.path.display()), problem });
            }
        }
        Ok(())
    }

    /// Hashes the part that lies at `at` in `file`, showing `also` every block.
    fn hash_part(
        &self,
        file: &mut File,
        at: u64,
        range: &Range<u64>,
        step: Step,
        mut also: impl FnMut(&[u8]),
        unreadable: impl Fn(io::Error) -> Error,
    ) -> Result<String, Error> {
        file.seek(SeekFrom::Start(at)).map_err(&unreadable)?;
        let mut hasher = Hasher::default();
        let mut block = vec![0; BLOCK_BYTES];
        let mut done = range.start;
        while done < range.end {
            self.control.report(self.progress(step, done))?;
            let wanted = usize::try_from(range.end - done).unwrap_or(BLOCK_BYTES).min(BLOCK_BYTES);
            let count = fill(file, &mut block[..wanted]).map_err(&unreadable)?;
            if count == 0 {
                return Err(unreadable(io::ErrorKind::UnexpectedEof.into()));
            }
            hasher.update(&block[..count]);
            also(&block[..count]);
            done += count as u64;
        }
        Ok(hasher.finish())
    }

    /// The parts that `range`, which begins and ends with a part, holds.
    fn parts_of(&self, range: &Range<u64>) -> Range<usize> {
        let first = usize::try_from(range.start / self.plan.part_bytes).unwrap_or(usize::MAX);
        let end = usize::try_from(range.end.div_ceil(self.plan.part_bytes)).unwrap_or(usize::MAX);
        first..end
    }

    fn progress(&self, step: Step, done_bytes: u64) -> Progress {
        let (total_bytes, parts) = (self.plan.total_bytes, self.plan.n_parts());
        Progress { step, done_bytes, total_bytes, parts_done: self.parts.len(), parts }
    }

    fn unreadable(&self, cause: io::Error) -> Error {
        Error::ReadSource { path: self.source.to_owned(), cause }
    }

    fn damaged_source(&self) -> Error {
        let problem = "it is not what was verified when it was installed".to_owned();
        Error::Corrupt { what: format!("`{}`", file_name(self.source)), problem }
    }
}

/// The checksums of the file at `path` in the parts of `plan`.
pub(super) fn hash_file(path: &Path, plan: &Plan, control: &Control) -> Result<Hashes, Error> {
    let unreadable = |cause| Error::ReadSource { path: path.to_owned(), cause };
    let mut file = File::open(path).map_err(unreadable)?;
    let exporter = Exporter::new(path, plan.clone(), control);
    let mut whole = Hasher::default();
    let mut parts = Vec::with_capacity(plan.n_parts());
    for index in 0..plan.n_parts() {
        let range = plan.part_range(index);
        let also = |block: &[u8]| whole.update(block);
        parts.push(exporter.hash_part(&mut file, range.start, &range, Step::Verifying, also, unreadable)?);
    }
    Ok(Hashes { whole: whole.finish(), parts })
}
