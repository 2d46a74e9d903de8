//! The tutor in a terminal: one model, opened for the life of one command.

use std::path::{Path, PathBuf};

use catalog::Device;
use engine::{Engine, EngineOptions, ModelStatus};
use tutor::Language;

pub use engine::{DeviceChoice, ModelFacts};
pub use generation::{
    Completion, EngineInfo, EngineKind, FinishReason, GenerateError, GenerateRequest, Generation, Generator, Message,
    Role, Sampling, TokenEvent, Usage,
};

use crate::doctor::Circumstances;
use crate::dto;
use crate::installed::on_engine;
use crate::installed_models::{self, catalog};
use crate::places::Places;

/// What answers, and how much fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TerminalOptions {
    /// The GGUF file.
    pub model: PathBuf,
    /// Where to compute.
    pub device: DeviceChoice,
    /// Most tokens of prompt and reply together.
    pub context_len: usize,
}

/// A model in its own process, for one terminal. End it with [`Terminal::close`].
#[derive(Debug)]
pub struct Terminal {
    engine: Engine,
}

impl Terminal {
    /// Begins to open the model; returns at once.
    pub fn open(options: &TerminalOptions, places: &Places) -> Self {
        let engine = Engine::start(EngineOptions {
            model: Some(options.model.clone()),
            device: options.device,
            context_len: options.context_len,
            cache_dir: places.cache_dir(),
            models_dir: Some(places.models_dir()),
            ..EngineOptions::default()
        });
        Self { engine }
    }

    /// Waits until the model answers, and tells what it is.
    ///
    /// # Errors
    /// If it could not be opened.
    pub async fn ready(&self) -> Result<ModelFacts, GenerateError> {
        let mut status = self.engine.status();
        let settled = status.wait_for(|now| !matches!(now, ModelStatus::Loading { .. })).await;
        match settled.map(|now| now.clone()) {
            Ok(ModelStatus::Ready(facts)) => Ok(facts),
            Ok(ModelStatus::Resting { facts, .. }) => Ok(*facts),
            Ok(ModelStatus::Failed(error)) => Err(error),
            Ok(ModelStatus::Absent | ModelStatus::Loading { .. }) => {
                Err(GenerateError::from(engine::Error::ModelMissing))
            }
            Err(_) => Err(GenerateError::from(engine::Error::ShuttingDown)),
        }
    }

    /// Begins an answer; see [`Generation`].
    ///
    /// # Errors
    /// If the request contradicts itself or a limit.
    pub fn generate(&self, request: GenerateRequest) -> Result<Generation, GenerateError> {
        self.engine.generate(request)
    }

    /// Cancels everything and ends the model's process; returns when it is gone.
    pub async fn close(self) {
        self.engine.shutdown().await;
    }
}

/// The model that answers when nobody names one, and where it runs: what the window would use, or the best for `device`
/// where that is not [`DeviceChoice::Auto`].
///
/// # Errors
/// If the models folder cannot be listed, or nothing in it can be used.
pub fn default_model(
    places: &Places,
    device: DeviceChoice,
    context_len: usize,
    preferred: Option<&str>,
) -> Result<(PathBuf, DeviceChoice), GenerateError> {
    let here = Circumstances::here(places, context_len, preferred);
    let may_run_on = |candidate: &Device| match device {
        DeviceChoice::Auto => true,
        DeviceChoice::Cpu => !candidate.is_gpu(),
        _ => candidate.is_gpu(),
    };
    let found = installed_models::default_model(&catalog(places), &here, may_run_on);
    match found.map_err(|error| GenerateError::from_explain(&error))? {
        Some((model, chosen)) => {
            let device = match (device, on_engine(&chosen, &here.profile.gpus)) {
                (DeviceChoice::Auto, chosen) | (DeviceChoice::Cuda, chosen @ DeviceChoice::CudaCard(_)) => chosen,
                _ => device,
            };
            Ok((model.path, device))
        }
        None => Err(GenerateError::from_explain(&router::Unavailable::NoModel)),
    }
}

/// The messages that put a conversation to the tutor: the instructions in `language` first.
pub fn tutor_messages(language: dto::Language, turns: impl IntoIterator<Item = Message>) -> Vec<Message> {
    let language = match language {
        dto::Language::Es => Language::Es,
        dto::Language::En => Language::En,
        dto::Language::Pt => Language::Pt,
    };
    tutor::messages(language, turns)
}

/// Checks that the file at `path` is a model that this program runs, before a process is started for it.
///
/// # Errors
/// If it is not.
pub fn check_model(path: &Path) -> Result<(), catalog::Error> {
    catalog::inspect(path).map(drop)
}
