//! The models that are really installed, and the engine that opens them.

use crate::host::{HostStatus, InstalledModel, ModelHost, Models};
use crate::installed_models;
use crate::places::Places;
use catalog::Catalog;
use engine::{DeviceChoice, Engine, EngineOptions, ModelStatus, WorkerCommand};
use generation::{GenerateError, GenerateRequest, Generation, Generator};
use hardware::HardwareProfile;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// The models folder and the demo model, opened by one engine in a worker process.
pub struct InstalledModels {
    catalog: Catalog,
    worker: WorkerCommand,
    cache_dir: PathBuf,
    engine: Mutex<Option<Engine>>,
}

impl InstalledModels {
    /// The models at `places`; `worker` starts the process that holds the open one.
    pub fn new(places: &Places, worker: WorkerCommand) -> Self {
        Self {
            catalog: installed_models::catalog(places),
            worker,
            cache_dir: places.cache_dir(),
            engine: Mutex::new(None),
        }
    }

    /// The engine with this model as its target; started at the first call.
    fn engine(&self, model: PathBuf, context_len: usize) -> Engine {
        let mut engine = self.engine.lock().unwrap_or_else(PoisonError::into_inner);
        match &*engine {
            Some(engine) => {
                engine.set_context_len(context_len);
                engine.use_model(Some(model));
                engine.clone()
            }
            None => engine
                .insert(Engine::start(EngineOptions {
                    worker: self.worker.clone(),
                    model: Some(model),
                    device: DeviceChoice::Auto,
                    context_len,
                    cache_dir: self.cache_dir.clone(),
                    ..EngineOptions::default()
                }))
                .clone(),
        }
    }
}

impl Models for InstalledModels {
    fn list(&self, context_len: usize) -> Result<Vec<InstalledModel>, GenerateError> {
        let listing = self.catalog.list().map_err(|error| GenerateError::from_explain(&error))?;
        for file in &listing.unusable {
            tracing::warn!(file = %file.path.display(), error = %errors::chain(&file.error), "a model cannot be used");
        }
        let profile = HardwareProfile::probe();
        let models = listing.models.iter().map(|model| InstalledModel {
            candidate: model.candidate(&profile, context_len),
            file_bytes: model.inspection.file_bytes,
        });
        Ok(models.collect())
    }

    fn open(&self, id: &str, context_len: usize) -> Result<Arc<dyn ModelHost>, GenerateError> {
        let model = self.catalog.find(id).map_err(|error| GenerateError::from_explain(&error))?;
        Ok(Arc::new(EngineHost::new(self.engine(model.path, context_len))))
    }

    fn close(&self) {
        // The last handle but those of answers that still end; with them the worker process goes.
        self.engine.lock().unwrap_or_else(PoisonError::into_inner).take();
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
        },
        ModelStatus::Failed(error) => HostStatus::Failed(error.clone()),
    }
}
