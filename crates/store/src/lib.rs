//! Everything a person wrote, was answered and had made, in one SQLite file.
//!
//! What is promised: whatever a function returned `Ok` for survives a killed process; an answer is saved while it
//! is being written ([`AnswerWriter`]); a damaged file is moved aside and never overwritten; a file from a newer
//! version is not touched; deleting can be undone.

mod connections;
mod conversations;
mod creations;
mod error;
mod learners;
mod open;
mod records;
mod settings;
mod turns;
mod writer;

#[cfg(test)]
mod tests;

pub use connections::KEEP_CONNECTIONS;
pub use error::Error;
pub use open::Opened;
pub use records::{
    Asked, Branch, Connection, ConversationLine, Creation, CreationLine, EngineKind, EngineName, Learner, LearnerKind,
    Measured, Message, MessageState, NewCreation, Role,
};
pub use writer::{AnswerWriter, Ending, SAVE_AFTER_BYTES, SAVE_EVERY};

use sqlx::SqlitePool;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{SystemTime, UNIX_EPOCH};

/// What the functions of this crate return.
pub type Result<T> = std::result::Result<T, Error>;

/// Deleted conversations and creations are really removed after so many days.
pub const KEEP_DELETED_DAYS: i64 = 30;

/// The database of one data folder; a cheap clone of shared handles.
#[derive(Debug, Clone)]
pub struct Store {
    pool: SqlitePool,
    shared: Arc<Shared>,
}

/// What all clones share.
#[derive(Debug)]
struct Shared {
    folder: PathBuf,
    database: PathBuf,
    lock: open::Lock,
    /// Damage was met while the database was in use, so the next start must check it.
    suspect: AtomicBool,
}

impl Store {
    /// The data folder.
    pub fn folder(&self) -> &Path {
        &self.shared.folder
    }
}

/// Milliseconds since 1970; 0 for a clock before that.
fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
}
