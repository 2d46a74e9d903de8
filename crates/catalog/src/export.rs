//! Copying an installed model to another disk, with its checksums, so that another computer can copy it in.
//!
//! ```text
//! <disk>/AULA/<model>.gguf               or, where the disk holds no such large file, pieces of it:
//! <disk>/AULA/<model>.gguf.001 …
//! <disk>/AULA/aula-model-<id>.toml       the record of checksums, written last: half an export is never offered
//! ```

mod disk;
mod piece;

use std::fs;
use std::path::{Path, PathBuf};

use self::disk::file_limit;
use self::piece::{Exporter, PieceJob};
use crate::error::Error;
use crate::import::source::PART_BYTES;
use crate::incoming::folder::{file_name, sync_folder};
use crate::incoming::record::record_path;
use crate::incoming::{About, Control, Kind, Piece, Plan, Record, check_space};
use crate::installed::Catalog;

pub(crate) use self::disk::forget_cached;

/// The folder of exports on a disk.
pub(crate) const FOLDER: &str = "AULA";
/// Ending of a file that is not finished.
const PARTIAL_ENDING: &str = ".partial";

/// Whether `name` is that of an export's manifest.
pub(crate) fn is_manifest(name: &str) -> bool {
    name.starts_with("aula-model-") && name.ends_with(".toml")
}

/// How to export.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExportOptions {
    /// Split into files of at most this many bytes, although the disk would hold larger ones.
    pub file_limit: Option<u64>,
    /// Size of a part where the model has no record yet.
    pub part_bytes: Option<u64>,
}

/// An exported model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// The manifest, by which it can be imported.
    pub manifest: PathBuf,
    /// What it says.
    pub record: Record,
}

/// What comparing an installed model with its checksums found. A model that differs is an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// SHA-256 of the whole file.
    pub sha256: String,
    /// Whether there was a record to compare with. A file that somebody put there by hand has none.
    pub recorded: bool,
}

impl Catalog {
    /// Copies the installed model `id` into the folder `AULA` on the disk or in the folder `target`, with its checksums.
    ///
    /// What was written is read back and compared, from the disk itself where the system allows it. Where the disk holds
    /// no file as large as the model it is split; importing joins the pieces. An export that was stopped goes on where it
    /// was; a wish to cancel deletes what is not finished.
    ///
    /// # Errors
    /// If there is no such model, the disk has no room or cannot be written, keeps other bytes than were written, or the
    /// installed file is damaged; or the wish of `control`.
    pub fn export(&self, id: &str, target: &Path, control: &Control) -> Result<Exported, Error> {
        self.export_with(id, target, &ExportOptions::default(), control)
    }

