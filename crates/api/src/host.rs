//! What the app needs of models: which there are, and one that is open. The real ones are [`crate::InstalledModels`];
//! tests bring scripted ones.

use catalog::Candidate;
use generation::{EngineInfo, GenerateError, Generator};
use std::sync::Arc;
use tokio::sync::watch;

/// The state of an open model.
#[derive(Debug, Clone, PartialEq)]
pub enum HostStatus {
    /// It is being opened; requests wait.
    Loading,
    /// It answers.
    Ready {
        /// Who answers.
        engine: EngineInfo,
        /// Context length in tokens.
        context_len: usize,
        /// Seconds that opening took.
        load_seconds: f64,
    },
    /// It could not be opened.
    Failed(GenerateError),
}

/// A model that was opened, or is being opened. Dropping it ends it.
pub trait ModelHost: Generator {
    /// Its state, now and later.
    fn status(&self) -> watch::Receiver<HostStatus>;
}

/// One model on this computer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstalledModel {
    /// What decides whether it is used.
    pub candidate: Candidate,
    /// Size of its file in bytes.
    pub file_bytes: u64,
}

/// The models of this computer.
pub trait Models: Send + Sync + 'static {
    /// All of them, the demo model included. May take a while: files are looked at.
    ///
    /// # Errors
    /// When the folder of models cannot be read.
    fn list(&self, context_len: usize) -> Result<Vec<InstalledModel>, GenerateError>;

    /// Begins to open the model `id` and returns at once.
    ///
    /// # Errors
    /// When there is no such model (any more), or its process could not be started.
    fn open(&self, id: &str, context_len: usize) -> Result<Arc<dyn ModelHost>, GenerateError>;

    /// Nothing will be opened any more: what was kept between two openings is given back.
    fn close(&self) {}
}
