//! A model that nobody uses leaves the memory: after a while, or when other programs need it.

use tokio::time::Instant;

use super::{Phase, Supervisor, Worker};
use crate::{engine::Target, pressure::Pressure, protocol::ModelFacts};

/// A model that left the memory.
pub(super) struct Resting {
    pub(super) target: Target,
    pub(super) facts: Box<ModelFacts>,
    pub(super) for_memory: bool,
}

/// Since when nobody uses the model, and what was seen of the computer's memory.
pub(super) struct Idle {
    /// Of the last request, answer, trial or opening.
    since: Instant,
    opened_at: Instant,
    pressure: Pressure,
}

impl Idle {
    pub(super) fn new(now: Instant) -> Self {
        Self { since: now, opened_at: now, pressure: Pressure::default() }
    }

    /// Somebody uses the model.
    pub(super) fn used(&mut self) {
        self.since = Instant::now();
    }

    /// A model was opened.
    pub(super) fn opened(&mut self) {
        self.used();
        self.opened_at = self.since;
    }
}

impl Supervisor {
    /// Ends the worker if nobody has used it for long enough, or if other programs need its memory. Only an idle worker:
    /// never one that loads, is tried or writes, and never while somebody waits.
    pub(super) fn rest_if_idle(&mut self, now: Instant) {
        let Some(Worker { phase: Phase::Open { target, facts }, .. }) = &self.worker else { return };
        let idle = self.active.is_none() && self.trial.is_none() && self.shared.admission().queue.is_empty();
        if !idle || *target != *self.shared.target() {
            return;
        }
        let long_enough = self.options.idle_after.is_some_and(|limit| now.duration_since(self.idle.since) >= limit);
        let for_memory = match &self.options.memory {
            Some(watch) if !long_enough => self.idle.pressure.should_leave(watch, self.idle.opened_at, now),
            _ => false,
        };
        if long_enough || for_memory {
            tracing::info!(for_memory, "the model leaves the memory until somebody asks");
            self.resting = Some(Resting { target: target.clone(), facts: facts.clone(), for_memory });
            self.dismiss();
        }
    }

    /// Ends the rest if somebody asks, wants a trial, or wants another model.
    pub(super) fn wake_if_wanted(&mut self, target: &Target) {
        let Some(resting) = &self.resting else { return };
        if resting.target != *target || self.trial.is_some() || !self.shared.admission().queue.is_empty() {
            self.resting = None;
        }
    }
}
