//! Conversations that are kept ready on disk, where a person allowed it: what the model has read of them, so that reopening
//! one does not read it again.
//!
//! One file for each conversation and model, in a folder of its own, all together at most [`MOST_BYTES`]; the least
//! recently used goes first. A file is written beside its name and renamed, so that it is whole or absent; one that is
//! damaged, of another version or of another model is removed, and the conversation is read as usual. Nothing here may
//! cost an answer: whatever fails is logged and forgotten.

mod file;
mod fingerprint;

use std::{
    fs::{self, File},
    io::{self, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
    time::SystemTime,
};

use gemma4::Sequence;
use sha2::{Digest, Sha256};

pub(crate) use self::{
    file::Content,
    fingerprint::{Fingerprint, of_file},
};
use crate::{answer_memory::AnswerMemory, session::Session};

/// Most bytes that all files take together.
pub(crate) const MOST_BYTES: u64 = 512 << 20;
/// Reading a file takes time too: it must save so many tokens.
const LEAST_GAIN: usize = 64;
const EXTENSION: &str = "kv";
/// Of a file that is being written.
const PART_EXTENSION: &str = "kv-part";

/// The folder of kept conversations in the cache folder.
pub(crate) fn folder(cache_dir: &Path) -> PathBuf {
    cache_dir.join("conversations")
}

/// Removes what is kept in a cache folder where no engine runs: of one conversation, or of all.
pub fn remove_kept(cache_dir: &Path, conversation: Option<&str>) {
    match conversation {
        Some(conversation) => remove(&folder(cache_dir), conversation),
        None => remove_all(&folder(cache_dir)),
    }
}

/// Removes everything that is kept in `folder`.
pub(crate) fn remove_all(folder: &Path) {
    remove_where(folder, |_| true);
}

/// Removes what is kept in `folder` of `conversation`, of whichever model.
pub(crate) fn remove(folder: &Path, conversation: &str) {
    let name = name_of(conversation);
    remove_where(folder, |found| found.starts_with(&name));
}

/// A conversation's part of a file name. Ids are opaque, and so are names.
fn name_of(conversation: &str) -> String {
    hex(&Sha256::digest(conversation.as_bytes())[..16])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Only files of this module, so that a folder that somebody else uses loses nothing.
fn remove_where(folder: &Path, wanted: impl Fn(&str) -> bool) {
    for (path, _) in files(folder, &[EXTENSION, PART_EXTENSION]) {
        if path.file_name().and_then(|name| name.to_str()).is_some_and(&wanted)
            && let Err(error) = fs::remove_file(&path)
            && error.kind() != io::ErrorKind::NotFound
        {
            log(&path, "could not be removed", &error);
        }
    }
}

/// Files in `folder` with one of these extensions; a folder that cannot be read has none.
fn files(folder: &Path, extensions: &[&str]) -> Vec<(PathBuf, fs::Metadata)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let path = entry.path();
            let ours =
                path.extension().and_then(|found| found.to_str()).is_some_and(|found| extensions.contains(&found));
            let facts = entry.metadata().ok().filter(|facts| ours && facts.is_file())?;
            Some((path, facts))
        })
        .collect()
}

/// The parent passes the worker's standard error on to the log.
fn log(path: &Path, what: &str, error: &dyn std::error::Error) {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    eprintln!("a conversation kept ready ({name}) {what}: {}", errors::chain(error));
}

/// The files of one model.
#[derive(Debug)]
pub(crate) struct Shelf {
    folder: PathBuf,
    model: Fingerprint,
    most_bytes: u64,
    /// Whether the model's forward pass can be saved at all.
    able: bool,
}

/// A kept conversation that was found, not yet restored.
pub(crate) struct Found {
    path: PathBuf,
    content: Content,
    state: BufReader<File>,
}

impl Shelf {
    pub(crate) fn new(folder: PathBuf, model: Fingerprint, most_bytes: u64) -> Self {
        Self { folder, model, most_bytes, able: true }
    }

