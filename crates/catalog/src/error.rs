//! What can go wrong with installed models.

use std::io;
use std::path::{Path, PathBuf};

use errors::{ErrorCode, Explain, io_code};
use gemma4::gguf;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file is not a model that this program runs.
    #[error("`{}` cannot be used", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: Box<gemma4::Error>,
    },
    /// The file to import or inspect could not be read.
    #[error("could not read `{}`", path.display())]
    ReadSource {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The file to import is a folder, a device or the like.
    #[error("`{}` is not a file", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// The file to import changed its size while it was copied.
    #[error("`{}` changed while it was copied: {expected} bytes were expected, {found} came", path.display())]
    SourceChanged {
        /// The file.
        path: PathBuf,
        /// Its size at the beginning, in bytes.
        expected: u64,
        /// Bytes that were read.
        found: u64,
    },
    /// A folder that models are kept in or exported to could not be made, listed or written.
    #[error("could not use the folder `{}`", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The copy could not be written.
    #[error("could not write `{}`", path.display())]
    WriteCopy {
        /// The file being written.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The outcome of a trial could not be kept.
    #[error("could not write `{}`", path.display())]
    Remember {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The disk has too little room for the copy.
    #[error("not enough room on the disk: {} needed, {} free", gigabytes(*.needed_bytes), gigabytes(*.free_bytes))]
    NotEnoughSpace {
        /// Size of the copy.
        needed_bytes: u64,
        /// What the disk has.
        free_bytes: u64,
    },
    /// The same model, or another under the same file name, is installed already.
    #[error("`{file_name}` is already installed")]
    AlreadyInstalled {
        /// File name of the installed model.
        file_name: String,
        /// Whether it is the same model, not only the same file name.
        same_content: bool,
    },
    /// Somebody else is at it: this transfer, or the models folder.
    #[error("another program is copying this model")]
    Busy,
    /// Somebody stopped the transfer; nothing of it is kept.
    #[error("the transfer was stopped")]
    Cancelled,
    /// The hub, or the way to it.
    #[error(transparent)]
    Hub(#[from] crate::hub::Error),
    /// There is no such transfer (any more).
    #[error("there is no transfer `{id}`")]
    NoSuchTransfer {
        /// The id.
        id: String,
    },
    /// Somebody paused the transfer; what it has is kept.
    #[error("the transfer was paused")]
    Paused,
    /// The disk or folder that is copied from is not there any more; what was copied is kept.
    #[error("`{}` is not there any more", path.display())]
    SourceGone {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// What was copied or downloaded is not what it should be.
    #[error("{what} is damaged: {problem}")]
    Corrupt {
        /// The file, or a part of it.
        what: String,
        /// How it differs.
        problem: String,
    },
    /// The description of a model is no sound description.
    #[error("`{}` does not describe a model: {reason}", path.display())]
    BadRecord {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A transfer that cannot be.
    #[error("a model cannot be transferred like this: {problem}")]
    BadPlan {
        /// Why.
        problem: String,
    },
    /// There is no model in the folder to import from.
    #[error("there is no model in `{}`", path.display())]
    NoModelInFolder {
        /// The folder.
        path: PathBuf,
    },
    /// There are several models in the folder to import from.
    #[error("there are several models in `{}`: {}", path.display(), files.join(", "))]
    SeveralModels {
        /// The folder.
        path: PathBuf,
        /// Their files.
        files: Vec<String>,
    },
    /// No installed model has this id.
    #[error("there is no installed model `{id}`")]
    NoSuchModel {
        /// The id.
        id: String,
    },
    /// The demo model is part of the program.
    #[error("the demo model is part of Aula and cannot be removed")]
    DemoStays,
    /// An installed model's file could not be deleted.
    #[error("could not delete `{}`", path.display())]
    Delete {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
}

impl Error {
    /// The error for a file at `path` that could not be opened as a model. It names the path itself, once.
    pub(crate) fn unusable(path: &Path, cause: gemma4::Error) -> Self {
        let path = path.to_owned();
        match cause {
            gemma4::Error::File(gguf::Error::Open { source: cause, .. }) => Self::ReadSource { path, cause },
            gemma4::Error::File(gguf::Error::File { source, .. }) => {
                Self::Unusable { path, cause: Box::new((*source).into()) }
            }
            cause => Self::Unusable { path, cause: Box::new(cause) },
        }
    }

    /// The same, about `path`: what was found in a copy is said of its source.
    pub(crate) fn about(self, path: &Path) -> Self {
        match self {
            Self::Unusable { cause, .. } => Self::Unusable { path: path.to_owned(), cause },
            other => other,
        }
    }
}

/// `bytes` in units of 10⁹, as shops and downloads count them.
pub(crate) fn gigabytes(bytes: u64) -> String {
    if bytes < 100_000_000 { format!("{:.1} MB", bytes as f64 / 1e6) } else { format!("{:.2} GB", bytes as f64 / 1e9) }
}

impl Explain for Error {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Unusable { cause, .. } => cause.code(),
            Self::Hub(error) => error.code(),
            Self::ReadSource { cause, .. } if cause.kind() == io::ErrorKind::NotFound => ErrorCode::ModelMissing,
            Self::ReadSource { cause, .. }
            | Self::Folder { cause, .. }
            | Self::WriteCopy { cause, .. }
            | Self::Remember { cause, .. }
            | Self::Delete { cause, .. } => io_code(cause),
            Self::NotAFile { .. }
            | Self::AlreadyInstalled { .. }
            | Self::Busy
            | Self::Cancelled
            | Self::Paused
            | Self::SeveralModels { .. }
            | Self::DemoStays => ErrorCode::InvalidRequest,
            Self::SourceGone { .. } => ErrorCode::SourceGone,
            Self::Corrupt { .. } | Self::BadRecord { .. } | Self::BadPlan { .. } => ErrorCode::TransferCorrupt,
            Self::NoModelInFolder { .. } => ErrorCode::ModelMissing,
            Self::SourceChanged { .. } => ErrorCode::ModelFileDamaged,
            Self::NotEnoughSpace { .. } => ErrorCode::DiskFull,
            Self::NoSuchModel { .. } | Self::NoSuchTransfer { .. } => ErrorCode::NotFound,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Unusable { cause, .. } => return cause.hint(),
            Self::Hub(error) => return error.hint(),
            Self::ReadSource { cause, .. } if cause.kind() == io::ErrorKind::NotFound => {
                "Check the path; if the file is on a USB stick, plug it in again".to_owned()
            }
            Self::ReadSource { .. } => {
                "Check that the file may be read; if it is on a USB stick, plug it in again and repeat".to_owned()
            }
            Self::SourceChanged { .. } => "Wait until the file is complete, then repeat; nothing was kept".to_owned(),
            Self::NotAFile { .. } => "Name a file that ends in .gguf".to_owned(),
            Self::Folder { cause, .. } | Self::WriteCopy { cause, .. } if io_code(cause) == ErrorCode::DiskFull => {
                "Free some room on the disk and repeat; what was copied is kept".to_owned()
            }
            Self::Folder { path, .. } => format!("Check that `{}` may be written", path.display()),
            Self::Remember { path, .. } => {
                format!("Check that `{}` may be written; the model is tried again at the next start", path.display())
            }
            Self::WriteCopy { .. } => "Check that the disk may be written, then repeat".to_owned(),
            Self::NotEnoughSpace { needed_bytes, free_bytes } => {
                format!("Free {} on that disk and repeat", gigabytes(needed_bytes.saturating_sub(*free_bytes)))
            }
            Self::AlreadyInstalled { same_content: true, .. } => "It is ready to use; nothing was copied".to_owned(),
            Self::AlreadyInstalled { same_content: false, .. } => {
                "Another model has that file name: rename the file, or remove the installed one first".to_owned()
            }
            Self::Busy => "Wait until it is done, then repeat".to_owned(),
            Self::Paused => "Repeat to go on where it stopped".to_owned(),
            Self::SourceGone { .. } => {
                "Plug the disk in again and repeat; the copy goes on where it stopped".to_owned()
            }
            Self::Corrupt { .. } => "Repeat; if it fails again, copy the model from another disk or server".to_owned(),
            Self::BadRecord { .. } => "Export the model again, or choose its .gguf file by itself".to_owned(),
            Self::BadPlan { .. } => "Choose another file or server".to_owned(),
            Self::NoModelInFolder { .. } => {
                "Name the file that ends in .gguf, or the folder that Aula exported to".to_owned()
            }
            Self::SeveralModels { .. } => "Name one of these files".to_owned(),
            Self::NoSuchModel { .. } => "See the ids with `aula models list`".to_owned(),
            Self::Delete { .. } => "Close Aula and everything else that uses the model, then repeat".to_owned(),
            Self::DemoStays => "Only models that were imported can be removed".to_owned(),
            Self::Cancelled | Self::NoSuchTransfer { .. } => return None,
        };
        Some(hint)
    }
}
