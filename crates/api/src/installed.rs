//! The models that are really installed, and the engine that opens them.

use crate::host::{HostStatus, InstalledModel, Later, ModelHost, Models};
use crate::installed_models;
use crate::places::Places;
use catalog::{Backends, Catalog, Device};
use engine::{DEFAULT_IDLE_AFTER, DeviceChoice, Engine, EngineOptions, ModelStatus, TrialReport, WorkerCommand};
use generation::{GenerateError, GenerateRequest, Generation, Generator};
use hardware::HardwareProfile;
use hardware::gpu::{Gpu, Source};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// The models folder and the demo model, opened by one engine in a worker process.
pub struct InstalledModels {
    catalog: Catalog,
    worker: WorkerCommand,
    cache_dir: PathBuf,
    models_dir: PathBuf,
    engine: Mutex<Started>,
}

/// The engine, once something was opened, and how long it keeps a model that nobody uses.
struct Started {
    engine: Option<Engine>,
    idle_after: Option<Duration>,
    battery_saver: bool,
    keep_ready: bool,
    /// The cards as they were counted when models were listed last.
    gpus: Vec<Gpu>,
}

impl InstalledModels {
    /// The models at `places`; `worker` starts the process that holds the open one.
    pub fn new(places: &Places, worker: WorkerCommand) -> Self {
        Self {
            catalog: installed_models::catalog(places),
            worker,
            cache_dir: places.cache_dir(),
            models_dir: places.models_dir(),
            engine: Mutex::new(Started {
                engine: None,
                idle_after: Some(DEFAULT_IDLE_AFTER),
                battery_saver: false,
                keep_ready: false,
                gpus: Vec::new(),
            }),
        }
    }

    /// The engine with this model as its target; started at the first call.
    fn engine(&self, model: PathBuf, device: DeviceChoice, context_len: usize) -> Engine {
        let mut started = self.started();
        let (idle_after, battery_saver, keep_ready) = (started.idle_after, started.battery_saver, started.keep_ready);
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
                    battery_saver,
                    keep_ready,
                    cache_dir: self.cache_dir.clone(),
                    models_dir: Some(self.models_dir.clone()),
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
        let models = models.collect();
        self.started().gpus = profile.gpus;
        Ok(models)
    }

    fn open(&self, id: &str, device: &Device, context_len: usize) -> Result<Arc<dyn ModelHost>, GenerateError> {
        let model = self.catalog.find(id).map_err(|error| GenerateError::from_explain(&error))?;
        let device = on_engine(device, &self.started().gpus);
        Ok(Arc::new(EngineHost::new(self.engine(model.path, device, context_len))))
    }

    fn idle_after(&self, idle: Option<Duration>) {
        let mut started = self.started();
        started.idle_after = idle;
        if let Some(engine) = &started.engine {
            engine.set_idle_after(idle);
        }
    }

    fn battery_saver(&self, on: bool) {
        let mut started = self.started();
        started.battery_saver = on;
        if let Some(engine) = &started.engine {
            engine.set_battery_saver(on);
        }
    }

    fn keep_ready(&self, on: bool) {
        let mut started = self.started();
        started.keep_ready = on;
        match &started.engine {
            Some(engine) => engine.set_keep_ready(on),
            None if !on => engine::remove_kept(&self.cache_dir, None),
            None => {}
        }
    }

    fn forget(&self, id: &str) {
        match &self.started().engine {
            Some(engine) => engine.forget_conversation(id),
            None => engine::remove_kept(&self.cache_dir, Some(id)),
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

/// The catalogue's device in the engine's words; `gpus` are the cards among which the catalogue counts.
pub(crate) fn on_engine(device: &Device, gpus: &[Gpu]) -> DeviceChoice {
    match device {
        Device::Cpu => DeviceChoice::Cpu,
        Device::Gpu { index, .. } if Backends::of_this_build().cuda => DeviceChoice::CudaCard(cuda_card(gpus, *index)),
        Device::Gpu { .. } => DeviceChoice::Metal,
    }
}

/// The place of the card `index` among those that NVIDIA's driver serves, in the order of the bus. CUDA sees no others,
/// and workers count like this. The first one where the bus is not known.
fn cuda_card(gpus: &[Gpu], index: usize) -> usize {
    let place = |gpu: &Gpu| {
        let bus = gpu.pci_bus.clone().filter(|_| gpu.source == Source::Nvml)?;
        // Numbers of one length compare like text; a long one is a high one.
        Some((bus.len(), bus))
    };
    let Some(ours) = gpus.get(index).and_then(place) else { return 0 };
    gpus.iter().filter_map(place).filter(|other| *other < ours).count()
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

#[cfg(test)]
mod tests {
    use super::*;
    use hardware::gpu::{GpuKind, GpuMemory, Vendor};

    fn gpu(source: Source, bus: Option<&str>) -> Gpu {
        Gpu {
            name: "a card".to_owned(),
            vendor: Vendor::Nvidia,
            kind: GpuKind::Discrete,
            pci_id: None,
            pci_bus: bus.map(str::to_owned),
            driver: None,
            memory: GpuMemory::Unknown,
            compute_capability: None,
            source,
        }
    }

    #[test]
    fn workers_count_cards_by_their_places_on_the_bus() {
        let gpus = [
            gpu(Source::Vulkan, Some("0000:00:02.0")),
            gpu(Source::Nvml, Some("0000:41:00.0")),
            gpu(Source::Nvml, Some("0000:0a:00.0")),
            gpu(Source::Nvml, Some("10000:01:00.0")),
            gpu(Source::Nvml, None),
        ];
        let places: Vec<_> = (0..=gpus.len()).map(|index| cuda_card(&gpus, index)).collect();
        assert_eq!(places, [0, 1, 0, 2, 0, 0]);
    }
}
