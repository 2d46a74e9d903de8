//! Models that are being assembled, part by part, so that a kill, a reboot or a pulled-out stick costs one part.
//!
//! ```text
//! <models>/.incoming/<key>.lock     one program at a time works on <key>
//! <models>/.incoming/<key>/plan     what is assembled (JSON), written before the first byte
//! <models>/.incoming/<key>/data     the bytes, at their full length from the beginning, with holes
//! <models>/.incoming/<key>/journal  finished parts with their SHA-256
//! ```
//!
//! The order is: bytes of a part, flushed to the disk; then its line in the journal, flushed. What the journal names is
//! therefore on the disk, and it is compared with its checksum before it is relied on again. Nothing in here is a model:
//! a model appears in the models folder under its name, in one step, once the whole was verified and inspected.

mod control;
mod digest;
mod finish;
pub(crate) mod folder;
mod journal;
mod plan;
pub(crate) mod record;
#[cfg(test)]
mod tests;
mod unfinished;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use self::folder::{lock_file, sync_folder, write_whole};
use self::journal::Journal;
use crate::error::Error;

pub use self::control::{Control, Progress, Step};
pub use self::digest::Hasher;
pub(crate) use self::digest::sha256_hex;
pub use self::finish::Whole;
pub(crate) use self::finish::take_patiently;
pub use self::folder::check_space;
pub use self::plan::{About, Kind, Plan};
pub use self::record::{Piece, Record};
pub use self::unfinished::{Unfinished, discard, unfinished};

/// Bytes that are read, hashed or written at once.
pub const BLOCK_BYTES: usize = 1 << 20;
/// When so much is there from the beginning on, the header can be inspected; Gemma 4's takes 16 MB.
pub const HEADER_BYTES: u64 = 32 << 20;
const AREAS: &str = ".incoming";
const PLAN: &str = "plan";
const DATA: &str = "data";
const JOURNAL: &str = "journal";

/// How an assembly began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begun {
    /// There was nothing of it yet.
    Fresh,
    /// An earlier start left finished parts.
    Resumed,
    /// An earlier start left parts of something else, which were thrown away.
    Restarted,
}

/// A model that is being assembled. Clones are the same assembly, so that several threads can write parts.
#[derive(Debug, Clone)]
pub struct Incoming(Arc<Area>);

#[derive(Debug)]
struct Area {
    /// The models folder.
    folder: PathBuf,
    /// The folder of this assembly.
    path: PathBuf,
    plan: Plan,
    data: File,
    journal: Mutex<Journal>,
    /// Whether flushing failed once. A system reports that only once, and later flushes succeed without the lost bytes.
    lost: Mutex<bool>,
    _lock: File,
}

impl Incoming {
    /// Begins to assemble `plan` in the models folder `folder`, or goes on where an earlier start under the same `key`
    /// ended. What an earlier start left of another plan under this key is thrown away.
    ///
    /// Parts that are recorded count only after [`verify_recorded`](Self::verify_recorded).
    ///
    /// # Errors
    /// [`Error::Busy`] if somebody works under this key; otherwise if the plan cannot be or the disk cannot be written.
    pub fn begin_or_resume(folder: &Path, key: &str, plan: Plan) -> Result<(Self, Begun), Error> {
        if let Some(problem) = plan.problem() {
            return Err(Error::BadPlan { problem });
        }
        let areas = folder.join(AREAS);
        fs::create_dir_all(&areas).map_err(|cause| Error::Folder { path: folder.to_owned(), cause })?;
        let path = areas.join(area_name(key));
        let failed = |cause| Error::WriteCopy { path: path.clone(), cause };
        let lock = lock_file(&lock_path(&path)).map_err(failed)?.ok_or(Error::Busy)?;
        let before = read_plan(&path);
        let goes_on = before.as_ref().is_some_and(|before| before.identity() == plan.identity())
            && fs::metadata(path.join(DATA)).is_ok_and(|facts| facts.len() == plan.total_bytes);
        let begun = match (goes_on, path.exists()) {
            (true, _) => Begun::Resumed,
            (false, true) => Begun::Restarted,
            (false, false) => Begun::Fresh,
        };
        if begun == Begun::Restarted {
            remove_area(&path).map_err(failed)?;
        }
        let area = Area::open(folder, path.clone(), plan, lock).map_err(failed)?;
        Ok((Self(Arc::new(area)), begun))
    }

    /// What is assembled.
    pub fn plan(&self) -> &Plan {
        &self.0.plan
    }

    /// Indices of the parts that are not there yet, ascending.
    pub fn missing_parts(&self) -> Vec<usize> {
        let journal = self.0.journal();
        (0..self.0.plan.n_parts()).filter(|index| !journal.parts().contains_key(index)).collect()
    }

