//! Models on their way, as a state machine that outlives every page that looks at it.
//!
//! ```text
//! Queued → Running ⇄ Waiting        a stick or a server is away; goes on by itself
//!             ⇅ Paused              a person, or a restart: goes on only when a person says so
//!          Verifying → Done
//!             ↘ Failed              goes on when a person says so
//! ```
//!
//! One transfer of each kind moves at a time, the others wait in order. What is unfinished when the program ends is there
//! again, paused, when it starts: nothing opens the network by itself.

mod drive;
mod entry;
mod meter;
mod view;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use network::{Client, Permit};
use tokio::sync::{Semaphore, watch};

use self::entry::{Entry, Job};
use crate::download::{Download, Policy, refuse_installed};
use crate::error::Error;
use crate::hub::{self, HubConfig};
use crate::incoming::{Control, Kind, Unfinished, check_space, discard, sha256_hex, unfinished};
use crate::installed::Catalog;
use crate::manifest::{Manifest, offer};

pub use self::entry::ImportSource;
pub use self::view::{Problem, TransferKind, TransferState, TransferView};

/// Watchers are told of progress at most this often; of a new state at once.
const TELL_EVERY: Duration = Duration::from_millis(200);

/// All transfers of one models folder. Clones are the same transfers.
#[derive(Clone)]
pub struct Transfers {
    inner: Arc<Inner>,
}

struct Inner {
    catalog: Arc<Catalog>,
    client: Client,
    addresses: Vec<String>,
    policy: Policy,
    /// In the order of their beginning.
    entries: Mutex<Vec<Entry>>,
    views: watch::Sender<Vec<TransferView>>,
    told: Mutex<Option<Instant>>,
    turns: HashMap<TransferKind, Semaphore>,
}

impl std::fmt::Debug for Transfers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transfers").field("views", &*self.inner.views.borrow()).finish_non_exhaustive()
    }
}

impl Transfers {
    /// The transfers into and out of the folder of `catalog`, those that an earlier start left unfinished included, as
    /// paused. Nothing moves yet.
    pub fn new(catalog: Arc<Catalog>, client: Client, hub: &HubConfig) -> Self {
        let addresses = hub.addresses().into_iter().map(str::to_owned).collect();
        Self::with_policy(catalog, client, addresses, Policy::default())
    }

    /// The same with other addresses and another behaviour of downloads.
    pub fn with_policy(catalog: Arc<Catalog>, client: Client, addresses: Vec<String>, policy: Policy) -> Self {
        let entries: Vec<_> = unfinished(catalog.folder()).into_iter().filter_map(restored).collect();
        let views = watch::Sender::new(entries.iter().map(Entry::view).collect());
        let kinds = [TransferKind::Import, TransferKind::Download, TransferKind::Export];
        let turns = kinds.into_iter().map(|kind| (kind, Semaphore::new(1))).collect();
        let (entries, told) = (Mutex::new(entries), Mutex::default());
        Self { inner: Arc::new(Inner { catalog, client, addresses, policy, entries, views, told, turns }) }
    }

    /// All transfers in the order of their beginning, now and as they change: at once for a new state, at most five times
    /// a second for progress.
    pub fn watch(&self) -> watch::Receiver<Vec<TransferView>> {
        self.inner.views.subscribe()
    }

    /// The transfer with this id.
    pub fn get(&self, id: &str) -> Option<TransferView> {
        self.inner.entries().iter().find(|entry| entry.view.id == id).map(Entry::view)
    }

    /// Begins to download the model of an offer, or goes on with it, and returns the transfer. The network stays open to
    /// it by `permit` until it ends or is paused. Called within a tokio runtime.
    ///
    /// # Errors
    /// If there is no such offer, the model is installed, or the disk has no room for it.
    pub fn start_download(&self, offer_id: &str, permit: Permit) -> Result<TransferView, Error> {
        let no_such_offer = || hub::Error::NoSuchOffer { id: offer_id.to_owned() };
        self.start_download_of(offer(offer_id).ok_or_else(no_such_offer)?.clone(), permit)
    }

    /// The same with a manifest that is not among the offers.
    ///
    /// # Errors
    /// If the model is installed, or the disk has no room for it.
    pub fn start_download_of(&self, manifest: Manifest, permit: Permit) -> Result<TransferView, Error> {
        let id = Download::key(&manifest.id);
        if self.inner.is_moving(&id) {
            return self.inner.found(&id);
        }
        let folder = self.inner.catalog.folder();
        fs::create_dir_all(folder).map_err(|cause| Error::Folder { path: folder.to_owned(), cause })?;
        refuse_installed(&manifest, folder)?;
        let before = unfinished(folder).into_iter().find(|unfinished| unfinished.key == id);
        let done_bytes = before.map_or(0, |unfinished| unfinished.done_bytes);
        check_space(folder, manifest.bytes.saturating_sub(done_bytes))?;
        let (name, bytes) = (manifest.name.clone(), manifest.bytes);
        self.begin(Entry::new(id, Job::Download(manifest), name, bytes), Some(permit))
    }

