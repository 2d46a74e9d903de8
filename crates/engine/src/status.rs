//! What can be seen of an engine from outside.

use std::path::PathBuf;

use generation::GenerateError;

use crate::protocol::ModelFacts;

/// The model's state.
#[derive(Debug, Clone, PartialEq)]
pub enum ModelStatus {
    /// No model was chosen.
    Absent,
    /// It is being opened, for the first time or again; requests wait.
    Loading {
        /// The GGUF file.
        path: PathBuf,
    },
    /// It answers.
    Ready(ModelFacts),
    /// It left the memory, because nobody asked for a while or because other programs needed it. The next request opens
    /// it again.
    Resting {
        /// What was open.
        facts: Box<ModelFacts>,
        /// Whether other programs needed the memory.
        for_memory: bool,
    },
    /// It could not be opened, or its process keeps stopping. The next request tries again.
    Failed(GenerateError),
}

/// The worker process, for the log, for `doctor` and for tests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WorkerHealth {
    /// Its process id while it runs.
    pub pid: Option<u32>,
    /// Its resident memory in bytes, as it last reported.
    pub rss_bytes: Option<u64>,
    /// How many workers were started so far.
    pub started: u64,
}
