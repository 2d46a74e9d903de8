//! One transfer inside.

use std::path::PathBuf;
use std::time::Instant;

use network::Permit;

use super::meter::Meter;
use super::view::{TransferKind, TransferState, TransferView};
use crate::incoming::{Control, Progress, Step};
use crate::manifest::Manifest;

/// A model that can be copied in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportSource {
    /// What [`Catalog::import`](crate::Catalog::import) takes: a GGUF file, the manifest of an export, or a folder.
    pub path: PathBuf,
    /// Name of the model for people.
    pub model: String,
    /// Its size in bytes, as far as it is known; 0 otherwise.
    pub total_bytes: u64,
    /// SHA-256 of the file, where it is known from elsewhere and no manifest comes with it.
    pub sha256: Option<String>,
}

/// What is to be done.
#[derive(Debug, Clone)]
pub enum Job {
    Download(Manifest),
    Import(ImportSource),
    Export { model_id: String, target: PathBuf },
}

impl Job {
    pub fn kind(&self) -> TransferKind {
        match self {
            Self::Download(_) => TransferKind::Download,
            Self::Import(_) => TransferKind::Import,
            Self::Export { .. } => TransferKind::Export,
        }
    }
}

/// One transfer.
#[derive(Debug)]
pub struct Entry {
    pub job: Job,
    /// What others see but for speed and time.
    pub view: TransferView,
    pub meter: Meter,
    /// The handle of the run under way; none while nothing runs.
    pub control: Option<Control>,
    /// The open network, as long as the download is not paused.
    pub permit: Option<Permit>,
    /// A person wants it gone.
    pub cancelled: bool,
}

impl Entry {
    pub fn new(id: String, job: Job, model: String, total_bytes: u64) -> Self {
        let view = TransferView {
            id,
            kind: job.kind(),
            model,
            state: TransferState::Queued,
            done_bytes: 0,
            total_bytes,
            parts_done: 0,
            parts: 0,
            bytes_per_second: None,
            seconds_left: None,
            model_id: None,
        };
        Self { job, view, meter: Meter::default(), control: None, permit: None, cancelled: false }
    }

    /// Takes in how far the run is.
    pub fn progressed(&mut self, progress: Progress) {
        let view = &mut self.view;
        view.parts_done = u32::try_from(progress.parts_done).unwrap_or(u32::MAX);
        view.parts = u32::try_from(progress.parts).unwrap_or(u32::MAX);
        match progress.step {
            // What is there already is compared; how far the whole is does not change by that.
            Step::Resuming => view.state = TransferState::Running,
            Step::Copying => {
                view.state = TransferState::Running;
                (view.done_bytes, view.total_bytes) = (progress.done_bytes, progress.total_bytes);
                self.meter.sample(Instant::now(), progress.done_bytes);
            }
            Step::Verifying => {
                if view.state != TransferState::Verifying {
                    self.meter.reset();
                    view.state = TransferState::Verifying;
                }
                (view.done_bytes, view.total_bytes) = (progress.done_bytes, progress.total_bytes);
                self.meter.sample(Instant::now(), progress.done_bytes);
            }
        }
    }

    /// What others see now.
    pub fn view(&self) -> TransferView {
        let moves = matches!(self.view.state, TransferState::Running | TransferState::Verifying);
        let speed = if moves { self.meter.speed(Instant::now()) } else { None };
        let left = self.view.total_bytes.saturating_sub(self.view.done_bytes) as f64;
        let seconds_left = speed.filter(|speed| *speed >= 1.0).map(|speed| left / speed);
        TransferView { bytes_per_second: speed, seconds_left, ..self.view.clone() }
    }
}