    /// Begins to copy a model in, or goes on with it, and returns the transfer. Called within a tokio runtime.
    ///
    /// # Errors
    /// If the disk has no room for it. What is wrong with the source shows as the transfer's state.
    pub fn start_import(&self, source: ImportSource) -> Result<TransferView, Error> {
        let id = import_id(&source.path);
        if self.inner.is_moving(&id) {
            return self.inner.found(&id);
        }
        let folder = self.inner.catalog.folder();
        fs::create_dir_all(folder).map_err(|cause| Error::Folder { path: folder.to_owned(), cause })?;
        let done_bytes = self.inner.unfinished_import(&source.path).map_or(0, |unfinished| unfinished.done_bytes);
        check_space(folder, source.total_bytes.saturating_sub(done_bytes))?;
        let (name, bytes) = (source.model.clone(), source.total_bytes);
        self.begin(Entry::new(id, Job::Import(source), name, bytes), None)
    }

    /// Begins to copy the installed model `model_id` to the disk or folder `target`, or goes on with it, and returns the
    /// transfer. Called within a tokio runtime.
    ///
    /// # Errors
    /// If there is no such model. What is wrong with the target shows as the transfer's state.
    pub fn start_export(&self, model_id: &str, target: PathBuf) -> Result<TransferView, Error> {
        let id = format!("export-{}", short_hash(&format!("{model_id} {}", target.display())));
        if self.inner.is_moving(&id) {
            return self.inner.found(&id);
        }
        let model = self.inner.catalog.find(model_id)?;
        let (name, bytes) = (model.inspection.name.clone(), model.inspection.file_bytes);
        self.begin(Entry::new(id, Job::Export { model_id: model_id.to_owned(), target }, name, bytes), None)
    }

    /// Stops a transfer for now and keeps what is there. A download's network closes.
    ///
    /// # Errors
    /// If there is no such transfer.
    pub fn pause(&self, id: &str) -> Result<(), Error> {
        self.inner.with_entry(id, |entry| {
            if let Some(control) = &entry.control {
                control.pause();
            }
        })
    }

    /// Goes on with a transfer that was paused or failed; one that moves is left alone. `open` is called only where the
    /// network is needed. Called within a tokio runtime.
    ///
    /// # Errors
    /// If there is no such transfer.
    pub fn resume(&self, id: &str, open: impl FnOnce() -> Permit) -> Result<(), Error> {
        let goes_on = self.inner.with_entry(id, |entry| {
            let rests = matches!(entry.view.state, TransferState::Paused | TransferState::Failed(_));
            if !rests || entry.control.is_some() {
                return false;
            }
            if entry.job.kind() == TransferKind::Download {
                entry.permit = Some(open());
            }
            entry.ready();
            true
        })?;
        if goes_on {
            drive::spawn(&self.inner, id);
        }
        self.inner.tell_now();
        Ok(())
    }

    /// Ends a transfer, deletes what is unfinished of it and takes it off the list. One that is done is only taken off.
    /// A transfer that moves is gone from the list when it has stopped.
    ///
    /// # Errors
    /// If there is no such transfer, or what it left cannot be deleted.
    pub fn cancel(&self, id: &str) -> Result<(), Error> {
        let rest = self.inner.with_entry(id, |entry| {
            entry.cancelled = true;
            match &entry.control {
                Some(control) => {
                    control.cancel();
                    None
                }
                None => Some((entry.job.clone(), entry.view.state == TransferState::Done)),
            }
        })?;
        if let Some((job, is_done)) = rest {
            if !is_done {
                self.inner.clear(&job)?;
            }
            self.inner.remove(id);
        }
        Ok(())
    }

    /// Pauses everything, because the program ends.
    pub fn pause_all(&self) {
        for control in self.inner.entries().iter().filter_map(|entry| entry.control.as_ref()) {
            control.pause();
        }
    }

    /// Puts `entry` in the place of an earlier transfer with its id, or last, and starts it.
    fn begin(&self, mut entry: Entry, permit: Option<Permit>) -> Result<TransferView, Error> {
        let id = entry.view.id.clone();
        entry.permit = permit;
        {
            let mut entries = self.inner.entries();
            match entries.iter_mut().find(|known| known.view.id == id) {
                // Somebody else was faster.
                Some(known) if known.control.is_some() => return Ok(known.view()),
                Some(known) => {
                    let (parts_done, parts) = (known.view.parts_done, known.view.parts);
                    if known.view.state != TransferState::Done {
                        (entry.view.parts_done, entry.view.parts) = (parts_done, parts);
                        entry.view.done_bytes = known.view.done_bytes;
                    }
                    entry.ready();
                    *known = entry;
                }
                None => {
                    entry.ready();
                    entries.push(entry);
                }
            }
        }
        drive::spawn(&self.inner, &id);
        self.inner.tell_now();
        self.inner.found(&id)
    }
}

