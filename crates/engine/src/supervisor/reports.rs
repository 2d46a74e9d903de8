//! What comes back from the worker, and what its loss means for those who wait.

use generation::{GenerateError, TokenEvent};
use tokio::time::Instant;

use super::{Phase, Supervisor, cancelled};
use crate::{
    error::Error,
    protocol::{Hello, Report},
    queue::RequestNumber,
    restart::Verdict,
    worker_process::{FromWorker, Gone},
};

impl Supervisor {
    /// Worker `number` said something or ended; what an earlier worker still had to say is dropped.
    pub(super) fn hear(&mut self, number: u64, event: FromWorker) {
        let Some(worker) = self.worker.as_mut().filter(|worker| worker.number == number) else { return };
        let leaving = matches!(worker.phase, Phase::Leaving);
        match event {
            FromWorker::Gone(gone) => self.gone(gone, leaving),
            FromWorker::Report(_) if leaving => {}
            FromWorker::Report(report) => self.report(report),
        }
    }

    fn report(&mut self, report: Report) {
        let Some(worker) = &mut self.worker else { return };
        match report {
            Report::Hello(theirs) => match Hello::ours().check(&theirs) {
                Ok(()) => {
                    let target = self.shared.target().clone();
                    match &target.model {
                        Some(path) => self.load(path.clone(), target.clone()),
                        None => self.dismiss(),
                    }
                }
                Err(error) => self.fail(error.into()),
            },
            Report::Loaded { id, facts } => match &worker.phase {
                Phase::Loading { id: asked, target } if *asked == id => {
                    tracing::info!(model = facts.engine.model, load_s = facts.load_s, "model open");
                    worker.phase = Phase::Open { target: target.clone(), facts: Box::new(facts) };
                    worker.signs.restart(Instant::now());
                    self.idle.opened();
                }
                _ => {}
            },
            Report::LoadFailed { id, error } => {
                if matches!(worker.phase, Phase::Loading { id: asked, .. } if asked == id) {
                    self.fail(error);
                }
            }
            Report::Event { id, event } => {
                worker.signs.progressed(Instant::now());
                self.event(id, event);
            }
            Report::Trial { id, outcome } => {
                worker.signs.progressed(Instant::now());
                self.trial_reported(id, outcome);
            }
            Report::Pong { id, progress, rss_bytes } => {
                worker.signs.ponged(id, progress, Instant::now());
                self.shared.health.send_modify(|health| health.rss_bytes = rss_bytes);
            }
        }
    }

    fn event(&mut self, id: RequestNumber, mut event: TokenEvent) {
        let Some(active) = self.active.as_ref().filter(|active| active.number == id) else { return };
        let last = match &mut event {
            TokenEvent::Finished(completion) => {
                completion.timings.queue_s = active.queue_s;
                self.restart.reset();
                true
            }
            TokenEvent::Failed(_) => true,
            _ => false,
        };
        active.outbox.push(event);
        if last {
            self.active = None;
            self.idle.used();
        }
    }

    /// The worker's process has ended.
    fn gone(&mut self, gone: Gone, expected: bool) {
        let why = self.why_gone(gone.how, gone.death);
        self.worker = None;
        self.shared.health.send_modify(|health| {
            health.pid = None;
            health.rss_bytes = None;
        });
        if !expected {
            tracing::warn!(message = errors::chain(&why), "model process stopped");
            self.lost(&why);
        }
    }

    /// The worker crashed or was given up: its answer ends, and the restart is planned.
    pub(super) fn lost(&mut self, error: &Error) {
        let answering = self.active.is_some();
        self.end_active(error);
        if self.trial.is_some() || (!answering && matches!(error, Error::WorkerOutOfMemory)) {
            // Opening the same model again at once would end the same way, and whoever tries it has others to try.
            self.fail(error.into());
            return;
        }
        match self.restart.crashed(Instant::now()) {
            Verdict::Again(delay) => self.retry_at = Some(Instant::now() + delay),
            Verdict::GiveUp => self.fail(error.into()),
        }
    }

    /// No model until somebody asks again; whoever waits is told.
    pub(super) fn fail(&mut self, error: GenerateError) {
        tracing::warn!(message = error.message, "no model");
        self.refuse_waiting(&error);
        self.trial_ended(Err(error.clone()));
        self.failed = Some(error);
        self.retry_at = None;
        self.dismiss();
    }

    pub(super) fn end_active(&mut self, error: &Error) {
        let Some(active) = self.active.take() else { return };
        active.outbox.push(match active.cancelled_at {
            // Nobody wants it any more: what became of the process is not this request's news.
            Some(_) => cancelled(active.queue_s, active.engine),
            None => TokenEvent::Failed(error.into()),
        });
    }

    pub(super) fn refuse_waiting(&self, error: &GenerateError) {
        for (_, waiting) in self.shared.admission().queue.drain() {
            waiting.outbox.push(TokenEvent::Failed(error.clone()));
        }
    }
}
