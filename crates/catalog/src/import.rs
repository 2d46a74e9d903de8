//! Copying a model into the models folder, so that it appears whole and verified or not at all.

mod pipeline;
pub(crate) mod source;

use std::fs::{self, File};
use std::io::{self, Seek as _, SeekFrom};
use std::path::Path;

use self::source::{PART_BYTES, Source, source_json};
use crate::error::Error;
use crate::incoming::folder::file_name;
use crate::incoming::record::record_path;
use crate::incoming::{
    BLOCK_BYTES, Begun, Control, HEADER_BYTES, Hasher, Incoming, Record, Step, check_space, discard, fill, unfinished,
};
use crate::installed::{Catalog, InstalledModel};

/// How much of two files of one length is compared to call them the same model: so many places, so many bytes each.
const SAMPLES: u64 = 64;
const SAMPLE_BYTES: u64 = 64 << 10;

/// What an import brought.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// The model.
    pub model: InstalledModel,
    /// Whether it went on where an earlier one had stopped, or threw that away because the source had changed.
    pub begun: Begun,
}

/// How to copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportOptions {
    /// Size of a part where the source's manifest names none; what a kill costs at most.
    pub part_bytes: u64,
    /// SHA-256 of the file, where it is known from elsewhere and no manifest comes with it.
    pub sha256: Option<String>,
}

impl Default for ImportOptions {
    fn default() -> Self {
        Self { part_bytes: PART_BYTES, sha256: None }
    }
}

impl Catalog {
    /// Copies the model at `source` into the folder: a GGUF file, the manifest of an export, or a folder with one model.
    ///
    /// The model appears once every byte was compared with its checksums, where there are any, and its header was
    /// inspected. The header is inspected as soon as it is copied, so that a wrong file costs little. Whatever ends the
    /// import before, but for a file that is wrong and a wish to cancel, the next import of the same model goes on at
    /// the first part that is missing. Nothing is mapped on the source's disk, which may be pulled out at any moment.
    ///
    /// # Errors
    /// If the source cannot be read ([`Error::SourceGone`] when it went away), is no usable model, is not what its
    /// checksums say, is installed already, or the disk cannot take it; or the wish of `control`.
    pub fn import(&self, source: &Path, control: &Control) -> Result<Imported, Error> {
        self.import_with(source, &ImportOptions::default(), control)
    }

    /// [`import`](Self::import) with options.
    ///
    /// # Errors
    /// As [`import`](Self::import).
    pub fn import_with(&self, source: &Path, options: &ImportOptions, control: &Control) -> Result<Imported, Error> {
        let mut source = Source::of(source, options.part_bytes).map_err(|error| self.gone_meanwhile(source, error))?;
        if source.plan.sha256.is_none() {
            source.plan.sha256.clone_from(&options.sha256);
        }
        // Makes the folder, and says early that it cannot be written.
        drop(crate::incoming::take_patiently(self.folder())?);
        if let Err(error) = self.refuse_duplicate(&source) {
            let _ = discard(self.folder(), &source.key());
            return Err(error);
        }
        let (incoming, begun) = self.begin(&source, control)?;
        match copy_and_publish(&source, incoming.clone(), control) {
            Ok(path) => Ok(Imported { model: self.installed_at(&path)?, begun }),
            Err(error) => {
                if is_final(&error) {
                    incoming.abandon()?;
                }
                Err(error)
            }
        }
    }

    /// The unfinished copy to go on with.
    fn begin(&self, source: &Source, control: &Control) -> Result<(Incoming, Begun), Error> {
        let key = source.key();
        let begin = || Incoming::begin_or_resume(self.folder(), &key, source.plan.clone());
        let (incoming, begun) = begin()?;
        if begun == Begun::Resumed && !source.has_checksums() && !starts_the_same(source, &incoming, control)? {
            incoming.abandon()?;
            return Ok((begin()?.0, Begun::Restarted));
        }
        let missing_bytes = source.plan.total_bytes - incoming.progress(Step::Copying, 0).done_bytes;
        if let Err(error) = check_space(self.folder(), missing_bytes) {
            if begun == Begun::Fresh {
                incoming.abandon()?;
            }
            return Err(error);
        }
        Ok((incoming, begun))
    }

    /// A source that cannot be found while its copy is unfinished was pulled out.
    fn gone_meanwhile(&self, path: &Path, error: Error) -> Error {
        let is_begun = || unfinished(self.folder()).iter().any(|one| one.plan.source == source_json(path));
        match error {
            Error::ReadSource { path: absent, cause } if cause.kind() == io::ErrorKind::NotFound && is_begun() => {
                Error::SourceGone { path: absent, cause }
            }
            other => other,
        }
    }

