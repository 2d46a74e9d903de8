//! A scripted model that was opened: it loads, is tried, plays the steps of its answers, and rests.

use super::{Inner, Loading, Step, Trying, lock};
use crate::host::{HostStatus, Later, ModelHost};
use engine::TrialReport;
use generation::{
    Completion, EngineInfo, FinishReason, GenerateError, GenerateRequest, Generation, Generator, Timings, TokenEvent,
    Usage,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, watch};
use tokio_util::sync::CancellationToken;

/// A model that was opened.
pub(super) struct Host {
    status: watch::Sender<HostStatus>,
    engine: EngineInfo,
    context_len: usize,
    /// Somebody waits for the end of the trial.
    hurry: Notify,
}

impl Host {
    pub(super) fn new(engine: EngineInfo, context_len: usize) -> Arc<Self> {
        let status = watch::Sender::new(HostStatus::Loading);
        Arc::new(Self { status, engine, context_len, hurry: Notify::new() })
    }

    pub(super) fn load(self: &Arc<Self>, how: Loading) {
        let ready = HostStatus::Ready {
            engine: self.engine.clone(),
            context_len: self.context_len,
            load_seconds: 0.5,
            threads: 4,
        };
        match how {
            Loading::Takes(Duration::ZERO) => {
                self.status.send_replace(ready);
            }
            Loading::Takes(time) => {
                let host = Arc::clone(self);
                tokio::spawn(async move {
                    tokio::time::sleep(time).await;
                    host.status.send_replace(ready);
                });
            }
            Loading::Fails(error) => {
                self.status.send_replace(HostStatus::Failed(error));
            }
            Loading::Never => {}
        }
    }

    pub(super) fn rest(&self, for_memory: bool) {
        self.status.send_replace(HostStatus::Resting { engine: self.engine.clone(), for_memory });
    }
}

/// One opening of a model, as the app holds it.
pub(super) struct ScriptedHost {
    pub(super) models: Arc<Inner>,
    pub(super) id: String,
    pub(super) host: Arc<Host>,
}

impl ModelHost for ScriptedHost {
    fn status(&self) -> watch::Receiver<HostStatus> {
        self.host.status.subscribe()
    }

    fn trial(&self) -> Later<'_, Result<TrialReport, GenerateError>> {
        Box::pin(async move {
            let mut status = self.host.status.subscribe();
            let opened =
                status.wait_for(|state| !matches!(state, HostStatus::Loading)).await.map(|state| state.clone());
            if let Ok(HostStatus::Failed(error)) = opened {
                return Err(error);
            }
            lock(&self.models.tried).push(self.id.clone());
            let hurried = self.host.hurry.notified();
            match self.models.trying(&self.id) {
                Trying::Measures(time, rate) => {
                    let ended_early = tokio::time::timeout(time, hurried).await.is_ok();
                    Ok(TrialReport { decode_tokens_per_second: Some(rate), ended_early, ..TrialReport::default() })
                }
                Trying::Fails(error) => Err(error),
                Trying::Forever => {
                    hurried.await;
                    Ok(TrialReport { ended_early: true, ..TrialReport::default() })
                }
            }
        })
    }

    fn end_trial(&self) {
        // Kept for a trial that has not begun yet.
        self.host.hurry.notify_one();
    }
}

impl Generator for ScriptedHost {
    fn generate(&self, request: GenerateRequest) -> Result<Generation, GenerateError> {
        lock(&self.models.requests).push(request.clone());
        if matches!(*self.host.status.borrow(), HostStatus::Resting { .. }) {
            self.host.status.send_replace(HostStatus::Loading);
            self.host.load(self.models.loading(&self.id));
        }
        let steps = (self.models.script)(&request);
        if let Some(Step::Fail(error)) = steps.first() {
            return Err(error.clone());
        }
        let (sender, events) = mpsc::channel(64);
        let cancel = CancellationToken::new();
        let player = Player {
            models: self.models.clone(),
            host: Arc::clone(&self.host),
            events: sender,
            cancel: cancel.clone(),
            deaf: Arc::default(),
            tokens: 0,
        };
        let status = self.host.status.subscribe();
        tokio::spawn(player.play(steps, status));
        Ok(Generation::new(events, cancel))
    }
}

struct Player {
    models: Arc<Inner>,
    host: Arc<Host>,
    events: mpsc::Sender<TokenEvent>,
    cancel: CancellationToken,
    /// It hangs and does not hear a cancellation.
    deaf: Arc<AtomicBool>,
    tokens: usize,
}

impl Player {
    async fn play(mut self, steps: Vec<Step>, mut status: watch::Receiver<HostStatus>) {
        let cancel = self.cancel.clone();
        let deaf = Arc::clone(&self.deaf);
        let played = async {
            // A request admitted while the model is opened waits for it, as in the real engine.
            let state = status.wait_for(|state| !matches!(state, HostStatus::Loading)).await.map(|state| state.clone());
            if let Ok(HostStatus::Failed(error)) = state {
                let _ = self.events.send(TokenEvent::Failed(error)).await;
                return;
            }
            self.steps(steps).await;
        };
        tokio::select! {
            () = played => {}
            () = async {
                cancel.cancelled().await;
                if deaf.load(Ordering::SeqCst) {
                    std::future::pending::<()>().await;
                }
            } => {
                self.models.cancelled.fetch_add(1, Ordering::SeqCst);
                let end = self.completion(FinishReason::Cancelled);
                let _ = self.events.send(TokenEvent::Finished(end)).await;
            }
        }
    }

    async fn steps(&mut self, steps: Vec<Step>) {
        for step in steps {
            let event = match step {
                Step::Queued(position) => TokenEvent::Queued { position },
                Step::Started => TokenEvent::Started { engine: self.host.engine.clone() },
                Step::Prefill(done, total) => TokenEvent::Prefill { done, total },
                Step::Say(text) => {
                    self.tokens += 1;
                    TokenEvent::Token { text }
                }
                Step::Wait(time) => {
                    tokio::time::sleep(time).await;
                    continue;
                }
                Step::Finish(reason) => {
                    let end = self.completion(reason);
                    let _ = self.events.send(TokenEvent::Finished(end)).await;
                    return;
                }
                Step::Fail(error) => {
                    let _ = self.events.send(TokenEvent::Failed(error)).await;
                    return;
                }
                Step::BreakOff => return,
                Step::Rest { for_memory } => {
                    let end = self.completion(FinishReason::Stop);
                    let _ = self.events.send(TokenEvent::Finished(end)).await;
                    self.host.rest(for_memory);
                    return;
                }
                Step::Hang => {
                    self.deaf.store(true, Ordering::SeqCst);
                    std::future::pending().await
                }
            };
            if self.events.send(event).await.is_err() {
                return;
            }
        }
        let end = self.completion(FinishReason::Stop);
        let _ = self.events.send(TokenEvent::Finished(end)).await;
    }

    fn completion(&self, finish_reason: FinishReason) -> Completion {
        Completion {
            finish_reason,
            usage: Usage {
                prompt_tokens: 12,
                reused_tokens: 2,
                prefilled_tokens: 10,
                completion_tokens: self.tokens,
                drafted_tokens: 0,
                accepted_tokens: 0,
                forced_tokens: 0,
                seed: 7,
            },
            timings: Timings { queue_s: 0.0, prefill_s: 0.25, ttft_s: 0.5, decode_s: 0.5 },
            token_ids: Vec::new(),
            engine: self.host.engine.clone(),
        }
    }
}
