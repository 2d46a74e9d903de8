//! Installed models, for the window's settings and for `aula models`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use catalog::download::{Download, Policy, Signal};
use catalog::{Begun, Catalog, Device, Error, InstalledModel, MemoryNeed, Record, TypeCount, UnusableFile};
use errors::Explain;
use hardware::HardwareProfile;
use serde::Serialize;

use crate::doctor::Circumstances;
use crate::places::Places;

pub use catalog::{Control, Progress, Step};

/// The catalogue at these places.
pub fn catalog(places: &Places) -> Catalog {
    Catalog::new(places.models_dir(), places.demo_model.clone()).with_packed_dirs(places.packed_dirs())
}

/// One line of the list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Installed {
    /// Opaque id.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Quantization.
    pub quantization: String,
    /// Size of the file in bytes.
    pub file_bytes: u64,
    /// Whether it is the demo model.
    pub demo: bool,
    /// Whether this computer has the memory for it.
    pub fits: bool,
    /// Whether it is the one that answers.
    pub active: bool,
    /// File name.
    pub file: String,
}

/// A file in the models folder that cannot be used.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Unusable {
    /// Opaque id, with which it can be removed.
    pub id: String,
    /// File name.
    pub file: String,
    /// Why not.
    pub error: String,
    /// What to do.
    pub hint: Option<String>,
}

impl From<&UnusableFile> for Unusable {
    fn from(file: &UnusableFile) -> Self {
        Self {
            id: file.id.clone(),
            file: file_name(&file.path),
            error: errors::chain(&file.error),
            hint: file.error.hint(),
        }
    }
}

/// What is installed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct List {
    /// Models that can be used.
    pub models: Vec<Installed>,
    /// Files that cannot.
    pub unusable: Vec<Unusable>,
}

/// Everything installed, judged as the window judges it.
///
/// # Errors
/// If the models folder cannot be listed.
pub fn list(catalog: &Catalog, here: &Circumstances<'_>) -> Result<List, Error> {
    let listing = catalog.list()?;
    let candidates = here.candidates(&listing);
    let active = here.choose(&candidates).candidate.map(|candidate| candidate.id);
    let models = listing.models.iter().map(|model| Installed {
        id: model.id.clone(),
        name: model.inspection.name.clone(),
        quantization: model.inspection.quantization.clone(),
        file_bytes: model.inspection.file_bytes,
        demo: model.inspection.demo,
        fits: candidates.iter().any(|candidate| candidate.id == model.id && candidate.fits()),
        active: active.as_ref() == Some(&model.id),
        file: file_name(&model.path),
    });
    let unusable = listing.unusable.iter().map(Unusable::from);
    Ok(List { models: models.collect(), unusable: unusable.collect() })
}

/// The model that answers when nobody names one, as the window chooses it, and the device it runs on; only devices for
/// which `may_run_on` says so are considered. `None` where nothing can be used.
///
/// # Errors
/// If the models folder cannot be listed.
pub fn default_model(
    catalog: &Catalog,
    here: &Circumstances<'_>,
    may_run_on: impl Fn(&Device) -> bool,
) -> Result<Option<(InstalledModel, Device)>, Error> {
    let listing = catalog.list()?;
    let mut candidates = here.candidates(&listing);
    // The demo model runs on the processor only; where another device is asked for, the engine says what it can do.
    candidates.retain(|candidate| candidate.demo || may_run_on(&candidate.device));
    let Some(chosen) = here.choose(&candidates).candidate else { return Ok(None) };
    let model = listing.models.into_iter().find(|model| model.id == chosen.id);
    Ok(model.map(|model| (model, chosen.device)))
}

/// What a file is, with what it needs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inspected {
    /// Name for people.
    pub name: String,
    /// Quantization.
    pub quantization: String,
    /// Whether it is the demo model.
    pub demo: bool,
    /// Size of the file in bytes.
    pub file_bytes: u64,
    /// Number of tensors.
    pub n_tensors: usize,
    /// The same by type.
    pub tensor_types: BTreeMap<String, TypeCount>,
    /// Parameters without the per-layer table.
    pub effective_parameters: u64,
    /// Bytes of the per-layer table, which stays on the disk.
    pub per_layer_table_bytes: u64,
    /// Layers.
    pub n_layers: usize,
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Tokens in the vocabulary.
    pub vocab_size: usize,
    /// Positions that the model was made for.
    pub max_context_len: usize,
    /// Context length of the need below.
    pub context_len: usize,
    /// Memory that it needs on the processor.
    pub need: MemoryNeed,
    /// The sum of it.
    pub needed_bytes: u64,
    /// Memory that it may use on this computer now.
    pub usable_bytes: u64,
    /// Whether that suffices.
    pub fits: bool,
}

