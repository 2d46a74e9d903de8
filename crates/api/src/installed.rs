//! The models that are really installed, and the engine that opens them.

use crate::host::{HostStatus, InstalledModel, Later, ModelHost, Models};
use crate::installed_models;
use crate::places::Places;
use catalog::{Backends, Catalog, Device};
use engine::{DEFAULT_IDLE_AFTER, DeviceChoice, Engine, EngineOptions, ModelStatus, TrialReport, WorkerCommand};
use generation::{GenerateError, GenerateRequest, Generation, Generator};
use hardware::HardwareProfile;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// The models folder and the demo model, opened by one engine in a worker process.
pub struct InstalledModels {
    catalog: Catalog,
    worker: WorkerCommand,
    cache_dir: PathBuf,
    engine: Mutex<Started>,
}

/// The engine, once something was opened, and how long it keeps a model that nobody uses.
struct Started {
    engine: Option<Engine>,
    idle_after: Option<Duration>,
}

impl InstalledModels {
    /// The models at `places`; `worker` starts the process that holds the open one.
    pub fn new(places: &Places, worker: WorkerCommand) -> Self {
        Self {
            catalog: installed_models::catalog(places),
            worker,
            cache_dir: places.cache_dir(),
            engine: Mutex::new(Started { engine: None, idle_after: Some(DEFAULT_IDLE_AFTER) }),
        }
    }

    /// The engine with this model as its target; started at the first call.
    fn engine(&self, model: PathBuf, device: DeviceChoice, context_len: usize) -> Engine {
        let mut started = self.started();
        let idle_after = started.idle_after;
        match &started.engine {
            Some(engine) => {
                engine.set_context_len(context_len);
                engine.use_model_on(model, device);
                engine.clone()
            }
            None => started
                .engine
                .insert(Engine::start(EngineOptions {
                    worker: self.worker.clone(),
                    model: Some(model),
                    device,
                    context_len,
                    idle_after,
                    cache_dir: self.cache_dir.clone(),
                    ..EngineOptions::default()
                }))
                .clone(),
        }
    }

    fn started(&self) -> std::sync::MutexGuard<'_, Started> {
        self.engine.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Models for InstalledModels {
    fn list(&self, context_len: usize) -> Result<Vec<InstalledModel>, GenerateError> {
        let listing = self.catalog.list().map_err(|error| GenerateError::from_explain(&error))?;
        for file in &listing.unusable {
            tracing::warn!(file = %file.path.display(), error = %errors::chain(&file.error), "a model cannot be used");
        }
        let profile = HardwareProfile::probe();
        let backends = Backends::of_this_build();
        let models = listing.models.iter().filter_map(|model| {
            // The best device first; the processor is always there.
            let mut on_devices = model.candidates(&profile, context_len, backends).into_iter();
            let candidate = on_devices.next()?;
            Some(InstalledModel { candidate, others: on_devices.collect(), file_bytes: model.inspection.file_bytes })
        });
        Ok(models.collect())
    }

    fn open(&self, id: &str, device: &Device, context_len: usize) -> Result<Arc<dyn ModelHost>, GenerateError> {
        let model = self.catalog.find(id).map_err(|error| GenerateError::from_explain(&error))?;
        Ok(Arc::new(EngineHost::new(self.engine(model.path, on_engine(device), context_len))))
    }

    fn idle_after(&self, idle: Option<Duration>) {
        let mut started = self.started();
        started.idle_after = idle;
        if let Some(engine) = &started.engine {
            engine.set_idle_after(idle);
        }
    }

    fn release(&self) -> Later<'_, ()> {
        let engine = self.started().engine.clone();
        Box::pin(async move {
            if let Some(engine) = engine {
                engine.close_model().await;
            }
        })
    }

    fn close(&self) {
        // The last handle but those of answers that still end; with them the worker process goes.
        self.started().engine.take();
    }
}

/// The catalogue's device in the engine's words.
pub(crate) fn on_engine(device: &Device) -> DeviceChoice {
    match device {
        Device::Cpu => DeviceChoice::Cpu,
        Device::Gpu { .. } if Backends::of_this_build().cuda => DeviceChoice::Cuda,
        Device::Gpu { .. } => DeviceChoice::Metal,
    }
}

/// The engine while one model is its target.
struct EngineHost {
    engine: Engine,
    status: watch::Receiver<HostStatus>,
}

impl EngineHost {
    /// Translates the engine's states until nobody looks any more.
    fn new(engine: Engine) -> Self {
        let mut theirs = engine.status();
        let (ours, status) = watch::channel(translated(&theirs.borrow_and_update()));
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    changed = theirs.changed() => {
                        if changed.is_err() { break }
                        ours.send_replace(translated(&theirs.borrow_and_update()));
                    }
                    () = ours.closed() => break,
                }
            }
        });
        Self { engine, status }
    }
}

impl ModelHost for EngineHost {
    fn status(&self) -> watch::Receiver<HostStatus> {
        self.status.clone()
    }

    fn trial(&self) -> Later<'_, Result<TrialReport, GenerateError>> {
        Box::pin(self.engine.trial())
    }

    fn end_trial(&self) {
        self.engine.end_trial();
    }
}

impl Generator for EngineHost {
    fn generate(&self, request: GenerateRequest) -> Result<Generation, GenerateError> {
        self.engine.generate(request)
    }
}

fn translated(status: &ModelStatus) -> HostStatus {
    match status {
        // The engine has a target from the start, so the first cannot last.
        ModelStatus::Absent | ModelStatus::Loading { .. } => HostStatus::Loading,
        ModelStatus::Ready(facts) => HostStatus::Ready {
            engine: facts.engine.clone(),
            context_len: facts.context_len,
            load_seconds: facts.load_s,
            threads: facts.threads,
        },
        ModelStatus::Resting { facts, for_memory } => {
            HostStatus::Resting { engine: facts.engine.clone(), for_memory: *for_memory }
        }
        ModelStatus::Failed(error) => HostStatus::Failed(error.clone()),
    }
}
