//! What the app needs of models: which there are, and one that is open. The real ones are [`crate::InstalledModels`];
//! tests bring scripted ones.

use catalog::{Candidate, Device};
use engine::TrialReport;
use generation::{EngineInfo, GenerateError, Generator};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
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
        /// Processor threads in use.
        threads: usize,
    },
    /// It left the memory; the next request opens it again.
    Resting {
        /// Who will answer.
        engine: EngineInfo,
        /// Whether other programs needed the memory.
        for_memory: bool,
    },
    /// It could not be opened.
    Failed(GenerateError),
}

/// A model that was opened, or is being opened. Dropping it ends it.
pub trait ModelHost: Generator {
    /// Its state, now and later.
    fn status(&self) -> watch::Receiver<HostStatus>;

    /// Measures how fast it writes here, once it is open; some seconds.
    ///
    /// # Errors
    /// If it cannot be opened, or fails meanwhile.
    fn trial(&self) -> Later<'_, Result<TrialReport, GenerateError>>;

    /// Somebody waits: the trial under way ends as soon as it can say something.
    fn end_trial(&self);
}

/// Something that a trait object does in a while.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One model on this computer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstalledModel {
    /// What decides whether it is used: the model on its best device.
    pub candidate: Candidate,
    /// The same on the other devices of this computer.
    pub others: Vec<Candidate>,
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

    /// Begins to open the model `id` on `device` and returns at once.
    ///
    /// # Errors
    /// When there is no such model (any more), or its process could not be started.
    fn open(&self, id: &str, device: &Device, context_len: usize) -> Result<Arc<dyn ModelHost>, GenerateError>;

    /// The open model leaves the memory after so long without a request; `None` keeps it.
    fn idle_after(&self, _idle: Option<Duration>) {}

    /// Whether fewer cores compute while the computer runs on its battery.
    fn battery_saver(&self, _on: bool) {}

    /// Whether copies of what the model has read of recent conversations are kept on disk; where not, those there are
    /// removed.
    fn keep_ready(&self, _on: bool) {}

    /// Removes what is kept of the conversation `id`, which was deleted.
    fn forget(&self, _id: &str) {}

    /// Closes the open model and returns when nothing of it is held any more: no process, no mapped file.
    fn release(&self) -> Later<'_, ()> {
        Box::pin(async {})
    }

    /// Nothing will be opened any more: what was kept between two openings is given back.
    fn close(&self) {}
}
