//! Gemma behind the worker's seams: files opened by `gemma4`, text by its tokenizer and chat format.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use gemma4::{
    Detokenizer, DeviceKind, LoadOptions, Model, Runtime, Sequence, Tokenizer, Turn, chat_template,
    footprint::Footprint, gguf::GgufFile, identity,
};
use generation::{EngineInfo, EngineKind, Message, Role};
use hardware::{Topology, compute_threads};

use crate::{
    codec::{Codec, Recall, TextStream, Vocabulary},
    device::DeviceChoice,
    error::Error,
    kept, memory,
    options::PACKED_FOLDER,
    protocol::{LoadRequest, ModelFacts},
    worker::{Loaded, Loader, OpenModel},
};

/// Opens Gemma 4 files.
#[derive(Debug, Clone, Copy)]
pub struct GemmaLoader {
    /// Memory that could be had now, in bytes; `None` where the system does not say.
    pub free_bytes: fn() -> Option<u64>,
}

impl Default for GemmaLoader {
    /// Asks the system.
    fn default() -> Self {
        Self { free_bytes: || memory::of_the_computer().map(|state| state.available) }
    }
}

impl Loader for GemmaLoader {
    fn load(&self, request: &LoadRequest) -> Result<Loaded, Error> {
        let free_before = (self.free_bytes)();
        let options = LoadOptions { packed_dirs: request.packed_dirs.clone(), ..of_this_computer() };
        let parts = Parts::open(&request.path, request.device, Some(&request.cache_dir), &options)?;
        let Runtime { device, kernels, threads } = parts.model.runtime();
        let facts = ModelFacts {
            engine: EngineInfo {
                kind: kind(&parts.file),
                model: identity::display_name(&parts.file, parts.model.config()),
                device,
            },
            path: request.path.clone(),
            context_len: request.context_len,
            load_s: 0.0,
            kernels,
            threads,
            vocab: parts.model.config().vocab_size,
            rss_bytes: None,
        };
        let on_cpu = parts.device == DeviceKind::Cpu;
        let weights = Footprint::of(&parts.file, parts.model.config()).per_token_bytes;
        // Where weights lie in memory of their own, they are no longer among what is free; a mapped file's still are.
        let free_now = (self.free_bytes)();
        let taken = free_before.zip(free_now).map_or(0, |(before, now)| before.saturating_sub(now)).min(weights);
        let model = GemmaModel {
            path: request.path.clone(),
            model: parts.model,
            on_cpu,
            weights,
            taken,
            free_bytes: self.free_bytes,
        };
        Ok(Loaded { model: Box::new(model), codec: Box::new(GemmaCodec::new(parts.tokenizer)), facts })
    }
}

struct GemmaModel {
    path: PathBuf,
    model: Box<dyn Model>,
    on_cpu: bool,
    /// Bytes that every token reads.
    weights: u64,
    /// Of these, how many were taken from the free memory when the model was opened.
    taken: u64,
    free_bytes: fn() -> Option<u64>,
}

impl OpenModel for GemmaModel {
    fn sequence(&self, context_len: usize) -> Result<Box<dyn Sequence>, Error> {
        // Settings outlive a change of model: one that was made for less is opened with the most it can.
        let context_len = context_len.min(self.model.config().max_context_len);
        if self.on_cpu {
            let needed_bytes = self.weights.saturating_add(self.model.kv_bytes(context_len));
            let free_bytes = (self.free_bytes)().map(|free| free.saturating_add(self.taken));
            must_fit(needed_bytes, context_len, free_bytes)?;
        }
        Ok(self.model.sequence(context_len)?)
    }

    fn chunk_limit(&self) -> usize {
        self.model.chunk_limit()
    }

    fn set_threads(&self, threads: usize) {
        self.model.set_threads(threads);
    }

    fn fingerprint(&self) -> Option<[u8; 32]> {
        let Runtime { device, kernels, .. } = self.model.runtime();
        kept::of_file(&self.path, &format!("{device} {kernels}")).ok()
    }
}

/// Threads that suit this computer, and everything else as it is.
pub(crate) fn of_this_computer() -> LoadOptions {
    let plan = compute_threads(&Topology::probe(), false);
    LoadOptions { threads: Some(plan.threads), cpus: plan.cpus, ..LoadOptions::default() }
}

/// Refuses a context length for which the memory does not suffice. An allocation that fails ends the process, and weights
/// that do not stay in memory are read from the disk for every token.
fn must_fit(needed_bytes: u64, context_len: usize, free_bytes: Option<u64>) -> Result<(), Error> {
    match free_bytes {
        Some(free_bytes) if needed_bytes > free_bytes => {
            Err(Error::DoesNotFit { needed_bytes, free_bytes, context_len })
        }
        _ => Ok(()),
    }
}

/// An open file, its weights and its tokenizer.
pub(crate) struct Parts {
    pub(crate) file: Arc<GgufFile>,
    pub(crate) model: Box<dyn Model>,
    pub(crate) tokenizer: Tokenizer,
    /// What computes.
    pub(crate) device: DeviceKind,
}

