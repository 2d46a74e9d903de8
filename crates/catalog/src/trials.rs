//! What a short measured trial showed: whether a model on a device answers here, and how fast.
//!
//! Arithmetic says what should fit; only a trial shows that it does. Its outcome is kept in a small file of the data
//! folder, so that a computer is not measured at every start. An outcome counts for one file, device, context length
//! and version of this program; where any of them changes, the trial is made again.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::fit::{Candidate, FileStamp, is_fast_enough};

/// A model that writes fewer tokens a second is too slow to be used where another will do.
pub const MIN_TOKENS_PER_SECOND: f64 = 3.0;

/// The version of this program, in whose hands a trial was made.
const BUILD: &str = env!("CARGO_PKG_VERSION");
const DAY_SECONDS: u64 = 24 * 60 * 60;
/// The format of the file.
const FORMAT: u32 = 1;
/// Trials that are kept; the oldest go first. A computer has a handful of models and two or three devices.
const MOST_TRIALS: usize = 64;

/// How a trial ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Outcome {
    /// It answered at a speed that one can read along with.
    Passed {
        /// Tokens a second.
        tokens_per_second: f64,
    },
    /// It answered with fewer than [`MIN_TOKENS_PER_SECOND`].
    TooSlow {
        /// Tokens a second.
        tokens_per_second: f64,
    },
    /// There was not enough memory.
    OutOfMemory,
    /// It could not be opened, or stopped.
    Failed {
        /// What was reported.
        message: String,
    },
}

impl Outcome {
    /// The outcome of a trial that wrote `tokens_per_second`.
    pub fn measured(tokens_per_second: f64) -> Self {
        if is_fast_enough(tokens_per_second) {
            Self::Passed { tokens_per_second }
        } else {
            Self::TooSlow { tokens_per_second }
        }
    }

    /// The speed, where one was measured.
    pub fn tokens_per_second(&self) -> Option<f64> {
        match self {
            Self::Passed { tokens_per_second } | Self::TooSlow { tokens_per_second } => Some(*tokens_per_second),
            Self::OutOfMemory | Self::Failed { .. } => None,
        }
    }

    /// One sentence in English.
    pub fn sentence(&self) -> String {
        match self {
            Self::Passed { tokens_per_second } => format!("It wrote {tokens_per_second:.1} tokens a second."),
            Self::TooSlow { tokens_per_second } => {
                format!("It wrote only {tokens_per_second:.1} tokens a second.")
            }
            Self::OutOfMemory => "It ran out of memory.".to_owned(),
            Self::Failed { message } => format!("It failed: {message}."),
        }
    }
}

/// A remembered trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// How it ended.
    pub outcome: Outcome,
    /// When, in seconds since 1970.
    pub time: u64,
    /// Bytes that the model might use then.
    pub usable_bytes: u64,
    /// How many times in a row it was too slow; 0 where it was not.
    #[serde(default)]
    pub times_too_slow: u32,
}

impl Trial {
    /// Whether the outcome still counts at `now`, in seconds since 1970.
    ///
    /// A computer that was busy with something else measures too little, so slowness is doubted after a day; each time it
    /// is confirmed it is believed four times as long, at most for 64 days.
    fn counts_at(&self, now: u64) -> bool {
        let Outcome::TooSlow { .. } = self.outcome else { return true };
        let believed = DAY_SECONDS << (2 * self.times_too_slow.clamp(1, 4) - 2);
        // A clock that was set back must not make an outcome count for years.
        now.abs_diff(self.time) < believed
    }
}

/// What a trial counts for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Key {
    file: FileStamp,
    device: String,
    context_len: usize,
    build: String,
}