    /// The SHA-256 of part `index`, if it is there.
    pub fn part_sha256(&self, index: usize) -> Option<String> {
        self.0.journal().parts().get(&index).cloned()
    }

    /// How far it is, with `extra` bytes of parts that are not finished.
    pub fn progress(&self, step: Step, extra: u64) -> Progress {
        let plan = &self.0.plan;
        let (parts_done, recorded) = {
            let journal = self.0.journal();
            (journal.parts().len(), journal.parts().keys().map(|&index| length(&plan.part_range(index))).sum::<u64>())
        };
        Progress {
            step,
            done_bytes: recorded.saturating_add(extra).min(plan.total_bytes),
            total_bytes: plan.total_bytes,
            parts_done,
            parts: plan.n_parts(),
        }
    }

    /// Begins to write part `index` from its first byte. Nobody else may write it meanwhile.
    ///
    /// # Errors
    /// [`Error::BadPlan`] if there is no such part.
    pub fn part(&self, index: usize) -> Result<PartWriter, Error> {
        if index >= self.0.plan.n_parts() {
            return Err(Error::BadPlan { problem: format!("there is no part {index}") });
        }
        let range = self.0.plan.part_range(index);
        let at = range.start;
        Ok(PartWriter { area: Arc::clone(&self.0), index, range, at, hasher: Hasher::default() })
    }

    /// Writes and records part `index` from `from`, which must hold exactly that part.
    ///
    /// # Errors
    /// What `unreadable` makes of a failed read; otherwise as [`PartWriter`]; or the wish of `control`.
    pub fn write_part(
        &self,
        index: usize,
        from: &mut dyn Read,
        control: &Control,
        unreadable: impl Fn(io::Error) -> Error,
    ) -> Result<(), Error> {
        let mut part = self.part(index)?;
        let mut block = vec![0; BLOCK_BYTES];
        loop {
            control.report(self.progress(Step::Copying, part.written_bytes()))?;
            let count = fill(from, &mut block).map_err(&unreadable)?;
            if count == 0 {
                return part.complete()?.record();
            }
            part.write(&block[..count])?;
        }
    }

    /// Flushes what is written so far, so that recording the part takes less time later. Another thread may write
    /// meanwhile.
    ///
    /// # Errors
    /// [`Error::WriteCopy`] if the disk refuses; then no part is recorded any more.
    pub fn flush(&self) -> Result<(), Error> {
        self.0.flush()
    }

    /// The unfinished copy's file. Bytes that are not there yet are zero. Nothing may be written to it.
    pub(crate) fn data_path(&self) -> PathBuf {
        self.0.path.join(DATA)
    }

    /// Whether the first [`HEADER_BYTES`] (or the whole) are there.
    pub fn has_header(&self) -> bool {
        let journal = self.0.journal();
        let plan = &self.0.plan;
        let until = plan.total_bytes.min(HEADER_BYTES);
        (0..plan.n_parts()).take_while(|&i| plan.part_range(i).start < until).all(|i| journal.parts().contains_key(&i))
    }

    /// Looks into the header, once it is there, so that a wrong file costs little.
    ///
    /// # Errors
    /// If it is no model that this program runs; the message names `called`.
    pub fn inspect_header(&self, called: &Path) -> Result<crate::Inspection, Error> {
        crate::inspection::inspect(&self.data_path()).map_err(|error| error.about(called))
    }

    /// Throws away everything that was assembled.
    ///
    /// # Errors
    /// If it cannot be deleted.
    pub fn abandon(self) -> Result<(), Error> {
        remove_area(&self.0.path).map_err(|cause| Error::Delete { path: self.0.path.clone(), cause })
    }
}

impl Area {
    fn open(folder: &Path, path: PathBuf, plan: Plan, lock: File) -> io::Result<Self> {
        fs::create_dir_all(&path)?;
        let text = serde_json::to_vec_pretty(&plan).map_err(io::Error::other)?;
        write_whole(&path.join(PLAN), &text)?;
        let options = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path.join(DATA));
        let data = options?;
        if data.metadata()?.len() != plan.total_bytes {
            data.set_len(plan.total_bytes)?;
            data.sync_all()?;
        }
        let journal = Journal::open(&path.join(JOURNAL), plan.identity(), plan.n_parts())?;
        sync_folder(&path);
        sync_folder(path.parent().unwrap_or(folder));
        Ok(Self {
            folder: folder.to_owned(),
            path,
            plan,
            data,
            journal: Mutex::new(journal),
            lost: Mutex::new(false),
            _lock: lock,
        })
    }

    fn journal(&self) -> MutexGuard<'_, Journal> {
        // The journal is whole after every line, whatever happened to the thread that held it.
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Flushes the bytes to the disk; only one thread does so at a time.
    fn flush(&self) -> Result<(), Error> {
        let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        let done = if *lost { Err(io::Error::other("the disk lost bytes before")) } else { self.data.sync_data() };
        *lost = done.is_err();
        done.map_err(|cause| self.write_failed(cause))
    }

    fn write_failed(&self, cause: io::Error) -> Error {
        Error::WriteCopy { path: self.folder.join(&self.plan.file_name), cause }
    }
}

