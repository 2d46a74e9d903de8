//! Models that play a script instead of computing: for tests, and for the development host's rare states.

use crate::host::{HostStatus, InstalledModel, ModelHost, Models};
use catalog::{Candidate, Device, FileStamp, MemoryNeed};
use errors::ErrorCode;
use generation::{
    Completion, EngineInfo, EngineKind, FinishReason, GenerateError, GenerateRequest, Generation, Generator, Timings,
    TokenEvent, Usage,
};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

/// What a scripted engine does next.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Reports so many requests ahead.
    Queued(usize),
    /// Begins.
    Started,
    /// Reports so many tokens read of so many.
    Prefill(usize, usize),
    /// Writes.
    Say(String),
    /// Lets time pass.
    Wait(Duration),
    /// Ends. A script without an end ends with `Stop`.
    Finish(FinishReason),
    /// Fails.
    Fail(GenerateError),
    /// Disappears without a word.
    BreakOff,
    /// Waits for ever, and does not even hear a cancellation.
    Hang,
}

type Script = dyn Fn(&GenerateRequest) -> Vec<Step> + Send + Sync;

/// Scripted models; a cheap clone of shared handles, so that a test keeps one to look at.
#[derive(Clone)]
pub struct ScriptedModels {
    inner: Arc<Inner>,
}

struct Inner {
    script: Box<Script>,
    installed: Mutex<Vec<InstalledModel>>,
    loading: Mutex<Loading>,
    requests: Mutex<Vec<GenerateRequest>>,
    opened: Mutex<Vec<(String, usize)>>,
    cancelled: AtomicUsize,
}

/// How opening a model goes.
#[derive(Debug, Clone, PartialEq)]
pub enum Loading {
    /// It takes so long.
    Takes(Duration),
    /// It fails.
    Fails(GenerateError),
    /// It never ends.
    Never,
}

impl ScriptedModels {
    /// The demo model alone, ready at once, answering what `script` makes of each request.
    pub fn new(script: impl Fn(&GenerateRequest) -> Vec<Step> + Send + Sync + 'static) -> Self {
        Self {
            inner: Arc::new(Inner {
                script: Box::new(script),
                installed: Mutex::new(vec![installed("demo", true)]),
                loading: Mutex::new(Loading::Takes(Duration::ZERO)),
                requests: Mutex::default(),
                opened: Mutex::default(),
                cancelled: AtomicUsize::new(0),
            }),
        }
    }

    /// Installs exactly the models of these ids; the one called `demo` is the demo model.
    pub fn install(&self, ids: &[&str]) {
        *lock(&self.inner.installed) = ids.iter().map(|id| installed(id, true)).collect();
    }

    /// Installs one more model, for which the memory does not suffice.
    pub fn install_too_large(&self, id: &str) {
        lock(&self.inner.installed).push(installed(id, false));
    }

    /// How the next opening goes.
    pub fn loading(&self, loading: Loading) {
        *lock(&self.inner.loading) = loading;
    }

    /// The requests so far.
    pub fn requests(&self) -> Vec<GenerateRequest> {
        lock(&self.inner.requests).clone()
    }

    /// The models opened so far, with their context lengths.
    pub fn opened(&self) -> Vec<(String, usize)> {
        lock(&self.inner.opened).clone()
    }

    /// How many generations were cancelled.
    pub fn cancelled(&self) -> usize {
        self.inner.cancelled.load(Ordering::SeqCst)
    }
}

impl Models for ScriptedModels {
    fn list(&self, _context_len: usize) -> Result<Vec<InstalledModel>, GenerateError> {
        Ok(lock(&self.inner.installed).clone())
    }

    fn open(&self, id: &str, context_len: usize) -> Result<Arc<dyn ModelHost>, GenerateError> {
        lock(&self.inner.opened).push((id.to_owned(), context_len));
        let status = watch::Sender::new(HostStatus::Loading);
        let engine = engine(id);
        let ready = HostStatus::Ready { engine: engine.clone(), context_len, load_seconds: 0.5 };
        match lock(&self.inner.loading).clone() {
            Loading::Takes(Duration::ZERO) => {
                status.send_replace(ready);
            }
            Loading::Takes(time) => {
                let status = status.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(time).await;
                    status.send_replace(ready);
                });
            }
            Loading::Fails(error) => {
                status.send_replace(HostStatus::Failed(error));
            }
            Loading::Never => {}
        }
        Ok(Arc::new(ScriptedHost { models: self.inner.clone(), status, engine }))
    }
}

struct ScriptedHost {
    models: Arc<Inner>,
    status: watch::Sender<HostStatus>,
    engine: EngineInfo,
}

impl ModelHost for ScriptedHost {
    fn status(&self) -> watch::Receiver<HostStatus> {
        self.status.subscribe()
    }
}

impl Generator for ScriptedHost {
    fn generate(&self, request: GenerateRequest) -> Result<Generation, GenerateError> {
        lock(&self.models.requests).push(request.clone());
        let steps = (self.models.script)(&request);
        if let Some(Step::Fail(error)) = steps.first() {
            return Err(error.clone());
        }
        let (sender, events) = mpsc::channel(64);
        let cancel = CancellationToken::new();
        let player = Player {
            models: self.models.clone(),
            engine: self.engine.clone(),
            events: sender,
            cancel: cancel.clone(),
            deaf: Arc::default(),
            tokens: 0,
        };
        let status = self.status.subscribe();
        tokio::spawn(player.play(steps, status));
        Ok(Generation::new(events, cancel))
    }
}

struct Player {
    models: Arc<Inner>,
    engine: EngineInfo,
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
                Step::Started => TokenEvent::Started { engine: self.engine.clone() },
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
                seed: 7,
            },
            timings: Timings { queue_s: 0.0, prefill_s: 0.25, ttft_s: 0.5, decode_s: 0.5 },
            token_ids: Vec::new(),
            engine: self.engine.clone(),
        }
    }
}

/// The failure that a full queue gives.
pub fn queue_full() -> GenerateError {
    GenerateError {
        code: ErrorCode::QueueFull,
        message: "32 questions are waiting already".to_owned(),
        hint: Some("Wait until one is answered.".to_owned()),
    }
}

/// The failure that a crashed worker gives.
pub fn worker_crashed() -> GenerateError {
    GenerateError {
        code: ErrorCode::WorkerCrashed,
        message: "the model's process stopped".to_owned(),
        hint: Some("Ask again; it was started anew.".to_owned()),
    }
}

fn engine(id: &str) -> EngineInfo {
    let kind = if id == "demo" { EngineKind::Demo } else { EngineKind::Local };
    EngineInfo { kind, model: format!("Scripted {id}"), device: "CPU".to_owned() }
}

fn installed(id: &str, fits: bool) -> InstalledModel {
    let demo = id == "demo";
    let weights = if demo { 8_000_000 } else { 2_000_000_000 };
    InstalledModel {
        candidate: Candidate {
            id: id.to_owned(),
            name: format!("Scripted {id}"),
            quantization: "Q4_0".to_owned(),
            qat: true,
            demo,
            effective_parameters: if demo { 3_000_000 } else { 2_000_000_000 },
            file: FileStamp { name: format!("{id}.gguf"), bytes: weights, modified: 0 },
            device: Device::Cpu,
            context_len: 4096,
            need: MemoryNeed { weights, kv_cache: 0, scratch: 0 },
            usable: if fits { weights } else { 0 },
            usable_at_most: weights,
        },
        file_bytes: weights,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
