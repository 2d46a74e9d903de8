//! Choosing, opening and trying, round by round.

use super::{OpenModel, Slot};
use crate::App;
use crate::convert;
use crate::dto::Settings;
use crate::failure::{Refusal, Reply};
use crate::host::{HostStatus, InstalledModel, ModelHost};
use crate::settings;
use catalog::{Candidate, Choice, Outcome, Trials};
use errors::ErrorCode;
use generation::GenerateError;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Each round rules one candidate out; a computer has a handful of models and two or three devices.
const MOST_ROUNDS: usize = 12;

/// What one attempt chooses from. It stays the same through all its rounds: while a model is open, less memory is free.
struct Candidates {
    all: Vec<Candidate>,
    preferred: Option<String>,
}

impl App {
    /// The id of the model that is open or being opened.
    pub(crate) fn active_model(&self) -> Option<String> {
        match &*self.opening().slot.borrow() {
            Slot::Open(open) | Slot::Trying(open) => Some(open.id().to_owned()),
            _ => None,
        }
    }

    /// The models of this computer.
    pub(crate) async fn installed(&self, context_len: u32) -> Reply<Vec<InstalledModel>> {
        Ok(self.list_models(context_len, self.open_model()).await?)
    }

    /// The model that holds memory now.
    fn open_model(&self) -> Option<OpenModel> {
        match &*self.opening().slot.borrow() {
            Slot::Open(open) | Slot::Trying(open) => {
                matches!(*open.host.status().borrow(), HostStatus::Ready { .. }).then(|| open.clone())
            }
            _ => None,
        }
    }

    /// Passes on what a person chose about models, whichever is open. A rest after 0 minutes is none.
    pub(crate) fn apply_to_models(&self, settings: &Settings) {
        let minutes = settings.idle_unload_minutes;
        let idle = (minutes > 0).then(|| Duration::from_secs(u64::from(minutes) * 60));
        let models = &self.opening().models;
        models.idle_after(idle);
        models.battery_saver(settings.battery_saver);
        models.keep_ready(settings.keep_ready);
    }

    /// Nothing is kept ready of the conversation `id` any more.
    pub(crate) fn forget_kept(&self, id: &str) {
        self.opening().models.forget(id);
    }

    /// Chooses a model by the settings and begins to open it; returns as soon as it is chosen. Answers that the model
    /// before was writing are stopped.
    pub(crate) async fn reopen_model(&self) {
        let Some(mut attempt) = self.opening().may_open().await else { return };
        begin_anew(&mut attempt);
        let before = self.open_model();
        self.opening().set(Slot::Choosing);
        // Now and not later: questions that come from here on are for the model that is chosen.
        self.cancel_all();
        let candidates = self.candidates(before).await;
        self.choose_and_open(candidates, &attempt);
    }

    /// Looks at the models folder again, after a model was put in or removed. If the choice is another now, that model is
    /// opened; the answer being written is finished first. Otherwise nothing changes.
    pub(crate) async fn rescan_models(&self) {
        let Some(mut attempt) = self.opening().may_open().await else { return };
        let candidates = self.candidates(self.open_model()).await;
        let slot = self.opening().slot.borrow().clone();
        if let (Slot::Open(open), Ok(candidates)) = (&slot, &candidates) {
            let choice = candidates.choose(&self.opening().trials());
            if choice.candidate.as_ref().is_some_and(|chosen| open.is(chosen)) {
                return;
            }
        }
        begin_anew(&mut attempt);
        self.choose_and_open(candidates, &attempt);
    }

    /// Closes the model `id` if it is the one that is open, and returns when its process is gone, so that its file can be
    /// deleted. Answers that it was writing are stopped. Questions wait until [`App::rescan_models`] is called, which
    /// must follow in any case.
    pub(crate) async fn unload_for(&self, id: &str) {
        let Some(mut attempt) = self.opening().may_open().await else { return };
        if self.active_model().as_deref() != Some(id) {
            return;
        }
        begin_anew(&mut attempt);
        self.opening().set(Slot::Choosing);
        self.cancel_all();
        self.opening().models.release().await;
    }

