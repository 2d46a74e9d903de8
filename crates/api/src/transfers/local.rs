//! The transfers of this computer: disks and folders, the hub behind the gate to the network, the models folder.

use super::{ConnectObserver, TransferPort, convert};
use crate::dto::{IpcError, ModelOffer, ModelSource, PickKind, Storage, Transfer};
use crate::failure::Refusal;
use crate::installed_models;
use crate::places::Places;
use catalog::hub::HubConfig;
use catalog::sources::{Judge, Place, PlaceKind};
use catalog::transfers::{ImportSource, Transfers};
use catalog::{Backends, Candidate, Catalog, Trials};
use hardware::HardwareProfile;
use network::{Client, Gate, Options, Purpose};
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use tokio::sync::watch;

/// Copies and downloads into and out of the models folder of this computer.
pub struct LocalTransfers {
    catalog: Arc<Catalog>,
    transfers: Transfers,
    client: Client,
    hub: HubConfig,
    /// Makes ids out of paths that tell nothing and hold until the program ends.
    ids: RandomState,
    /// What a person picked, in that order.
    picked: Mutex<Vec<(PlaceKind, PathBuf)>>,
    /// What each model of each source is, as it was last listed.
    listed: Mutex<HashMap<(String, String), ImportSource>>,
    views: OnceLock<watch::Sender<Vec<Transfer>>>,
}

impl LocalTransfers {
    /// The transfers of the models folder at `places`, with the hub that `aula.toml` names. The network stays closed.
    pub fn new(places: &Places) -> Self {
        let hub = HubConfig::of_this_user().unwrap_or_else(|error| {
            tracing::warn!(error = %errors::chain(&error), "aula.toml is not used");
            HubConfig::default()
        });
        Self::with_hub(places, hub)
    }

    /// The same with a hub of the caller's choice.
    pub fn with_hub(places: &Places, hub: HubConfig) -> Self {
        let catalog = Arc::new(installed_models::catalog(places));
        let client = Client::new(Gate::new(), Options::default());
        let transfers = Transfers::new(Arc::clone(&catalog), client.clone(), &hub);
        let local = Self {
            catalog,
            transfers,
            client,
            hub,
            ids: RandomState::new(),
            picked: Mutex::default(),
            listed: Mutex::default(),
            views: OnceLock::new(),
        };
        local.limit(0);
        local
    }

    /// The one way to the network, with its gate.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    fn judged<T>(&self, context_len: usize, look: impl FnOnce(Judge<'_>) -> T) -> T {
        let profile = HardwareProfile::probe();
        look(Judge { profile: &profile, context_len, backends: Backends::of_this_build() })
    }

    fn id(&self, path: &Path) -> String {
        format!("{:016x}", self.ids.hash_one(path))
    }

    /// `place` for the page; its models can be imported from now on.
    fn listed(&self, place: &Place, judge: Judge<'_>) -> ModelSource {
        let source_id = self.id(&place.path);
        let mut listed = lock(&self.listed);
        let models = place.models.iter().map(|model| {
            let id = self.id(&model.path);
            let import = ImportSource {
                path: model.path.clone(),
                model: model.name.clone(),
                total_bytes: model.bytes,
                sha256: model.sha256.clone(),
            };
            listed.insert((source_id.clone(), id.clone()), import);
            convert::source_model(id, model, judge.profile)
        });
        let models = models.collect();
        ModelSource { id: source_id, label: place.label.clone(), kind: convert::source_kind(place.kind), models }
    }
}

impl TransferPort for LocalTransfers {
    fn sources(&self, context_len: usize) -> Result<Vec<ModelSource>, IpcError> {
        self.judged(context_len, |judge| {
            let picked = lock(&self.picked).clone();
            // A folder that is gone again is left out, like a stick that was pulled out.
            let picked = picked.iter().filter_map(|(kind, path)| self.catalog.look_at(*kind, path, judge).ok());
            let mut places: Vec<Place> = picked.collect();
            for place in self.catalog.places(judge) {
                if places.iter().all(|known| known.path != place.path) {
                    places.push(place);
                }
            }
            Ok(places.iter().map(|place| self.listed(place, judge)).collect())
        })
    }

    fn picked(&self, kind: PickKind, path: PathBuf, context_len: usize) -> Result<ModelSource, IpcError> {
        let kind = match kind {
            PickKind::Folder => PlaceKind::Folder,
            PickKind::File => PlaceKind::File,
        };
        self.judged(context_len, |judge| {
            let place = self.catalog.look_at(kind, &path, judge)?;
            let mut picked = lock(&self.picked);
            picked.retain(|(_, known)| *known != path);
            picked.insert(0, (kind, path));
            drop(picked);
            Ok(self.listed(&place, judge))
        })
    }