/// What the file at `path` is and needs.
///
/// # Errors
/// If it cannot be read or is not a model that this program runs.
pub fn inspect(path: &Path, profile: &HardwareProfile, context_len: usize) -> Result<Inspected, Error> {
    let found = catalog::inspect(path)?;
    let context_len = context_len.min(found.config.max_context_len);
    let need = found.memory_need(context_len);
    let usable_bytes = catalog::fit::usable_on_cpu(profile);
    Ok(Inspected {
        need,
        needed_bytes: need.total(),
        usable_bytes,
        fits: need.total() <= usable_bytes,
        context_len,
        name: found.name,
        quantization: found.quantization,
        demo: found.demo,
        file_bytes: found.file_bytes,
        n_tensors: found.n_tensors,
        tensor_types: found.tensor_types,
        effective_parameters: found.effective_parameters,
        per_layer_table_bytes: found.per_layer_table_bytes,
        n_layers: found.config.n_layers,
        hidden_size: found.config.hidden_size,
        vocab_size: found.config.vocab_size,
        max_context_len: found.config.max_context_len,
    })
}

/// What an import or a download put in.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Imported {
    /// Opaque id.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Quantization.
    pub quantization: String,
    /// Size of the file in bytes.
    pub file_bytes: u64,
    /// File name.
    pub file: String,
    /// SHA-256 of the file.
    pub sha256: String,
    /// Whether it went on where an earlier try had stopped.
    pub resumed: bool,
    /// Whether an earlier try was thrown away, because what is copied had changed since.
    pub restarted: bool,
}

impl Imported {
    /// What is said of `model`, which came in like this.
    pub fn new(model: InstalledModel, begun: Begun) -> Self {
        let record = Record::of_model(&model.path);
        Self {
            file: file_name(&model.path),
            id: model.id,
            name: model.inspection.name.clone(),
            quantization: model.inspection.quantization.clone(),
            file_bytes: model.inspection.file_bytes,
            sha256: record.map(|record| record.sha256).unwrap_or_default(),
            resumed: begun == Begun::Resumed,
            restarted: begun == Begun::Restarted,
        }
    }
}

/// Copies the model at `source` (a GGUF file, an export's manifest, or a folder with one model) into the models folder.
///
/// # Errors
/// If it is no usable model, is installed already, or cannot be copied whole; or the wish of `control`.
pub fn import(catalog: &Catalog, source: &Path, control: &Control) -> Result<Imported, Error> {
    let imported = catalog.import(source, control)?;
    Ok(Imported::new(imported.model, imported.begun))
}

/// A model that can be downloaded, judged on this computer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Offer {
    /// Opaque id.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Quantization.
    pub quantization: String,
    /// Size of the file in bytes.
    pub file_bytes: u64,
    /// Bytes that it needs on the processor.
    pub needed_bytes: u64,
    /// Whether this computer has the memory for it on any device.
    pub fits: bool,
    /// Who publishes it.
    pub publisher: String,
    /// Licence, as an SPDX expression.
    pub license: String,
    /// Whether its checksum was published; otherwise it is compared with what the hub reports.
    pub hash_published: bool,
}

/// Every model that can be downloaded, judged on the computer that `profile` describes. Opens no connection.
pub fn offers(profile: &HardwareProfile, context_len: usize) -> Vec<Offer> {
    let judged = |offer: &catalog::manifest::Manifest| {
        let candidates = offer.candidates(profile, context_len, catalog::Backends::of_this_build());
        let on_processor = candidates.iter().find(|candidate| !candidate.device.is_gpu());
        Offer {
            id: offer.id.clone(),
            name: offer.name.clone(),
            quantization: offer.quantization.clone(),
            file_bytes: offer.bytes,
            needed_bytes: on_processor.map_or(0, |candidate| candidate.need.total()),
            fits: candidates.iter().any(catalog::Candidate::fits),
            publisher: offer.publisher.clone(),
            license: offer.license.clone(),
            hash_published: offer.hash == catalog::manifest::HashSource::Published,
        }
    };
    catalog::manifest::offers().iter().map(judged).collect()
}

/// Whether there is an offer with this id.
pub fn is_offer(id: &str) -> bool {
    catalog::manifest::offer(id).is_some()
}

/// How to download.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PullOptions {
    /// Another hub than `aula.toml` and the environment name.
    pub endpoint: Option<String>,
    /// Most kilobytes (1000 bytes) in a second.
    pub limit_kb: Option<u32>,
}