    fn path(&self, conversation: &str) -> PathBuf {
        let name = format!("{}-{}", name_of(conversation), hex(&self.model[..8]));
        self.folder.join(name).with_extension(EXTENSION)
    }

    /// Keeps what `session` has of `conversation`, with the `answers` in it as tokens. Room is made for it first.
    pub(crate) fn keep(&mut self, conversation: &str, session: &Session, answers: Vec<(String, Vec<u32>)>) {
        if !self.able || session.fed().is_empty() {
            return;
        }
        let path = self.path(conversation);
        let part = path.with_extension(PART_EXTENSION);
        let content = Content { tokens: session.fed().to_vec(), answers };
        match self.write(&path, &part, &content, session.sequence()) {
            Ok(()) => self.make_room(Some(&path)),
            Err(error) => {
                self.able &= !matches!(error, gemma4::Error::Unsupported { .. });
                // It may not be there.
                let _ = fs::remove_file(&part);
                log(&path, "was not kept", &error);
            }
        }
    }

    fn write(&self, path: &Path, part: &Path, content: &Content, sequence: &dyn Sequence) -> Result<(), gemma4::Error> {
        let failed = gemma4::Error::KvStateIo;
        fs::create_dir_all(&self.folder).map_err(failed)?;
        let mut out = BufWriter::with_capacity(1 << 20, private_file(part).map_err(failed)?);
        content.write(&self.model, &mut out).map_err(failed)?;
        sequence.save(&mut out)?;
        out.flush().map_err(failed)?;
        drop(out);
        fs::rename(part, path).map_err(failed)
    }

    /// What is kept of `conversation`. The answers in it are put into `memory`, so that the prompt will be rendered with
    /// the same tokens.
    pub(crate) fn find(&self, conversation: &str, memory: &mut AnswerMemory) -> Option<Found> {
        let path = self.path(conversation);
        let mut state = match File::open(&path) {
            Ok(file) => BufReader::with_capacity(1 << 20, file),
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    log(&path, "could not be read", &error);
                }
                return None;
            }
        };
        match Content::read(&self.model, &mut state) {
            Ok(content) => {
                for (text, tokens) in &content.answers {
                    memory.remember(text, tokens.clone());
                }
                Some(Found { path, content, state })
            }
            Err(error) => {
                log(&path, "is of no use and removed", &error);
                let _ = fs::remove_file(&path);
                None
            }
        }
    }

    /// Removes the least recently used files until the rest is small enough, and what was left half written; never
    /// `newest`.
    fn make_room(&self, newest: Option<&Path>) {
        for (path, _) in files(&self.folder, &[PART_EXTENSION]) {
            let _ = fs::remove_file(path);
        }
        let mut kept = files(&self.folder, &[EXTENSION]);
        kept.sort_by_key(|(_, facts)| facts.modified().unwrap_or(SystemTime::UNIX_EPOCH));
        let mut total: u64 = kept.iter().map(|(_, facts)| facts.len()).sum();
        for (path, facts) in &kept {
            if total <= self.most_bytes {
                break;
            }
            if Some(path.as_path()) != newest && fs::remove_file(path).is_ok() {
                total -= facts.len();
            }
        }
    }
}

impl Found {
    /// Puts `session` where the conversation was left, if that saves enough of reading `prompt`. What is damaged is
    /// removed; the session is then empty and reads the whole prompt.
    pub(crate) fn restore(mut self, session: &mut Session, prompt: &[u32]) {
        let tokens = self.content.tokens;
        let fits = tokens.len() < prompt.len() && prompt.starts_with(&tokens);
        if !fits || tokens.len() < session.reusable(prompt) + LEAST_GAIN {
            return;
        }
        match session.adopt(tokens, &mut self.state) {
            // It counts as used. Where that cannot be written down, it goes a little earlier.
            Ok(()) => {
                _ = File::options().append(true).open(&self.path).and_then(|file| file.set_modified(SystemTime::now()))
            }
            Err(error) => {
                log(&self.path, "is of no use and removed", &error);
                let _ = fs::remove_file(&self.path);
            }
        }
    }
}

/// A new file that only this user can read.
fn private_file(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests;
