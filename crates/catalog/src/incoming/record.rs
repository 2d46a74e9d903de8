//! What is known of a model that was verified: beside the installed file, and beside an exported one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::folder::write_whole;
use super::plan::{About, Kind, Plan};
use crate::error::Error;

/// The record's format.
const FORMAT: u32 = 1;
/// What is appended to a model's file name to get its record's.
const ENDING: &str = ".aula.toml";
/// More than the longest record; a larger file is not one.
const LIMIT_BYTES: u64 = 16 << 20;

/// One file of a model that was split for a disk that holds no large files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// Its name, in the same folder.
    pub file: String,
    /// Its size in bytes.
    pub bytes: u64,
}

/// A verified model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The record's format: 1.
    aula_model: u32,
    /// Name for people.
    pub name: String,
    /// Quantization.
    pub quantization: String,
    /// The model's file name, ending in `.gguf`.
    pub file: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// SHA-256 of the whole.
    pub sha256: String,
    /// Licence as an SPDX expression, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    /// Who published it where, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// Day on which it was verified, e.g. `2026-11-21`, by the clock of that computer.
    pub verified_on: String,
    /// Size of every part but the last, in bytes.
    pub part_bytes: u64,
    /// SHA-256 of each part.
    pub part_sha256: Vec<String>,
    /// The files that together are the model, in order; empty where it is one file under its own name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pieces: Vec<Piece>,
}

impl Record {
    /// The record of what `plan` assembled.
    pub(crate) fn of(plan: &Plan, about: About, sha256: String, part_sha256: Vec<String>) -> Self {
        Self {
            aula_model: FORMAT,
            name: about.name,
            quantization: about.quantization,
            file: plan.file_name.clone(),
            bytes: plan.total_bytes,
            sha256,
            license: about.license,
            origin: about.origin,
            verified_on: day(SystemTime::now()),
            part_bytes: plan.part_bytes,
            part_sha256,
            pieces: Vec::new(),
        }
    }

    /// The plan that assembles this model.
    pub(crate) fn plan(&self, kind: Kind) -> Plan {
        let about = About {
            name: self.name.clone(),
            quantization: self.quantization.clone(),
            license: self.license.clone(),
            origin: self.origin.clone(),
        };
        let mut plan = Plan::new(kind, about, &self.file, self.bytes, self.part_bytes);
        plan.sha256 = Some(self.sha256.clone());
        plan.part_sha256.clone_from(&self.part_sha256);
        plan
    }

    /// The record of the installed model file at `model`, where it has one that still fits its length.
    pub fn of_model(model: &Path) -> Option<Self> {
        let bytes = fs::metadata(model).ok()?.len();
        Self::read(&record_path(model)).ok().filter(|record| record.bytes == bytes)
    }

    /// Reads the record at `path`.
    ///
    /// # Errors
    /// [`Error::ReadSource`] if the file cannot be read, [`Error::BadRecord`] if it is no sound record.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let unreadable = |cause| Error::ReadSource { path: path.to_owned(), cause };
        let bad = |reason: String| Error::BadRecord { path: path.to_owned(), reason };
        if fs::metadata(path).map_err(unreadable)?.len() > LIMIT_BYTES {
            return Err(bad("it is too long".to_owned()));
        }
        let text = fs::read_to_string(path).map_err(|cause| match cause.kind() {
            io::ErrorKind::InvalidData => bad("it is not text".to_owned()),
            _ => unreadable(cause),
        })?;
        let record: Self = toml::from_str(&text).map_err(|error| bad(error.message().to_owned()))?;
        match record.problem() {
            Some(problem) => Err(bad(problem)),
            None => Ok(record),
        }
    }

    /// Writes it to `path`, whole or not at all.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Error> {
        let failed = |cause| Error::WriteCopy { path: path.to_owned(), cause };
        let text = toml::to_string(self).map_err(|error| failed(io::Error::other(error)))?;
        write_whole(path, text.as_bytes()).map_err(failed)
    }

    fn problem(&self) -> Option<String> {
        let plain = |name: &str| !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0', ':']);
        let sum = self.pieces.iter().try_fold(0_u64, |sum, piece| sum.checked_add(piece.bytes));
        if self.aula_model != FORMAT {
            Some(format!("it has format {}", self.aula_model))
        } else if !self.pieces.iter().all(|piece| plain(&piece.file) && piece.bytes > 0) {
            Some("it names a file elsewhere".to_owned())
        } else if !self.pieces.is_empty() && sum != Some(self.bytes) {
            Some("its pieces are not as long as the whole".to_owned())
        } else {
            let problem = self.plan(Kind::Import).problem();
            problem.or_else(|| self.part_sha256.is_empty().then(|| "it has no checksums".to_owned()))
        }
    }

    /// The files that hold the model, in order.
    pub fn files(&self) -> Vec<Piece> {
        if self.pieces.is_empty() {
            vec![Piece { file: self.file.clone(), bytes: self.bytes }]
        } else {
            self.pieces.clone()
        }
    }
}