/// Downloads the model of the offer `id`; the network is open to this, and to nothing else, until it ends. `waiting` is
/// told why nothing comes, in words for people, and `None` when bytes come again.
///
/// # Errors
/// If there is no such offer, it is installed already, no server gives it out, what came is wrong, or the disk refuses;
/// or the wish of `control`. What was fetched is kept where it may still help.
pub async fn pull(
    catalog: &Catalog,
    id: &str,
    options: &PullOptions,
    control: &Control,
    waiting: impl Fn(Option<String>) + Send + Sync,
) -> Result<Imported, Error> {
    let missing = || Error::NoSuchModel { id: id.to_owned() };
    let manifest = catalog::manifest::offer(id).ok_or_else(missing)?.clone();
    let hub = catalog::hub::HubConfig::of_this_user().map_err(Error::Hub)?;
    let addresses = match &options.endpoint {
        Some(endpoint) => vec![endpoint.trim_end_matches('/').to_owned()],
        None => hub.addresses().into_iter().map(str::to_owned).collect(),
    };
    let limit_kb = options.limit_kb.or(hub.download_limit_kb);
    let client = network::Client::new(network::Gate::new(), network::Options::default());
    client.limit().set(limit_kb.map(|kilobytes| u64::from(kilobytes) * 1000));
    let _open = client.gate().open(network::Purpose::ModelDownload);
    let folder = catalog.folder().to_owned();
    let download = Download { client: client.clone(), manifest, addresses, folder, policy: Policy::default() };
    let begun = Mutex::new(Begun::Fresh);
    let (path, record) = download
        .run(control, &|signal| match signal {
            // The last one counts: a server that gets another version meanwhile makes it begin anew.
            Signal::Begun(how) => *begun.lock().unwrap_or_else(PoisonError::into_inner) = how,
            Signal::Waiting(error) => waiting(Some(errors::chain(error))),
            Signal::Moving => waiting(None),
        })
        .await?;
    let installed = catalog.list()?.models.into_iter().find(|model| model.path == path);
    let model = installed.ok_or_else(|| Error::NoSuchModel { id: record.file.clone() })?;
    Ok(Imported::new(model, begun.into_inner().unwrap_or_else(PoisonError::into_inner)))
}

/// What an export wrote.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Exported {
    /// The manifest, by which it can be imported.
    pub manifest: PathBuf,
    /// Name for people.
    pub name: String,
    /// Quantization.
    pub quantization: String,
    /// Size of the model in bytes.
    pub file_bytes: u64,
    /// Its files.
    pub files: Vec<String>,
    /// SHA-256 of the whole.
    pub sha256: String,
}

/// Copies an installed model to the folder `AULA` in `target`, with its checksums, and reads it back.
///
/// # Errors
/// If there is no such model, `target` cannot take it, or it keeps other bytes; or the wish of `control`.
pub fn export(catalog: &Catalog, id: &str, target: &Path, control: &Control) -> Result<Exported, Error> {
    let done = catalog.export(id, target, control)?;
    Ok(Exported {
        manifest: done.manifest,
        files: done.record.files().into_iter().map(|piece| piece.file).collect(),
        name: done.record.name,
        quantization: done.record.quantization,
        file_bytes: done.record.bytes,
        sha256: done.record.sha256,
    })
}

/// What comparing a model with its checksums found; one that differs is an error.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verified {
    /// Opaque id.
    pub id: String,
    /// SHA-256 of the file.
    pub sha256: String,
    /// Whether there was a recorded checksum to compare with.
    pub recorded: bool,
}

/// Compares an installed model with the checksums that were recorded when it came in.
///
/// # Errors
/// If it differs, there is no such model, or it cannot be read; or the wish of `control`.
pub fn verify(catalog: &Catalog, id: &str, control: &Control) -> Result<Verified, Error> {
    let found = catalog.verify(id, control)?;
    Ok(Verified { id: id.to_owned(), sha256: found.sha256, recorded: found.recorded })
}

/// Deletes an installed model.
///
/// # Errors
/// If there is none with this id, it is the demo model, or its file cannot be deleted.
pub fn remove(catalog: &Catalog, id: &str) -> Result<(), Error> {
    catalog.remove(id)
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The model chosen in Settings, read from the store while nobody else has it open. Nothing is created.
///
/// # Errors
/// If the store cannot be read; mostly because the window has it open.
pub async fn preferred(places: &Places) -> Result<Option<String>, store::Error> {
    if !places.database().is_file() {
        return Ok(None);
    }
    let opened = open_patiently(&places.data_dir, Duration::from_millis(250)).await?;
    let learner = opened.store.default_learner().await;
    let settings = match learner {
        Ok(learner) => opened.store.settings(&learner.id).await,
        Err(error) => Err(error),
    };
    opened.store.close().await;
    // The key is the field's name in the page's settings.
    Ok(settings?.get("modelId").and_then(|id| id.as_str()).map(str::to_owned))
}

/// Opens the store; one that somebody is about to close is waited for, at most for `patience`.
pub(crate) async fn open_patiently(data_dir: &Path, patience: Duration) -> Result<store::Opened, store::Error> {
    let deadline = tokio::time::Instant::now() + patience;
    loop {
        match store::Store::open(data_dir).await {
            Err(store::Error::InUse { .. }) if tokio::time::Instant::now() < deadline => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            settled => return settled,
        }
    }
}