    /// Refuses a model whose name is taken, or whose content is installed under another name.
    fn refuse_duplicate(&self, source: &Source) -> Result<(), Error> {
        let target = self.folder().join(&source.plan.file_name);
        for installed in self.files()? {
            let is_target = installed == target;
            let same_content = self.is_same(source, &installed)?;
            if is_target || same_content {
                return Err(Error::AlreadyInstalled { file_name: file_name(&installed), same_content });
            }
        }
        Ok(())
    }

    /// Whether `installed` is the model in `source`: by checksums where both have one, otherwise by many samples.
    pub(crate) fn is_same(&self, source: &Source, installed: &Path) -> Result<bool, Error> {
        if !fs::metadata(installed).is_ok_and(|facts| facts.len() == source.plan.total_bytes) {
            return Ok(false);
        }
        if let (Some(expected), Ok(record)) = (&source.plan.sha256, Record::read(&record_path(installed))) {
            return Ok(record.sha256 == *expected);
        }
        let unreadable = |cause| Error::ReadSource { path: installed.to_owned(), cause };
        let mut file = File::open(installed).map_err(unreadable)?;
        let (mut left, mut right) = (vec![0; SAMPLE_BYTES as usize], vec![0; SAMPLE_BYTES as usize]);
        for at in sample_offsets(source.plan.total_bytes) {
            let n_left = fill(&mut source.reader(at), &mut left).map_err(|cause| source.unreadable(cause))?;
            file.seek(SeekFrom::Start(at)).map_err(unreadable)?;
            let n_right = fill(&mut file, &mut right).map_err(unreadable)?;
            if left[..n_left] != right[..n_right] {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Places spread evenly over a file, its end included; all of a small file.
fn sample_offsets(total_bytes: u64) -> Vec<u64> {
    if total_bytes <= SAMPLES * SAMPLE_BYTES {
        return (0..total_bytes.div_ceil(SAMPLE_BYTES)).map(|n| n * SAMPLE_BYTES).collect();
    }
    let last = total_bytes - SAMPLE_BYTES;
    (0..SAMPLES).map(|n| (u128::from(last) * u128::from(n) / u128::from(SAMPLES - 1)) as u64).collect()
}

/// Whether the first part of `source` is the one that was copied before.
fn starts_the_same(source: &Source, incoming: &Incoming, control: &Control) -> Result<bool, Error> {
    let Some(expected) = incoming.part_sha256(0) else { return Ok(true) };
    let range = source.plan.part_range(0);
    let mut from = source.reader(0);
    let mut left = range.end;
    let mut hasher = Hasher::default();
    let mut block = vec![0; BLOCK_BYTES];
    while left > 0 {
        control.check()?;
        let wanted = usize::try_from(left).unwrap_or(BLOCK_BYTES).min(BLOCK_BYTES);
        let count = fill(&mut from, &mut block[..wanted]).map_err(|cause| source.unreadable(cause))?;
        if count == 0 {
            return Ok(false);
        }
        hasher.update(&block[..count]);
        left -= count as u64;
    }
    Ok(hasher.finish() == expected)
}

fn copy_and_publish(source: &Source, incoming: Incoming, control: &Control) -> Result<std::path::PathBuf, Error> {
    let mut whole = incoming.verify_recorded(control)?;
    let missing = incoming.missing_parts();
    let in_header = missing.partition_point(|&part| source.plan.part_range(part).start < HEADER_BYTES);
    let (header, rest) = missing.split_at(in_header);
    pipeline::copy(source, &incoming, header, &mut whole, control)?;
    incoming.inspect_header(&source.called)?;
    pipeline::copy(source, &incoming, rest, &mut whole, control)?;
    Ok(incoming.finish(whole, &source.called, control)?.0)
}

/// Whether a copy is of no further use after this error.
fn is_final(error: &Error) -> bool {
    matches!(
        error,
        Error::Cancelled
            | Error::Unusable { .. }
            | Error::NotAFile { .. }
            | Error::AlreadyInstalled { .. }
            | Error::SourceChanged { .. }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_lie_in_the_file_and_reach_its_end() {
        assert_eq!(sample_offsets(1), [0]);
        assert_eq!(sample_offsets(SAMPLE_BYTES + 1), [0, SAMPLE_BYTES]);
        let small = SAMPLES * SAMPLE_BYTES;
        assert_eq!(sample_offsets(small).len() as u64 * SAMPLE_BYTES, small, "all of it");
        for total in [small + 1, 3_348_986_816, 1 << 50] {
            let offsets = sample_offsets(total);
            assert_eq!((offsets[0], offsets.last().copied()), (0, Some(total - SAMPLE_BYTES)));
            assert!(offsets.is_sorted() && offsets.len() as u64 == SAMPLES);
        }
    }
}
