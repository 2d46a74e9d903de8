//! Which model answers: it is chosen, opened, tried for some seconds where it never was, and replaced by the next one
//! where it does not do.
//!
//! Questions that are asked meanwhile wait (see `chat::chosen_host`) and are answered by the model that is chosen in the
//! end. Somebody who waits makes the trial end as soon as it can say something.

mod choose;

use crate::convert;
use crate::dto::{ChoiceReport, ModelStatus};
use crate::failure::explain;
use crate::host::{HostStatus, ModelHost, Models};
use crate::places::TRIALS_FILE;
use catalog::{Candidate, Trials};
use generation::GenerateError;
use std::path::Path;
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use tokio::sync::{Mutex, MutexGuard, watch};
use tokio_util::sync::CancellationToken;

/// The place of the open model.
#[derive(Clone)]
pub(crate) enum Slot {
    /// Models are being looked at; questions wait.
    Choosing,
    /// One is being opened and perhaps tried; questions wait until that is decided.
    Trying(OpenModel),
    /// There is none.
    Empty,
    /// Models could not be looked at, or the chosen one could not be begun.
    Failed(GenerateError),
    /// One is open, being opened again, or resting.
    Open(OpenModel),
}

/// An open model.
#[derive(Clone)]
pub(crate) struct OpenModel {
    pub(crate) host: Arc<dyn ModelHost>,
    pub(crate) candidate: Arc<Candidate>,
    /// Whether it was never tried here.
    untried: bool,
    choice: Arc<ChoiceReport>,
}

impl OpenModel {
    pub(crate) fn id(&self) -> &str {
        &self.candidate.id
    }

    pub(crate) fn demo(&self) -> bool {
        self.candidate.demo
    }

    fn is(&self, candidate: &Candidate) -> bool {
        let ours = &self.candidate;
        (&ours.id, &ours.file, &ours.device, ours.context_len)
            == (&candidate.id, &candidate.file, &candidate.device, candidate.context_len)
    }
}

/// What the app keeps of choosing and opening.
pub(crate) struct Opening {
    models: Arc<dyn Models>,
    slot: watch::Sender<Slot>,
    status: watch::Sender<ModelStatus>,
    /// Held while a model is chosen and begun to be opened, so that two choices do not cross. The token ends the attempt
    /// under way when another begins.
    attempt: Mutex<CancellationToken>,
    /// Set once, when the app closes: nothing is opened any more.
    closed: CancellationToken,
    trials: Arc<StdMutex<Trials>>,
    /// Questions that wait for the choice.
    waiting: watch::Sender<usize>,
    /// Held while the state is put together and told, so that an older one never follows a newer one.
    publishing: StdMutex<()>,
}

impl Opening {
    /// Nothing is open yet; `refused` is why nothing ever will be.
    pub(crate) fn new(models: Arc<dyn Models>, data_dir: &Path, refused: Option<ModelStatus>) -> Self {
        let slot = if refused.is_some() { Slot::Empty } else { Slot::Choosing };
        Self {
            models,
            slot: watch::Sender::new(slot),
            status: watch::Sender::new(refused.unwrap_or(ModelStatus::Loading)),
            attempt: Mutex::default(),
            closed: CancellationToken::new(),
            trials: Arc::new(StdMutex::new(Trials::load(&data_dir.join(TRIALS_FILE)))),
            waiting: watch::Sender::new(0),
            publishing: StdMutex::default(),
        }
    }

    pub(crate) fn status(&self) -> watch::Receiver<ModelStatus> {
        self.status.subscribe()
    }

    pub(crate) fn slot(&self) -> watch::Receiver<Slot> {
        self.slot.subscribe()
    }

    /// What is known of trials on this computer.
    pub(crate) fn trials(&self) -> Trials {
        self.trials.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A question waits from now until the guard is dropped.
    pub(crate) fn wait(&self) -> Waiting<'_> {
        self.waiting.send_modify(|n| *n += 1);
        Waiting(self)
    }

    /// Ends everything that is open.
    pub(crate) async fn close(&self) {
        self.closed.cancel();
        self.attempt.lock().await.cancel();
        self.slot.send_replace(Slot::Empty);
        self.models.close();
    }

    /// The right to choose and open; none once the app closes.
    async fn may_open(&self) -> Option<MutexGuard<'_, CancellationToken>> {
        let attempt = self.attempt.lock().await;
        (!self.closed.is_cancelled()).then_some(attempt)
    }

    fn set(&self, slot: Slot) {
        self.slot.send_replace(slot);
        self.publish();
    }

    /// Tells the page what the present state is.
    fn publish(&self) {
        let _one_at_a_time = self.publishing.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = self.slot.borrow().clone();
        let status = match slot {
            Slot::Choosing => ModelStatus::Loading,
            Slot::Empty => ModelStatus::Absent,
            Slot::Failed(error) => ModelStatus::Failed { error: explain(&error, None) },
            Slot::Trying(open) => match &*open.host.status().borrow() {
                HostStatus::Ready { .. } if open.untried => ModelStatus::Trying {
                    model: open.candidate.name.clone(),
                    device: open.candidate.device.name().to_owned(),
                },
                // What failed is about to be replaced.
                _ => ModelStatus::Loading,
            },
            Slot::Open(open) => convert::model_status(&open.host.status().borrow(), &open.choice),
        };
        self.status.send_if_modified(|known| {
            let changed = *known != status;
            *known = status;
            changed
        });
    }
}

/// A question that waits for the choice.
pub(crate) struct Waiting<'a>(&'a Opening);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.send_modify(|n| *n -= 1);
    }
}