    /// [`export`](Self::export) with options.
    ///
    /// # Errors
    /// As [`export`](Self::export).
    pub fn export_with(
        &self,
        id: &str,
        target: &Path,
        options: &ExportOptions,
        control: &Control,
    ) -> Result<Exported, Error> {
        let model = self.find(id)?;
        let known = Record::of_model(&model.path);
        let about = About {
            name: model.inspection.name.clone(),
            quantization: model.inspection.quantization.clone(),
            ..About::default()
        };
        let part_bytes = options.part_bytes.unwrap_or(PART_BYTES);
        let plan = match &known {
            Some(record) => record.plan(Kind::Import),
            None => Plan::new(Kind::Import, about, file_name(&model.path), model.inspection.file_bytes, part_bytes),
        };

        let failed = |cause| Error::Folder { path: target.to_owned(), cause };
        if !fs::metadata(target).map_err(failed)?.is_dir() {
            return Err(failed(std::io::ErrorKind::NotADirectory.into()));
        }
        let is_ours = file_name(target).eq_ignore_ascii_case(FOLDER);
        let folder = if is_ours { target.to_owned() } else { target.join(FOLDER) };
        fs::create_dir_all(&folder).map_err(|cause| Error::Folder { path: folder.clone(), cause })?;

        let limit = [options.file_limit, file_limit(&folder)].into_iter().flatten().min();
        let pieces = pieces(&plan, limit);
        let jobs = PieceJob::of(&folder, &pieces);
        check_space(&folder, jobs.iter().map(PieceJob::missing_bytes).sum())?;

        // The manifest of an earlier export must not speak for files that are being written.
        let manifest = folder.join(format!("aula-model-{id}.toml"));
        match fs::remove_file(&manifest) {
            Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::WriteCopy { path: manifest, cause });
            }
            _ => {}
        }
        let mut exporter = Exporter::new(&model.path, plan, control);
        let done = exporter.run(&jobs);
        if matches!(done, Err(Error::Cancelled)) {
            jobs.iter().for_each(PieceJob::discard);
            // Stays where it holds something else.
            let _ = fs::remove_dir(&folder);
        }
        done?;
        let mut record = match known {
            Some(record) => record,
            None => exporter.record(),
        };
        record.pieces = if pieces.len() > 1 { pieces } else { Vec::new() };
        record.write(&manifest)?;
        sync_folder(target);
        tracing::info!(manifest = %manifest.display(), bytes = record.bytes, "exported");
        Ok(Exported { manifest, record })
    }

    /// Compares the installed model `id` with the checksums that were recorded when it was verified, part by part.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if it differs; if there is no such model or it cannot be read; the wish of `control`.
    pub fn verify(&self, id: &str, control: &Control) -> Result<Verified, Error> {
        let path = self.path_of(id)?;
        let unreadable = |cause| Error::ReadSource { path: path.clone(), cause };
        let n_bytes = fs::metadata(&path).map_err(unreadable)?.len();
        let record = Record::read(&record_path(&path)).ok();
        if let Some(record) = record.as_ref().filter(|record| record.bytes != n_bytes) {
            let problem = format!("it should have {} bytes and has {n_bytes}", record.bytes);
            return Err(Error::Corrupt { what: format!("`{}`", file_name(&path)), problem });
        }
        let plan = match &record {
            Some(record) => record.plan(Kind::Import),
            None => Plan::new(Kind::Import, About::default(), file_name(&path), n_bytes, PART_BYTES),
        };
        let found = piece::hash_file(&path, &plan, control)?;
        let damaged: Vec<usize> =
            (0..plan.part_sha256.len()).filter(|&index| plan.part_sha256[index] != found.parts[index]).collect();
        if !damaged.is_empty() || plan.sha256.as_ref().is_some_and(|expected| *expected != found.whole) {
            let problem = format!("{} of {} parts differ from what was verified", damaged.len(), plan.n_parts());
            return Err(Error::Corrupt { what: format!("`{}`", file_name(&path)), problem });
        }
        Ok(Verified { sha256: found.whole, recorded: record.is_some() })
    }
}

/// The files that hold `plan`'s model, none larger than `limit` and each of whole parts.
fn pieces(plan: &Plan, limit: Option<u64>) -> Vec<Piece> {
    let whole = || vec![Piece { file: plan.file_name.clone(), bytes: plan.total_bytes }];
    let Some(limit) = limit.filter(|limit| plan.total_bytes > *limit) else { return whole() };
    let piece_bytes = (limit / plan.part_bytes * plan.part_bytes).max(plan.part_bytes);
    let count = plan.total_bytes.div_ceil(piece_bytes);
    let bytes = |n: u64| piece_bytes.min(plan.total_bytes - n * piece_bytes);
    (0..count).map(|n| Piece { file: format!("{}.{:03}", plan.file_name, n + 1), bytes: bytes(n) }).collect()
}

#[cfg(test)]
mod tests {
    use super::disk::FAT_LIMIT;
    use super::*;

    #[test]
    fn a_model_is_split_only_where_it_must_be_and_in_whole_parts() {
        let plan = |total| Plan::new(Kind::Import, About::default(), "m.gguf", total, PART_BYTES);
        let lengths = |total, limit| pieces(&plan(total), limit).iter().map(|piece| piece.bytes).collect::<Vec<_>>();
        assert_eq!(lengths(5_154_411_840, None), [5_154_411_840]);
        assert_eq!(lengths(3_348_986_816, Some(FAT_LIMIT)), [3_348_986_816]);
        assert_eq!(lengths(FAT_LIMIT, Some(FAT_LIMIT)), [FAT_LIMIT]);
        let split = pieces(&plan(5_154_411_840), Some(FAT_LIMIT));
        assert_eq!(split[0], Piece { file: "m.gguf.001".to_owned(), bytes: (4 << 30) - PART_BYTES });
        assert_eq!(split[1], Piece { file: "m.gguf.002".to_owned(), bytes: 5_154_411_840 - (4 << 30) + PART_BYTES });
        assert_eq!(split.len(), 2);
        assert_eq!(lengths(FAT_LIMIT + 1, Some(FAT_LIMIT)), [(4 << 30) - PART_BYTES, PART_BYTES]);
    }
}
