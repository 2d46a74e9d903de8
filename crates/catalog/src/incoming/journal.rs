//! The record of finished parts: lines that are only ever appended.
//!
//! A line is `<part> <SHA-256 of the part> <check>`. The check is taken over the line and the plan's identity: a line
//! that was torn by a power cut, or that belongs to another plan, does not count, and neither does anything after it.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use super::digest::sha256_hex;

/// More than the longest journal of a plan; a larger file is not one.
const LIMIT_BYTES: u64 = 128 << 20;

/// The finished parts of one plan.
#[derive(Debug)]
pub(super) struct Journal {
    file: File,
    identity: String,
    parts: BTreeMap<usize, String>,
}

impl Journal {
    /// Opens or makes the journal at `path` for the plan with this identity, and cuts off what does not count.
    pub(super) fn open(path: &Path, identity: String, n_parts: usize) -> io::Result<Self> {
        let mut file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path)?;
        let mut bytes = Vec::new();
        (&mut file).take(LIMIT_BYTES).read_to_end(&mut bytes)?;
        let (parts, valid_bytes) = read(&bytes, &identity, n_parts);
        if (valid_bytes as u64) < file.metadata()?.len() {
            file.set_len(valid_bytes as u64)?;
            file.sync_all()?;
        }
        file.seek(SeekFrom::End(0))?;
        Ok(Self { file, identity, parts })
    }

    /// Finished parts with their checksums.
    pub(super) fn parts(&self) -> &BTreeMap<usize, String> {
        &self.parts
    }

    /// Records part `index`, down to the disk. Its bytes must be there already.
    pub(super) fn record(&mut self, index: usize, sha256: &str) -> io::Result<()> {
        let end = self.file.stream_position()?;
        let written = self.file.write_all(line(index, sha256, &self.identity).as_bytes());
        if let Err(error) = written.and_then(|()| self.file.sync_data()) {
            // Half a line, e.g. on a full disk, must not spoil the next one.
            let _ = self.file.set_len(end).and_then(|()| self.file.seek(SeekFrom::Start(end)));
            return Err(error);
        }
        self.parts.insert(index, sha256.to_owned());
        Ok(())
    }

    /// Forgets parts that turned out to be damaged.
    pub(super) fn forget(&mut self, damaged: &[usize]) -> io::Result<()> {
        if damaged.is_empty() {
            return Ok(());
        }
        self.parts.retain(|index, _| !damaged.contains(index));
        let text: String = self.parts.iter().map(|(index, hash)| line(*index, hash, &self.identity)).collect();
        // A kill between these steps forgets more than it must, never less.
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(text.as_bytes())?;
        self.file.sync_all()
    }
}

fn line(index: usize, sha256: &str, identity: &str) -> String {
    format!("{index} {sha256} {}\n", check(index, sha256, identity))
}

fn check(index: usize, sha256: &str, identity: &str) -> String {
    let mut check = sha256_hex(format!("{identity} {index} {sha256}").as_bytes());
    check.truncate(16);
    check
}

/// The parts that `bytes` records, and how many bytes of it count.
pub(super) fn read(bytes: &[u8], identity: &str, n_parts: usize) -> (BTreeMap<usize, String>, usize) {
    let mut parts = BTreeMap::new();
    let mut valid = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let Some((index, sha256)) = read_line(line, identity) else { break };
        if index >= n_parts {
            break;
        }
        parts.insert(index, sha256);
        valid += line.len();
    }
    (parts, valid)
}

fn read_line(line: &[u8], identity: &str) -> Option<(usize, String)> {
    let text = str::from_utf8(line).ok()?.strip_suffix('\n')?;
    let mut words = text.split(' ');
    let (index, sha256, found) = (words.next()?.parse().ok()?, words.next()?, words.next()?);
    let whole = words.next().is_none() && found == check(index, sha256, identity);
    whole.then(|| (index, sha256.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(n: u8) -> String {
        sha256_hex(&[n])
    }

    fn written(n: usize) -> (tempfile::TempDir, std::path::PathBuf, Vec<u8>) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("journal");
        let mut journal = Journal::open(&path, "plan".to_owned(), 10).expect("a journal");
        for index in 0..n {
            journal.record(index, &hash(index as u8)).expect("written");
        }
        let bytes = std::fs::read(&path).expect("readable");
        (folder, path, bytes)
    }

    #[test]
    fn whatever_is_cut_off_only_whole_lines_count_and_more_can_be_written() {
        let (_folder, path, bytes) = written(3);
        let line = bytes.len() / 3;
        for cut in 0..=bytes.len() {
            std::fs::write(&path, &bytes[..cut]).expect("written");
            let mut journal = Journal::open(&path, "plan".to_owned(), 10).expect("a journal");
            assert_eq!(journal.parts().len(), cut / line, "{cut}");
            journal.record(7, &hash(7)).expect("written");
            drop(journal);
            let again = Journal::open(&path, "plan".to_owned(), 10).expect("a journal");
            assert_eq!(again.parts().len(), cut / line + 1, "{cut}");
        }
    }

    #[test]
    fn a_flipped_byte_ends_what_counts() {
        let (_folder, path, bytes) = written(3);
        let line = bytes.len() / 3;
        for at in 0..bytes.len() {
            let mut spoilt = bytes.clone();
            spoilt[at] ^= 1;
            std::fs::write(&path, &spoilt).expect("written");
            let journal = Journal::open(&path, "plan".to_owned(), 10).expect("a journal");
            assert_eq!(journal.parts().len(), at / line, "{at}");
        }
    }

    #[test]
    fn another_plans_lines_do_not_count() {
        let (_folder, path, _) = written(3);
        assert!(Journal::open(&path, "other".to_owned(), 10).expect("a journal").parts().is_empty());
        assert_eq!(std::fs::metadata(&path).expect("a file").len(), 0);
    }

    #[test]
    fn damaged_parts_are_forgotten_for_good() {
        let (_folder, path, _) = written(3);
        let mut journal = Journal::open(&path, "plan".to_owned(), 10).expect("a journal");
        journal.forget(&[1]).expect("written");
        journal.record(5, &hash(5)).expect("written");
        let again = Journal::open(&path, "plan".to_owned(), 10).expect("a journal");
        assert_eq!(again.parts().keys().copied().collect::<Vec<_>>(), [0, 2, 5]);
    }
}