    fn offers(&self, context_len: usize) -> Result<Vec<ModelOffer>, IpcError> {
        let offers = catalog::manifest::offers();
        let candidates: Vec<Vec<Candidate>> = self.judged(context_len, |judge| {
            offers.iter().map(|offer| offer.candidates(judge.profile, judge.context_len, judge.backends)).collect()
        });
        let fitting: Vec<Candidate> = candidates.iter().flatten().filter(|one| one.fits()).cloned().collect();
        let largest = catalog::choose(&fitting, None, &Trials::none()).candidate;
        let variant =
            largest.and_then(|largest| offers.iter().find(|offer| offer.id == largest.id)).map(|one| &one.variant);
        // Of the largest variant that fits, the first manifest: Google's own file stands before everybody else's.
        let best = offers.iter().zip(&candidates).find_map(|(offer, on_devices)| {
            let serves = Some(&offer.variant) == variant && on_devices.iter().any(Candidate::fits);
            serves.then_some(&offer.id)
        });
        let folder = self.catalog.folder();
        let unfinished = catalog::incoming::unfinished(folder);
        let free_bytes = free_bytes(folder)?;
        let mut all: Vec<ModelOffer> = offers
            .iter()
            .zip(&candidates)
            .map(|(offer, on_devices)| {
                let key = catalog::download::Download::key(&offer.id);
                let done_bytes = unfinished.iter().find(|one| one.key == key).map_or(0, |one| one.done_bytes);
                let facts = convert::OfferFacts {
                    candidate: on_devices.iter().find(|one| one.fits()).or(on_devices.first()),
                    recommended: best == Some(&offer.id),
                    installed: folder.join(offer.file_name()).exists(),
                    has_room: offer.bytes.saturating_sub(done_bytes) < free_bytes,
                };
                convert::offer(offer, &facts)
            })
            .collect();
        // What suits best is seen first; of the others the order of the manifests stays.
        all.sort_by_key(|offer| (!offer.recommended, !offer.fits));
        Ok(all)
    }

    fn watch(&self) -> watch::Receiver<Vec<Transfer>> {
        let views = self.views.get_or_init(|| {
            let mut theirs = self.transfers.watch();
            let now = theirs.borrow_and_update().iter().map(convert::transfer).collect();
            let ours = watch::Sender::new(now);
            let sender = ours.clone();
            tokio::spawn(async move {
                while theirs.changed().await.is_ok() {
                    sender.send_replace(theirs.borrow_and_update().iter().map(convert::transfer).collect());
                }
            });
            ours
        });
        views.subscribe()
    }

    fn import(&self, source_id: &str, model_id: &str) -> Result<Transfer, IpcError> {
        let key = (source_id.to_owned(), model_id.to_owned());
        let source = lock(&self.listed).get(&key).cloned();
        let source = source.ok_or_else(|| Refusal::NoSuchSource { id: model_id.to_owned() })?;
        Ok(convert::transfer(&self.transfers.start_import(source)?))
    }

    fn download(&self, offer_id: &str) -> Result<Transfer, IpcError> {
        // The permit lives with the transfer; one that is refused closes the network again at once.
        let permit = self.client.gate().open(Purpose::ModelDownload);
        Ok(convert::transfer(&self.transfers.start_download(offer_id, permit)?))
    }

    fn export(&self, model_id: &str, folder: PathBuf) -> Result<Transfer, IpcError> {
        Ok(convert::transfer(&self.transfers.start_export(model_id, folder)?))
    }

    fn pause(&self, id: &str) -> Result<(), IpcError> {
        Ok(self.transfers.pause(id)?)
    }

    fn resume(&self, id: &str) -> Result<(), IpcError> {
        Ok(self.transfers.resume(id, || self.client.gate().open(Purpose::ModelDownload))?)
    }

    fn cancel(&self, id: &str) -> Result<(), IpcError> {
        Ok(self.transfers.cancel(id)?)
    }

    fn remove(&self, model_id: &str) -> Result<(), IpcError> {
        Ok(self.catalog.remove(model_id)?)
    }

    fn storage(&self) -> Result<Storage, IpcError> {
        let folder = self.catalog.folder();
        let listing = self.catalog.list()?;
        let usable = listing.models.iter().filter(|model| model.id != catalog::DEMO_ID);
        let usable: u64 = usable.map(|model| model.inspection.file_bytes).sum();
        let unusable = listing.unusable.iter().filter_map(|file| Some(std::fs::metadata(&file.path).ok()?.len()));
        let unfinished: u64 = catalog::incoming::unfinished(folder).iter().map(|one| one.done_bytes).sum();
        // What was packed from a model goes with it, so it counts as part of it.
        let models = usable + unusable.sum::<u64>() + self.catalog.packed_bytes();
        Ok(Storage {
            free_bytes: free_bytes(folder)? as f64,
            models_bytes: models as f64,
            unfinished_bytes: unfinished as f64,
        })
    }

    fn hub(&self) -> String {
        self.hub.host()
    }

    fn network_is_open(&self) -> bool {
        self.client.gate().is_open(Purpose::ModelDownload)
    }

    fn limit(&self, kilobytes_per_second: u32) {
        // The lower of what the person and what `aula.toml` allow.
        let person = Some(kilobytes_per_second).filter(|limit| *limit > 0);
        let limit = person.into_iter().chain(self.hub.download_limit_kb).min();
        self.client.limit().set(limit.map(|kilobytes| u64::from(kilobytes) * 1000));
    }

    fn on_connect(&self, observer: ConnectObserver) {
        self.client.gate().on_connect(move |connection| {
            // Words that are sent are counted where they are sent from; the gate is the same.
            if connection.purpose == Purpose::ModelDownload {
                observer(&connection.host);
            }
        });
    }

    fn close(&self) {
        self.transfers.pause_all();
    }
}

/// Free bytes on the disk of `folder`, which need not exist yet.
fn free_bytes(folder: &Path) -> Result<u64, IpcError> {
    let existing = folder.ancestors().find(|path| path.exists()).unwrap_or(folder);
    Ok(fs4::available_space(existing).map_err(|source| Refusal::DiskSilent { source })?)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
