//! The trial of the open model: begun when nothing else is to be done, ended when somebody asks.

use generation::GenerateError;
use tokio::{sync::oneshot, time::Instant};

use super::{Phase, Supervisor, Worker};
use crate::{engine::Target, error::Error, protocol::Command, trial::TrialReport, worker_process::Death};

type Outcome = Result<TrialReport, GenerateError>;

/// A trial that was asked for.
pub(super) struct Trial {
    /// What is to be tried.
    target: Target,
    /// Under this id it runs.
    pub(super) id: Option<u64>,
    /// Whether somebody is waiting for its end.
    hurried: bool,
    report: oneshot::Sender<Outcome>,
}

impl Supervisor {
    pub(super) fn begin_trial(&mut self, report: oneshot::Sender<Outcome>) {
        // One at a time: whoever asked before learns that nothing can be said.
        self.abandon_trial();
        let target = self.shared.target().clone();
        if target.model.is_none() {
            // Whoever asked may have stopped waiting.
            let _ = report.send(Err(Error::ModelMissing.into()));
            return;
        }
        if self.failed.is_some() {
            self.try_again();
        }
        self.trial = Some(Trial { target, id: None, hurried: false, report });
    }

    pub(super) fn trial_runs(&self) -> bool {
        self.trial.as_ref().is_some_and(|trial| trial.id.is_some())
    }

    /// Begins the trial that waits, if the worker is idle.
    pub(super) fn next_trial(&mut self) {
        let waits = self.trial.as_ref().is_some_and(|trial| trial.id.is_none());
        if !waits || self.active.is_some() {
            return;
        }
        let id = self.next_id();
        let mut hurried = false;
        if let Some(trial) = &mut self.trial {
            trial.id = Some(id);
            hurried = trial.hurried;
        }
        if let Some(worker) = &mut self.worker {
            worker.signs.progressed(Instant::now());
        }
        self.tell(&Command::Trial { id, limits: self.options.trial });
        if hurried {
            self.tell(&Command::EndTrial { id });
        }
    }

    /// Somebody is waiting: the trial ends as soon as it can say something.
    pub(super) fn end_trial(&mut self) {
        self.idle.used();
        let Some(trial) = &mut self.trial else { return };
        trial.hurried = true;
        if let Some(id) = trial.id {
            self.tell(&Command::EndTrial { id });
        }
    }

    /// Another model was named: what the trial would find is of no use.
    pub(super) fn give_up_stale_trial(&mut self, target: &Target) {
        if self.trial.as_ref().is_some_and(|trial| trial.target != *target) {
            self.abandon_trial();
        }
    }

    /// Reports that nothing can be said. A worker in the midst of a trial is ended: it holds nothing worth saving.
    fn abandon_trial(&mut self) {
        if self.trial_runs() {
            self.dismiss();
        }
        self.trial_ended(Ok(TrialReport { ended_early: true, ..TrialReport::default() }));
    }

    /// Tells whoever asked for the trial how it went.
    pub(super) fn trial_ended(&mut self, outcome: Outcome) {
        let Some(trial) = self.trial.take() else { return };
        self.idle.used();
        match &outcome {
            Ok(report) => tracing::info!(?report, "the model was tried"),
            Err(error) => tracing::warn!(message = error.message, "the trial failed"),
        }
        let _ = trial.report.send(outcome);
    }

    /// The worker reported the end of trial `id`.
    pub(super) fn trial_reported(&mut self, id: u64, outcome: Outcome) {
        if self.trial.as_ref().is_some_and(|trial| trial.id == Some(id)) {
            self.trial_ended(outcome);
        }
    }

    /// What the end of the worker means for who waits, by what it was doing.
    pub(super) fn why_gone(&self, how: String, death: Death) -> Error {
        let doing = match &self.worker {
            Some(Worker { phase: Phase::Loading { .. }, .. }) => Some("while it was opening the model"),
            Some(Worker { phase: Phase::Open { .. }, .. }) if self.trial_runs() => Some("while it was being tried"),
            _ => None,
        };
        match (death, doing) {
            (Death::OutOfMemory, _) => Error::WorkerOutOfMemory,
            (Death::Killed, Some(doing)) => Error::WorkerKilled { doing },
            _ => Error::WorkerCrashed { how },
        }
    }
}
