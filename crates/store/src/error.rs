//! What can go wrong with the database, told apart by what a person can do about it.

use errors::{ErrorCode, Explain};
use std::path::PathBuf;

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The data folder could not be made.
    #[error("could not create the folder `{path}`")]
    CreateFolder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The lock file could not be opened or locked.
    #[error("could not lock `{path}`")]
    Lock {
        /// The lock file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Another process has this data folder open.
    #[error("Aula is already open with the data in `{path}`")]
    InUse {
        /// The data folder.
        path: PathBuf,
    },
    /// The database could not be opened, though nothing says that it is damaged.
    #[error("could not open the database `{path}`")]
    Open {
        /// The database.
        path: PathBuf,
        /// Why.
        source: sqlx::Error,
    },
    /// A later version of Aula wrote this database; it was not touched.
    #[error("a newer version of Aula wrote the database `{path}`: it has step {found}, this version knows {known}")]
    Newer {
        /// The database.
        path: PathBuf,
        /// The migration in the file that this version does not know.
        found: i64,
        /// The last migration that this version knows.
        known: i64,
    },
    /// The database could not be brought to this version's layout.
    #[error("could not update the database `{path}`")]
    Migrate {
        /// The database.
        path: PathBuf,
        /// Why.
        source: sqlx::migrate::MigrateError,
    },
    /// A damaged database could not be moved aside.
    #[error("the database `{path}` is damaged and could not be moved aside")]
    SetAside {
        /// The database.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The disk is full.
    #[error("could not {operation}: the disk is full")]
    DiskFull {
        /// What was being done.
        operation: &'static str,
        /// SQLite's words.
        source: sqlx::Error,
    },
    /// The database, or its folder, may only be read.
    #[error("could not {operation}: the data folder may only be read")]
    ReadOnly {
        /// What was being done.
        operation: &'static str,
        /// SQLite's words.
        source: sqlx::Error,
    },
    /// The database turned out to be damaged while it was in use.
    #[error("could not {operation}: the database is damaged")]
    Damaged {
        /// What was being done.
        operation: &'static str,
        /// SQLite's words.
        source: sqlx::Error,
    },
    /// There is no such conversation, message or creation (any more).
    #[error("there is no {what} `{id}`")]
    NotFound {
        /// `conversation`, `message`, `creation` or `profile`.
        what: &'static str,
        /// Its id.
        id: String,
    },
    /// The message is of the other kind: a question where an answer is needed, or the reverse.
    #[error("the message `{id}` is not {wanted}")]
    WrongRole {
        /// Its id.
        id: String,
        /// `a question` or `an answer`.
        wanted: &'static str,
    },
    /// The answer has ended already; nothing more can be written to it.
    #[error("the answer `{id}` has ended already")]
    AnswerEnded {
        /// Its id.
        id: String,
    },
    /// What was written could not be forced to the disk.
    #[error("could not force `{path}` to the disk")]
    Sync {
        /// The write-ahead log.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A statement failed for another reason.
    #[error("could not {operation}")]
    Query {
        /// What was being done.
        operation: &'static str,
        /// SQLite's words.
        source: sqlx::Error,
    },
}

impl Explain for Error {
    fn code(&self) -> ErrorCode {
        match self {
            Self::CreateFolder { source, .. }
            | Self::Lock { source, .. }
            | Self::Sync { source, .. }
            | Self::SetAside { source, .. } => match errors::io_code(source) {
                // The folder that is missing is not what somebody asked for.
                ErrorCode::NotFound => ErrorCode::Io,
                code => code,
            },
            Self::Open { .. } | Self::ReadOnly { .. } => ErrorCode::Io,
            Self::InUse { .. } => ErrorCode::AlreadyOpen,
            Self::Newer { .. } => ErrorCode::StoreNewer,
            Self::Migrate { .. } | Self::Query { .. } => ErrorCode::Internal,
            Self::DiskFull { .. } => ErrorCode::DiskFull,
            Self::Damaged { .. } => ErrorCode::StoreDamaged,
            Self::NotFound { .. } => ErrorCode::NotFound,
            Self::WrongRole { .. } | Self::AnswerEnded { .. } => ErrorCode::InvalidRequest,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::CreateFolder { .. } | Self::Lock { .. } | Self::Open { .. } | Self::ReadOnly { .. } => {
                "Check that you may write to this folder, or choose another with AULA_DATA_DIR."
            }
            Self::InUse { .. } => "Close the other Aula window first.",
            Self::Newer { .. } => "Install the newer version of Aula; this one has changed nothing.",
            Self::Migrate { .. } => "Start Aula again; nothing was lost.",
            Self::SetAside { .. } => "Move the file to another folder and start Aula again.",
            Self::DiskFull { .. } => "Free some space on the disk and try again.",
            Self::Damaged { .. } => "Start Aula again: it checks the database and keeps a damaged one aside.",
            Self::Sync { .. } => "Check the disk.",
            Self::NotFound { .. } | Self::WrongRole { .. } | Self::AnswerEnded { .. } | Self::Query { .. } => {
                return None;
            }
        };
        Some(hint.to_owned())
    }
}

/// What SQLite's result code means for us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Damaged,
    DiskFull,
    ReadOnly,
    Other,
}

/// Sorts `error` by SQLite's primary result code (<https://sqlite.org/rescode.html>).
pub(crate) fn kind(error: &sqlx::Error) -> Kind {
    const READONLY: i32 = 8;
    const CORRUPT: i32 = 11;
    const FULL: i32 = 13;
    const NOTADB: i32 = 26;
    // Extended codes of IOERR that mean "there is less file than its header says" and "the file system is damaged".
    const IOERR_SHORT_READ: i32 = 10 | (2 << 8);
    const IOERR_CORRUPTFS: i32 = 10 | (33 << 8);
    let code = error.as_database_error().and_then(|e| e.code()).and_then(|c| c.parse::<i32>().ok());
    match code {
        Some(IOERR_SHORT_READ | IOERR_CORRUPTFS) => Kind::Damaged,
        Some(code) => match code & 0xff {
            CORRUPT | NOTADB => Kind::Damaged,
            FULL => Kind::DiskFull,
            READONLY => Kind::ReadOnly,
            _ => Kind::Other,
        },
        None => Kind::Other,
    }
}

/// Names the operation that `source` ended.
pub(crate) fn during(operation: &'static str) -> impl Fn(sqlx::Error) -> Error {
    move |source| match kind(&source) {
        Kind::Damaged => Error::Damaged { operation, source },
        Kind::DiskFull => Error::DiskFull { operation, source },
        Kind::ReadOnly => Error::ReadOnly { operation, source },
        Kind::Other => Error::Query { operation, source },
    }
}