impl Parts {
    /// Of `options`, the device is left to `device`.
    pub(crate) fn open(
        path: &Path,
        device: DeviceChoice,
        cache_dir: Option<&Path>,
        options: &LoadOptions,
    ) -> Result<Self, Error> {
        let file = Arc::new(GgufFile::open(path).map_err(gemma4::Error::from)?);
        let tokenizer = Tokenizer::from_gguf(&file, cache_dir)?;
        let (model, device) = open_model(&file, device, options)?;
        Ok(Self { file, model, tokenizer, device })
    }
}

/// Folders for the packed weights of a model that may be anybody's: beside it if Aula keeps them there already, else in
/// the cache.
pub(crate) fn packed_dirs(path: &Path, cache_dir: Option<&Path>) -> Vec<PathBuf> {
    let beside = path.parent().map(|dir| dir.join(PACKED_FOLDER)).filter(|dir| dir.is_dir());
    beside.into_iter().chain(cache_dir.map(|dir| dir.join(PACKED_FOLDER))).collect()
}

/// Puts the weights of `file` on the device of choice; `Auto` takes the first that this build has and that opens. Of
/// `options`, the device is left to `device`.
pub(crate) fn open_model(
    file: &Arc<GgufFile>,
    device: DeviceChoice,
    options: &LoadOptions,
) -> Result<(Box<dyn Model>, DeviceKind), Error> {
    let candidates: &[DeviceKind] = match device {
        DeviceChoice::Auto => &[DeviceKind::Cuda, DeviceKind::Metal, DeviceKind::Cpu],
        DeviceChoice::Cpu => &[DeviceKind::Cpu],
        DeviceChoice::Cuda | DeviceChoice::CudaCard(_) => &[DeviceKind::Cuda],
        DeviceChoice::Metal => &[DeviceKind::Metal],
    };
    let card = if let DeviceChoice::CudaCard(card) = device { card } else { 0 };
    let mut last = None;
    for &device in candidates {
        if device != DeviceKind::Cpu && candidates.len() > 1 && !device.in_this_build() {
            continue;
        }
        match gemma4::load::load(file, &LoadOptions { device, card, ..options.clone() }) {
            Ok(model) => return Ok((model, device)),
            Err(error) => {
                // For the log; where there was no choice the error itself says it.
                if candidates.len() > 1 {
                    eprintln!("the device `{}` was not used: {}", device.as_str(), errors::chain(&error));
                }
                last = Some(error);
            }
        }
    }
    Err(last.map_or(Error::ModelMissing, Error::Model))
}

fn kind(file: &GgufFile) -> EngineKind {
    if identity::is_demo(file) { EngineKind::Demo } else { EngineKind::Local }
}

pub(crate) struct GemmaCodec(Arc<Tokenizer>);

impl GemmaCodec {
    pub(crate) fn new(tokenizer: Tokenizer) -> Self {
        Self(Arc::new(tokenizer))
    }
}

impl Codec for GemmaCodec {
    fn render(&self, messages: &[Message], recall: Recall<'_>) -> Result<Vec<u32>, Error> {
        let turns: Vec<Turn> = messages
            .iter()
            .map(|message| match message.role {
                Role::System => Turn::System(message.content.clone()),
                Role::User => Turn::User(message.content.clone()),
                Role::Assistant => match recall(&message.content) {
                    Some(tokens) => Turn::ModelTokens(tokens),
                    None => Turn::Model(message.content.clone()),
                },
            })
            .collect();
        Ok(chat_template::render(&self.0, &turns)?)
    }

    fn turn_start(&self) -> u32 {
        self.0.special().turn_start
    }

    fn is_stop(&self, token: u32) -> bool {
        self.0.is_stop(token)
    }

    fn vocabulary(&self) -> Arc<dyn Vocabulary> {
        Arc::new(GemmaVocabulary(Arc::clone(&self.0)))
    }

    fn stream(&self) -> Box<dyn TextStream + '_> {
        Box::new(GemmaStream(self.0.detokenizer()))
    }
}

struct GemmaVocabulary(Arc<Tokenizer>);

impl Vocabulary for GemmaVocabulary {
    fn size(&self) -> usize {
        self.0.vocab_size()
    }

    fn bytes(&self, token: u32) -> Option<Vec<u8>> {
        self.0.token_bytes(token)
    }

    /// `<turn|>` and `<eos>`. `<|tool_response>` ends an answer too, but is no end of a turn.
    fn ends(&self) -> Vec<u32> {
        let special = self.0.special();
        vec![special.turn_end, special.eos]
    }

    fn encode(&self, text: &str) -> Result<Vec<u32>, Error> {
        Ok(self.0.encode(text)?)
    }
}

struct GemmaStream<'a>(Detokenizer<'a>);

impl TextStream for GemmaStream<'_> {
    fn push(&mut self, token: u32) -> String {
        self.0.push(token)
    }

    fn finish(&mut self) -> String {
        self.0.finish()
    }
}