impl Key {
    fn of(candidate: &Candidate) -> Self {
        Self {
            file: candidate.file.clone(),
            device: candidate.device.name().to_owned(),
            context_len: candidate.context_len,
            build: BUILD.to_owned(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Entry {
    #[serde(flatten)]
    key: Key,
    #[serde(flatten)]
    trial: Trial,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    format: u32,
    trials: Vec<Entry>,
}

/// The remembered trials of this computer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Trials {
    /// Where they are kept; nowhere if there is no path.
    path: Option<PathBuf>,
    entries: Vec<Entry>,
    /// Whether something is remembered that could not be written.
    unsaved: bool,
}

impl Trials {
    /// No trials, and no file to keep any in.
    pub fn none() -> Self {
        Self::default()
    }

    /// The trials kept at `path`. A file that cannot be read or is damaged counts as empty, with a warning in the log:
    /// nothing is lost but a few seconds. The next trial replaces it.
    pub fn load(path: &Path) -> Self {
        let entries = match read(path) {
            Ok(entries) => entries.unwrap_or_default(),
            Err(error) => {
                tracing::warn!(file = %path.display(), %error, "the remembered trials cannot be read and are made again");
                Vec::new()
            }
        };
        Self { path: Some(path.to_owned()), entries, unsaved: false }
    }

    /// What is remembered of `candidate`: this file on this device at this context length, by this version. Slowness is
    /// forgotten after some time, because the computer may have been busy.
    pub fn of(&self, candidate: &Candidate) -> Option<&Trial> {
        self.of_at(candidate, now())
    }

    fn of_at(&self, candidate: &Candidate, now: u64) -> Option<&Trial> {
        self.remembered(&Key::of(candidate)).filter(|trial| trial.counts_at(now))
    }

    fn remembered(&self, key: &Key) -> Option<&Trial> {
        self.entries.iter().find(|entry| entry.key == *key).map(|entry| &entry.trial)
    }

    /// Remembers how the trial of `candidate` ended. What another process remembered meanwhile is kept.
    ///
    /// # Errors
    /// If the file cannot be written; the outcome is then remembered until this program ends.
    pub fn record(&mut self, candidate: &Candidate, outcome: Outcome) -> Result<(), Error> {
        let key = Key::of(candidate);
        let times_too_slow = match outcome {
            Outcome::TooSlow { .. } => {
                self.remembered(&key).map_or(0, |before| before.times_too_slow).saturating_add(1)
            }
            _ => 0,
        };
        let trial = Trial { outcome, time: now(), usable_bytes: candidate.usable, times_too_slow };
        let entry = Entry { key, trial };
        self.change(|entries| {
            // Older outcomes of the same file on the same device count no more where the file or the program changed.
            entries.retain(|old| {
                let same_place = old.key.file.name == entry.key.file.name && old.key.device == entry.key.device;
                let outdated = old.key.file != entry.key.file || old.key.build != entry.key.build;
                old.key != entry.key && !(same_place && outdated)
            });
            entries.push(entry);
            let surplus = entries.len().saturating_sub(MOST_TRIALS);
            entries.drain(..surplus);
        })
    }

    /// Forgets every trial of the model file of this name, so that it is tried again.
    ///
    /// # Errors
    /// If the file cannot be written; the trials are then forgotten until this program ends.
    pub fn forget(&mut self, file_name: &str) -> Result<(), Error> {
        self.change(|entries| entries.retain(|entry| entry.key.file.name != file_name))
    }

    /// Applies `change` to what is kept now and to nothing older, and keeps the result.
    fn change(&mut self, change: impl FnOnce(&mut Vec<Entry>)) -> Result<(), Error> {
        let Some(path) = &self.path else {
            change(&mut self.entries);
            return Ok(());
        };
        if let (false, Ok(Some(kept))) = (self.unsaved, read(path)) {
            self.entries = kept;
        }
        change(&mut self.entries);
        let written = write(path, &self.entries);
        self.unsaved = written.is_err();
        written.map_err(|cause| Error::Remember { path: path.clone(), cause })
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// The entries at `path`; `None` if there is no file.
fn read(path: &Path) -> io::Result<Option<Vec<Entry>>> {
    let json = match fs::read(path) {
        Ok(json) => json,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let stored: Stored = serde_json::from_slice(&json)?;
    if stored.format != FORMAT {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("format {} is unknown", stored.format)));
    }
    Ok(Some(stored.trials))
}

/// Writes the whole file beside `path` and renames it, so that it is never half there.
fn write(path: &Path, entries: &[Entry]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let copy = folder.join(format!(".{name}.{}.part", std::process::id()));
    let json = serde_json::to_vec_pretty(&Stored { format: FORMAT, trials: entries.to_vec() })?;
    let written = fs::File::create(&copy)
        .and_then(|mut file| file.write_all(&json).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&copy, path));
    if written.is_err() {
        let _ = fs::remove_file(&copy);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slowness_is_doubted_after_a_day_and_believed_longer_each_time() {
        let trial =
            |times_too_slow, outcome| Trial { outcome, time: 1000 * DAY_SECONDS, usable_bytes: 0, times_too_slow };
        let slow = Outcome::TooSlow { tokens_per_second: 1.0 };
        for (times, days) in [(0, 1), (1, 1), (2, 4), (3, 16), (4, 64), (9, 64)] {
            let trial = trial(times, slow.clone());
            assert!(trial.counts_at(trial.time + days * DAY_SECONDS - 1), "{times}");
            assert!(!trial.counts_at(trial.time + days * DAY_SECONDS), "{times}");
            assert!(!trial.counts_at(trial.time - days * DAY_SECONDS), "{times}: the clock was set back");
        }
        let others = [Outcome::Passed { tokens_per_second: 9.0 }, Outcome::OutOfMemory];
        for outcome in others {
            assert!(trial(0, outcome).counts_at(u64::MAX));
        }
    }
}