impl Entry {
    /// Waits for its turn, with a handle by which it can be stopped meanwhile.
    fn ready(&mut self) {
        self.view.state = TransferState::Queued;
        self.control = Some(Control::default());
        self.cancelled = false;
        self.meter.reset();
    }
}

impl Inner {
    fn entries(&self) -> MutexGuard<'_, Vec<Entry>> {
        // Entries are changed one field at a time, and none of these steps panics.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with_entry<T>(&self, id: &str, change: impl FnOnce(&mut Entry) -> T) -> Result<T, Error> {
        let missing = || Error::NoSuchTransfer { id: id.to_owned() };
        self.entries().iter_mut().find(|entry| entry.view.id == id).map(change).ok_or_else(missing)
    }

    fn found(&self, id: &str) -> Result<TransferView, Error> {
        self.with_entry(id, |entry| entry.view())
    }

    fn is_moving(&self, id: &str) -> bool {
        self.entries().iter().any(|entry| entry.view.id == id && entry.control.is_some())
    }

    fn remove(&self, id: &str) {
        self.entries().retain(|entry| entry.view.id != id);
        self.tell_now();
    }

    /// Tells watchers what is, at once.
    fn tell_now(&self) {
        let now: Vec<_> = self.entries().iter().map(Entry::view).collect();
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        self.views.send_if_modified(|views| {
            let is_new = *views != now;
            *views = now;
            is_new
        });
    }

    /// Tells watchers unless they were told just now.
    fn tell_soon(&self) {
        let is_due = self
            .told
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_none_or(|told: Instant| told.elapsed() >= TELL_EVERY);
        if is_due {
            self.tell_now();
        }
    }

    /// Deletes what a transfer that does not move left.
    fn clear(&self, job: &Job) -> Result<(), Error> {
        let folder = self.catalog.folder();
        match job {
            Job::Download(manifest) => discard(folder, &Download::key(&manifest.id)),
            Job::Import(source) => match self.unfinished_import(&source.path) {
                Some(unfinished) => discard(folder, &unfinished.key),
                None => Ok(()),
            },
            Job::Export { model_id, target } => {
                let control = Control::default();
                control.cancel();
                match self.catalog.export(model_id, target, &control) {
                    Ok(_) | Err(Error::Cancelled) => Ok(()),
                    // The disk is away, and with it everything that could be deleted.
                    Err(error) => {
                        tracing::info!(error = errors::chain(&error), "nothing of the export could be deleted");
                        Ok(())
                    }
                }
            }
        }
    }

    fn unfinished_import(&self, path: &Path) -> Option<Unfinished> {
        let all = unfinished(self.catalog.folder()).into_iter();
        all.filter(|one| one.plan.kind == Kind::Import).find(|one| source_path(one).as_deref() == Some(path))
    }
}

/// The paused transfer that an earlier start left as `unfinished`.
fn restored(unfinished: Unfinished) -> Option<Entry> {
    let plan = &unfinished.plan;
    let (id, job) = match plan.kind {
        Kind::Download => {
            let manifest = offer(unfinished.key.strip_prefix("download-")?)?;
            (unfinished.key.clone(), Job::Download(manifest.clone()))
        }
        Kind::Import => {
            let path = source_path(&unfinished)?;
            let source = ImportSource {
                path: path.clone(),
                model: plan.about.name.clone(),
                total_bytes: plan.total_bytes,
                sha256: plan.sha256.clone(),
            };
            (import_id(&path), Job::Import(source))
        }
    };
    let name = if plan.about.name.is_empty() { plan.file_name.clone() } else { plan.about.name.clone() };
    let mut entry = Entry::new(id, job, name, plan.total_bytes);
    entry.view.state = TransferState::Paused;
    entry.view.done_bytes = unfinished.done_bytes;
    entry.view.parts_done = u32::try_from(unfinished.parts_done).unwrap_or(u32::MAX);
    entry.view.parts = u32::try_from(plan.n_parts()).unwrap_or(u32::MAX);
    Some(entry)
}

fn source_path(unfinished: &Unfinished) -> Option<PathBuf> {
    unfinished.plan.source.get("path")?.as_str().map(PathBuf::from)
}

fn import_id(path: &Path) -> String {
    format!("import-{}", short_hash(&path.to_string_lossy()))
}

/// Tells nothing of `text` and is the same for the same text.
fn short_hash(text: &str) -> String {
    sha256_hex(text.as_bytes())[..16].to_owned()
}
