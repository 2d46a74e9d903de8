//! Transfers as others see them.

use errors::{ErrorCode, Explain};

/// Which way a model goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TransferKind {
    /// From a disk or folder into the models folder.
    Import,
    /// From the network into the models folder.
    Download,
    /// From the models folder to a disk or folder.
    Export,
}

/// What went wrong, kept for as long as somebody may look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What kind of failure.
    pub code: ErrorCode,
    /// What failed, for people.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
}

impl Problem {
    /// What `error` says.
    pub fn of(error: &impl Explain) -> Self {
        Self { code: error.code(), message: error.to_string(), hint: error.hint() }
    }
}

/// How far a transfer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransferState {
    /// It begins as soon as the one before it of the same kind is done.
    Queued,
    /// It moves.
    Running,
    /// It waits for a stick or a server, and goes on by itself when that is back.
    Waiting(Problem),
    /// All is there and is compared with its checksums.
    Verifying,
    /// A person stopped it for now, or the program ended meanwhile.
    Paused,
    /// The model is there.
    Done,
    /// It cannot go on by itself; what was copied is kept where that helps.
    Failed(Problem),
}

/// One model on its way.
#[derive(Debug, Clone, PartialEq)]
pub struct TransferView {
    /// Opaque id; the same after a restart.
    pub id: String,
    /// Which way.
    pub kind: TransferKind,
    /// Name of the model for people.
    pub model: String,
    /// How far.
    pub state: TransferState,
    /// Bytes that are there; while it verifies, bytes that were compared.
    pub done_bytes: u64,
    /// Bytes in all.
    pub total_bytes: u64,
    /// Parts that are there.
    pub parts_done: u32,
    /// Parts in all; 0 as long as nobody knows.
    pub parts: u32,
    /// Bytes a second over the last five seconds; none at the start and while nothing moves.
    pub bytes_per_second: Option<f64>,
    /// Seconds left at that speed.
    pub seconds_left: Option<f64>,
    /// The installed model, once it is there.
    pub model_id: Option<String>,
}