    /// All models; what `open` holds counts as free, because it goes before another comes.
    async fn list_models(
        &self,
        context_len: u32,
        open: Option<OpenModel>,
    ) -> Result<Vec<InstalledModel>, GenerateError> {
        let models = Arc::clone(&self.opening().models);
        let mut listed = tokio::task::spawn_blocking(move || models.list(context_len as usize))
            .await
            .unwrap_or_else(|_| Err(Refusal::TaskDied { what: "looking at the models" }.into()))?;
        if let Some(open) = open {
            let all =
                listed.iter_mut().flat_map(|model| std::iter::once(&mut model.candidate).chain(&mut model.others));
            all.for_each(|candidate| give_back(candidate, &open.candidate));
        }
        Ok(listed)
    }

    async fn candidates(&self, open: Option<OpenModel>) -> Result<Candidates, GenerateError> {
        // Settings that cannot be read do not keep the tutor from answering.
        let settings = settings::load(self).await.unwrap_or_else(|_| settings::defaults(self.locale()));
        self.apply_to_models(&settings);
        let models = self.list_models(settings.context_len, open).await?;
        let all = models.into_iter().flat_map(|model| std::iter::once(model.candidate).chain(model.others)).collect();
        Ok(Candidates { all, preferred: settings.model_id })
    }

    fn choose_and_open(&self, candidates: Result<Candidates, GenerateError>, attempt: &CancellationToken) {
        let candidates = match candidates {
            Ok(candidates) => candidates,
            Err(error) => return self.opening().set(Slot::Failed(error)),
        };
        let choice = candidates.choose(&self.opening().trials());
        if let Some(open) = self.open(&choice) {
            let (app, attempt) = (self.clone(), attempt.clone());
            tokio::spawn(async move {
                // A model that is being replaced, or an app that closes, has nothing left to try.
                let _ = attempt.run_until_cancelled(app.settle(candidates, open, &attempt)).await;
            });
        }
    }

    /// Begins to open what was chosen. Returns it if it must still prove itself.
    fn open(&self, choice: &Choice) -> Option<OpenModel> {
        let opening = self.opening();
        let Some(chosen) = &choice.candidate else {
            opening.set(Slot::Empty);
            return None;
        };
        tracing::info!(
            model = chosen.id,
            device = chosen.device.name(),
            reason = choice.reason.sentence(),
            "model chosen"
        );
        match opening.models.open(&chosen.id, &chosen.device, chosen.context_len) {
            Ok(host) => {
                let open = OpenModel {
                    host,
                    candidate: Arc::new(chosen.clone()),
                    untried: choice.needs_trial && !chosen.demo,
                    choice: Arc::new(convert::choice(choice, chosen, &opening.trials())),
                };
                self.follow(&open.host);
                // Nothing comes after the demo model.
                opening.set(if chosen.demo { Slot::Open(open.clone()) } else { Slot::Trying(open.clone()) });
                (!chosen.demo).then_some(open)
            }
            Err(error) => {
                opening.set(Slot::Failed(error));
                None
            }
        }
    }

    /// Opens one candidate after the other until one does; each outcome is remembered and takes part in the next choice.
    async fn settle(&self, candidates: Candidates, mut open: OpenModel, attempt: &CancellationToken) {
        let opening = self.opening();
        for _ in 0..MOST_ROUNDS {
            let outcome = self.confirm(&open).await;
            let _one_at_a_time = opening.attempt.lock().await;
            if attempt.is_cancelled() {
                return;
            }
            let Some(outcome) = outcome else { break };
            tracing::info!(model = open.id(), outcome = outcome.sentence(), "the trial has ended");
            self.remember(&open.candidate, outcome).await;
            let trials = opening.trials();
            let choice = candidates.choose(&trials);
            if let Some(chosen) = choice.candidate.as_ref().filter(|chosen| open.is(chosen)) {
                open.choice = Arc::new(convert::choice(&choice, chosen, &trials));
                break;
            }
            match self.open(&choice) {
                Some(next) => open = next,
                None => return,
            }
        }
        // Also after the last round: slow answers are better than none.
        opening.set(Slot::Open(open));
    }

