//! Models that play a script instead of computing: for tests, and for the development host's rare states.
//!
//! What an answer says is a list of [`Step`]s. Rare states of the model itself are set beside it:
//!
//! * [`ScriptedModels::install`] and [`ScriptedModels::install_too_large`]: which models there are,
//! * [`ScriptedModels::loading`]: how opening goes, from the next time on,
//! * [`ScriptedModels::trials`] and [`ScriptedModels::trial`]: how the trial of all models or of one goes; without them a
//!   model writes [`QUICK`] at once,
//! * [`Step::Rest`] as the last step of an answer, or [`ScriptedModels::rest`]: the model leaves the memory; the next
//!   question opens it again, which goes as [`ScriptedModels::loading`] says.

mod host;

use crate::host::{InstalledModel, Later, ModelHost, Models};
use catalog::{Candidate, Device, FileStamp, MemoryNeed};
use errors::ErrorCode;
use generation::{EngineInfo, EngineKind, FinishReason, GenerateError, GenerateRequest};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use host::{Host, ScriptedHost};

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
    /// Ends with `Stop`, and the model leaves the memory.
    Rest {
        /// Whether other programs needed the memory.
        for_memory: bool,
    },
}

/// Tokens a second of a trial that nobody wrote a script for.
pub const QUICK: f64 = 12.5;

/// How the trial of a model goes.
#[derive(Debug, Clone, PartialEq)]
pub enum Trying {
    /// It takes so long, or until somebody waits, and measures so many tokens a second.
    Measures(Duration, f64),
    /// It fails at once.
    Fails(GenerateError),
    /// It ends only when somebody waits, without having measured anything.
    Forever,
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
    loading_of: Mutex<HashMap<String, Loading>>,
    /// Of every model, and of some their own.
    trial: Mutex<Trying>,
    trials: Mutex<HashMap<String, Trying>>,
    tried: Mutex<Vec<String>>,
    released: AtomicUsize,
    idle_after: Mutex<Option<Duration>>,
    battery_saver: AtomicBool,
    keep_ready: AtomicBool,
    forgotten: Mutex<Vec<String>>,
    /// The state of the model opened last.
    open: Mutex<Option<Arc<Host>>>,
    requests: Mutex<Vec<GenerateRequest>>,
    opened: Mutex<Vec<(String, usize)>>,
    cancelled: AtomicUsize,
}

impl Inner {
    fn loading(&self, id: &str) -> Loading {
        let own = lock(&self.loading_of).get(id).cloned();
        own.unwrap_or_else(|| lock(&self.loading).clone())
    }

    fn trying(&self, id: &str) -> Trying {
        let own = lock(&self.trials).get(id).cloned();
        own.unwrap_or_else(|| lock(&self.trial).clone())
    }
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
                loading_of: Mutex::default(),
                trial: Mutex::new(Trying::Measures(Duration::ZERO, QUICK)),
                trials: Mutex::default(),
                tried: Mutex::default(),
                released: AtomicUsize::new(0),
                idle_after: Mutex::default(),
                battery_saver: AtomicBool::default(),
                keep_ready: AtomicBool::default(),
                forgotten: Mutex::default(),
                open: Mutex::default(),
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

    /// Installs one more model.
    pub fn install_also(&self, id: &str) {
        lock(&self.inner.installed).push(installed(id, true));
    }

    /// The model is no longer installed.
    pub fn uninstall(&self, id: &str) {
        lock(&self.inner.installed).retain(|model| model.candidate.id != id);
    }

    /// How the next opening goes.
    pub fn loading(&self, loading: Loading) {
        *lock(&self.inner.loading) = loading;
    }

    /// How opening the model `id` goes, whatever the others do.
    pub fn loading_of(&self, id: &str, loading: Loading) {
        lock(&self.inner.loading_of).insert(id.to_owned(), loading);
    }

    /// How large the model `id` counts as; of those that fit the largest is taken.
    pub fn effective_parameters(&self, id: &str, parameters: u64) {
        let mut installed = lock(&self.inner.installed);
        for model in installed.iter_mut().filter(|model| model.candidate.id == id) {
            model.candidate.effective_parameters = parameters;
        }
    }

    /// How the trial of every model goes that has no script of its own.
    pub fn trials(&self, trying: Trying) {
        *lock(&self.inner.trial) = trying;
    }

    /// How the trial of the model `id` goes.
    pub fn trial(&self, id: &str, trying: Trying) {
        lock(&self.inner.trials).insert(id.to_owned(), trying);
    }

    /// The model that is open leaves the memory.
    pub fn rest(&self, for_memory: bool) {
        if let Some(open) = &*lock(&self.inner.open) {
            open.rest(for_memory);
        }
    }

    /// The models whose trial was begun, in that order.
    pub fn tried(&self) -> Vec<String> {
        lock(&self.inner.tried).clone()
    }

    /// How often the open model was to be let go of.
    pub fn released(&self) -> usize {
        self.inner.released.load(Ordering::SeqCst)
    }

    /// After how long without a question a model is to leave the memory, as last said.
    pub fn idles_after(&self) -> Option<Duration> {
        *lock(&self.inner.idle_after)
    }

    /// Whether fewer cores are to compute on battery, and whether conversations are to be kept ready, as last said.
    pub fn saves_and_keeps(&self) -> (bool, bool) {
        (self.inner.battery_saver.load(Ordering::SeqCst), self.inner.keep_ready.load(Ordering::SeqCst))
    }

    /// The conversations of which nothing is to be kept, in the order in which that was said.
    pub fn forgotten(&self) -> Vec<String> {
        lock(&self.inner.forgotten).clone()
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
    fn list(&self, context_len: usize) -> Result<Vec<InstalledModel>, GenerateError> {
        let mut installed = lock(&self.inner.installed).clone();
        installed.iter_mut().for_each(|model| model.candidate.context_len = context_len);
        Ok(installed)
    }

    fn open(&self, id: &str, _device: &Device, context_len: usize) -> Result<Arc<dyn ModelHost>, GenerateError> {
        lock(&self.inner.opened).push((id.to_owned(), context_len));
        let host = Host::new(engine(id), context_len);
        host.load(self.inner.loading(id));
        *lock(&self.inner.open) = Some(Arc::clone(&host));
        Ok(Arc::new(ScriptedHost { models: self.inner.clone(), id: id.to_owned(), host }))
    }

    fn idle_after(&self, idle: Option<Duration>) {
        *lock(&self.inner.idle_after) = idle;
    }

    fn battery_saver(&self, on: bool) {
        self.inner.battery_saver.store(on, Ordering::SeqCst);
    }

    fn keep_ready(&self, on: bool) {
        self.inner.keep_ready.store(on, Ordering::SeqCst);
    }

    fn forget(&self, id: &str) {
        lock(&self.inner.forgotten).push(id.to_owned());
    }

    fn release(&self) -> Later<'_, ()> {
        self.inner.released.fetch_add(1, Ordering::SeqCst);
        lock(&self.inner.open).take();
        Box::pin(async {})
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

/// The failure that short memory gives.
pub fn out_of_memory() -> GenerateError {
    GenerateError {
        code: ErrorCode::OutOfMemory,
        message: "the memory does not suffice for the model".to_owned(),
        hint: Some("Close other apps or choose a smaller model in Settings.".to_owned()),
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
        others: Vec::new(),
        file_bytes: weights,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