/// One part while it is written.
#[derive(Debug)]
pub struct PartWriter {
    area: Arc<Area>,
    index: usize,
    range: Range<u64>,
    at: u64,
    hasher: Hasher,
}

impl PartWriter {
    /// Bytes written so far.
    pub fn written_bytes(&self) -> u64 {
        self.at - self.range.start
    }

    /// Bytes still to come.
    pub fn missing_bytes(&self) -> u64 {
        self.range.end - self.at
    }

    /// Writes the next bytes of the part.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if they are more than the part holds; [`Error::WriteCopy`] if the disk refuses.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if bytes.len() as u64 > self.missing_bytes() {
            return Err(self.corrupt("more bytes came than it has"));
        }
        self.hasher.update(bytes);
        write_all_at(&self.area.data, bytes, self.at).map_err(|cause| self.area.write_failed(cause))?;
        self.at += bytes.len() as u64;
        Ok(())
    }

    /// Ends the part and compares it with its checksum, where one is known. It is not recorded yet.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if bytes are missing or are not what they should be.
    pub fn complete(mut self) -> Result<CompletePart, Error> {
        if self.missing_bytes() > 0 {
            return Err(self.corrupt(&format!("{} bytes are missing", self.missing_bytes())));
        }
        let found = std::mem::take(&mut self.hasher).finish();
        match self.area.plan.part_sha256.get(self.index) {
            Some(expected) if *expected != found => {
                Err(self.corrupt(&format!("its SHA-256 should be {expected} and is {found}")))
            }
            _ => Ok(CompletePart { area: self.area, index: self.index, sha256: found }),
        }
    }

    fn corrupt(&self, problem: &str) -> Error {
        let (first, parts) = (self.index + 1, self.area.plan.n_parts());
        Error::Corrupt {
            what: format!("part {first} of {parts} of `{}`", self.area.plan.file_name),
            problem: problem.to_owned(),
        }
    }
}

/// A part that is written and checked, but not yet recorded.
#[derive(Debug)]
pub struct CompletePart {
    area: Arc<Area>,
    index: usize,
    sha256: String,
}

impl CompletePart {
    /// Flushes the part to the disk and records it. After this it is never fetched again.
    ///
    /// # Errors
    /// [`Error::WriteCopy`] if the disk refuses.
    pub fn record(self) -> Result<(), Error> {
        self.area.flush()?;
        self.area.journal().record(self.index, &self.sha256).map_err(|cause| self.area.write_failed(cause))
    }
}

fn length(range: &Range<u64>) -> u64 {
    range.end - range.start
}

/// The folder's name for a key: the key itself where it may be a name, its checksum otherwise.
fn area_name(key: &str) -> String {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
    let is_plain = (1..=64).contains(&key.len()) && key.bytes().all(plain);
    if is_plain { key.to_owned() } else { sha256_hex(key.as_bytes())[..32].to_owned() }
}

fn lock_path(area: &Path) -> PathBuf {
    area.with_extension("lock")
}

fn read_plan(area: &Path) -> Option<Plan> {
    let plan: Plan = serde_json::from_slice(&fs::read(area.join(PLAN)).ok()?).ok()?;
    plan.problem().is_none().then_some(plan)
}

/// Deletes an area. The journal goes first: what is left of a killed deletion claims nothing.
fn remove_area(path: &Path) -> io::Result<()> {
    for name in [JOURNAL, PLAN] {
        match fs::remove_file(path.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Reads until `block` is full or `from` ends.
pub(crate) fn fill(from: &mut dyn Read, block: &mut [u8]) -> io::Result<usize> {
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

#[cfg(unix)]
fn write_all_at(file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, at)
}

#[cfg(windows)]
fn write_all_at(file: &File, mut bytes: &[u8], mut at: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        let count = std::os::windows::fs::FileExt::seek_write(file, bytes, at)?;
        if count == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        bytes = &bytes[count..];
        at += count as u64;
    }
    Ok(())
}