    /// Waits until the model is open, and tries it if it never was. `None` if nothing is to be remembered.
    async fn confirm(&self, open: &OpenModel) -> Option<Outcome> {
        let mut states = open.host.status();
        let error = if open.untried {
            match self.try_out(open).await {
                Ok(rate) => return rate.map(Outcome::measured),
                Err(error) => error,
            }
        } else {
            let opened = states.wait_for(|state| !matches!(state, HostStatus::Loading)).await;
            match opened.map(|state| state.clone()) {
                Ok(HostStatus::Failed(error)) => error,
                _ => return None,
            }
        };
        let opened = matches!(*states.borrow(), HostStatus::Ready { .. });
        match error.code {
            ErrorCode::OutOfMemory => Some(Outcome::OutOfMemory),
            // The program could not start its own process: no other model would fare better.
            ErrorCode::Internal | ErrorCode::Io if !opened => None,
            _ => Some(Outcome::Failed { message: error.message }),
        }
    }

    /// Tokens a second; none if the trial was ended before it could say anything.
    async fn try_out(&self, open: &OpenModel) -> Result<Option<f64>, GenerateError> {
        let mut waiting = self.opening().waiting.subscribe();
        let somebody_waits = async { _ = waiting.wait_for(|n| *n > 0).await.is_ok() };
        let mut trial = std::pin::pin!(open.host.trial());
        let report = tokio::select! {
            report = &mut trial => report,
            () = somebody_waits => {
                open.host.end_trial();
                trial.await
            }
        };
        Ok(report?.decode_tokens_per_second.filter(|rate| rate.is_finite() && *rate > 0.0))
    }

    async fn remember(&self, candidate: &Arc<Candidate>, outcome: Outcome) {
        let (trials, candidate) = (Arc::clone(&self.opening().trials), Arc::clone(candidate));
        let written = tokio::task::spawn_blocking(move || {
            trials.lock().unwrap_or_else(PoisonError::into_inner).record(&candidate, outcome)
        });
        if let Ok(Err(error)) = written.await {
            tracing::warn!(error = errors::chain(&error), "a trial is remembered only until the program ends");
        }
    }

    /// Tells the page of every change of `host` until it is replaced.
    fn follow(&self, host: &Arc<dyn ModelHost>) {
        let mut states = host.status();
        let host = Arc::downgrade(host);
        let app = self.downgrade();
        tokio::spawn(async move {
            while states.changed().await.is_ok() {
                let (Some(app), Some(host)) = (app.upgrade(), host.upgrade()) else { break };
                let current = matches!(
                    &*app.opening().slot.borrow(),
                    Slot::Open(open) | Slot::Trying(open) if Arc::ptr_eq(&open.host, &host)
                );
                // Not yet in its place, or replaced: either way it is the slot's change that tells.
                if current {
                    app.opening().publish();
                }
            }
        });
    }
}

impl Candidates {
    fn choose(&self, trials: &Trials) -> Choice {
        catalog::choose(&self.all, self.preferred.as_deref(), trials)
    }
}

/// Ends the attempt under way and begins another.
fn begin_anew(attempt: &mut CancellationToken) {
    attempt.cancel();
    *attempt = CancellationToken::new();
}

/// Counts what the open model itself holds as usable for `candidate`, which would take its place. Linux counts mapped
/// weights as available already.
fn give_back(candidate: &mut Candidate, open: &Candidate) {
    if candidate.device != open.device {
        return;
    }
    let mapped = cfg!(target_os = "linux") && !open.device.is_gpu();
    let held = open.need.total() - if mapped { open.need.weights } else { 0 };
    candidate.usable = candidate.usable.saturating_add(held).min(candidate.usable_at_most.max(candidate.usable));
}