/// Where the record of the model file at `model` lies.
pub(crate) fn record_path(model: &Path) -> PathBuf {
    let mut path = model.as_os_str().to_owned();
    path.push(ENDING);
    path.into()
}

/// Whether `name` is a record's, and of which file.
pub(crate) fn record_of(name: &str) -> Option<&str> {
    name.strip_suffix(ENDING)
}

/// The day of `time` in universal time, as `YYYY-MM-DD`.
fn day(time: SystemTime) -> String {
    let days = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() / 86_400);
    // Years that begin in March put the leap day last; 400 of them have 146 097 days. 719 468 days from 0000-03-01 to 1970-01-01.
    let from_march = days + 719_468;
    let (era, day_of_era) = (from_march / 146_097, from_march % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn record() -> Record {
        let plan = Plan::new(Kind::Import, About { name: "Gemma".to_owned(), ..About::default() }, "m.gguf", 10, 4);
        Record::of(&plan, plan.about.clone(), "0".repeat(64), vec!["1".repeat(64); 3])
    }

    #[test]
    fn days() {
        let of = |seconds| day(UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(of(0), "1970-01-01");
        assert_eq!(of(951_782_400), "2000-02-29");
        assert_eq!(of(951_868_799), "2000-02-29");
        assert_eq!(of(951_868_800), "2000-03-01");
        assert_eq!(of(1_795_219_199), "2026-11-20");
        assert_eq!(of(4_102_444_800), "2100-01-01");
    }

    #[test]
    fn a_record_reads_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = record_path(&folder.path().join("m.gguf"));
        assert!(path.ends_with("m.gguf.aula.toml"));
        let mut one = record();
        one.write(&path).expect("written");
        assert_eq!(Record::read(&path).expect("a record"), one);
        one.pieces =
            vec![Piece { file: "m.gguf.001".to_owned(), bytes: 8 }, Piece { file: "m.gguf.002".to_owned(), bytes: 2 }];
        one.license = Some("Apache-2.0".to_owned());
        one.write(&path).expect("written");
        assert_eq!(Record::read(&path).expect("a record"), one);
    }

    #[test]
    fn a_record_that_names_files_elsewhere_or_does_not_add_up_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("record");
        let refused = |change: &dyn Fn(&mut Record)| {
            let mut record = record();
            change(&mut record);
            record.write(&path).expect("written");
            let error = Record::read(&path).expect_err("refused");
            assert!(matches!(error, Error::BadRecord { .. }), "{error:?}");
        };
        refused(&|record| record.aula_model = 2);
        refused(&|record| record.file = "../m.gguf".to_owned());
        refused(&|record| record.sha256 = "x".to_owned());
        refused(&|record| record.part_sha256 = Vec::new());
        refused(&|record| record.part_bytes = 0);
        refused(&|record| record.pieces = vec![Piece { file: "/etc/passwd".to_owned(), bytes: 10 }]);
        refused(&|record| record.pieces = vec![Piece { file: "m.gguf.001".to_owned(), bytes: 9 }]);
        for text in ["", "aula_model = 1", "not toml at all ["] {
            fs::write(&path, text).expect("written");
            assert!(matches!(Record::read(&path), Err(Error::BadRecord { .. })), "{text}");
        }
    }
}
