//! Everything an engine is started with.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use generation::DEFAULT_CONTEXT_LEN;

use crate::{
    device::DeviceChoice, pressure::MemoryWatch, protocol::Choices, trial::TrialLimits, watchdog::Watchdog,
    worker_process::WorkerCommand,
};

/// How many requests may wait unless somebody chose otherwise.
pub const DEFAULT_QUEUE_LEN: usize = 32;
/// How long nobody may have asked before the model leaves the memory, unless somebody chose otherwise.
pub const DEFAULT_IDLE_AFTER: Duration = Duration::from_secs(600);

/// Where packed weights are kept, in the models folder and in the cache folder.
pub const PACKED_FOLDER: &str = "packed";

/// Everything an engine is started with.
#[derive(Debug, Clone)]
pub struct EngineOptions {
    /// How to start the worker process.
    pub worker: WorkerCommand,
    /// The GGUF file; `None` until one is installed.
    pub model: Option<PathBuf>,
    /// Where to compute.
    pub device: DeviceChoice,
    /// Most tokens of prompt and reply together.
    pub context_len: usize,
    /// Most requests that may wait; the one being answered does not count.
    pub queue_len: usize,
    /// Folder for files that make the next start faster; its name must be Unicode to be of use.
    pub cache_dir: PathBuf,
    /// The folder whose models are Aula's own: what is packed from them is kept beside them. What is packed from others is
    /// kept in the cache folder.
    pub models_dir: Option<PathBuf>,
    /// Whether tokens are guessed ahead. It changes the speed, never the text.
    pub speculate: bool,
    /// Whether recent conversations are kept ready on disk.
    pub keep_ready: bool,
    /// Whether fewer cores compute while the computer runs on its battery.
    pub battery_saver: bool,
    /// How the worker is watched.
    pub watchdog: Watchdog,
    /// After so long without a request the worker process ends, so that its memory is free; the next request starts it
    /// again. `None` keeps it.
    pub idle_after: Option<Duration>,
    /// How the computer's memory is watched; `None` does not watch it.
    pub memory: Option<MemoryWatch>,
    /// How long a trial may take.
    pub trial: TrialLimits,
}

impl Default for EngineOptions {
    /// This executable as the worker, no model yet.
    fn default() -> Self {
        Self {
            worker: WorkerCommand::current_exe(),
            model: None,
            device: DeviceChoice::Auto,
            context_len: DEFAULT_CONTEXT_LEN,
            queue_len: DEFAULT_QUEUE_LEN,
            cache_dir: std::env::temp_dir().join("aula-cache"),
            models_dir: None,
            speculate: true,
            keep_ready: false,
            battery_saver: false,
            watchdog: Watchdog::default(),
            idle_after: Some(DEFAULT_IDLE_AFTER),
            memory: Some(MemoryWatch::default()),
            trial: TrialLimits::default(),
        }
    }
}

impl EngineOptions {
    pub(crate) fn choices(&self) -> Choices {
        Choices { keep_ready: self.keep_ready, battery_saver: self.battery_saver }
    }

    /// Where packed weights of the model at `path` are looked for and written, in this order.
    pub(crate) fn packed_dirs(&self, path: &Path) -> Vec<PathBuf> {
        let managed = self.models_dir.as_deref().filter(|dir| path.starts_with(dir));
        let beside = managed.map(|dir| dir.join(PACKED_FOLDER));
        beside.into_iter().chain([self.cache_dir.join(PACKED_FOLDER)]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_models_get_company() {
        let options = EngineOptions {
            models_dir: Some("/data/models".into()),
            cache_dir: "/data/cache".into(),
            ..EngineOptions::default()
        };
        let packed = |path: &str| options.packed_dirs(Path::new(path));
        let both = ["/data/models/packed", "/data/cache/packed"].map(Path::new);
        assert_eq!(packed("/data/models/m.gguf"), both);
        assert_eq!(packed("/home/ana/m.gguf"), [Path::new("/data/cache/packed")]);
        let options = EngineOptions { models_dir: None, ..options };
        assert_eq!(options.packed_dirs(Path::new("/data/models/m.gguf")).len(), 1);
    }
}
