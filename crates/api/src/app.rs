//! The app's shared handles: the store, the open model, the answers being written, the page's loads.

use crate::dto::{IpcError, ModelStatus};
use crate::elsewhere::Elsewhere;
use crate::failure::{Refusal, Reply};
use crate::host::Models;
use crate::images::Images;
use crate::installed_models::open_patiently;
use crate::network_state::Record;
use crate::opening::{Opening, Slot};
use crate::profile::Lock;
use crate::transfers::{self, Picker, TransferPort};
use generation::EngineKind;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;
use store::Store;
use tokio::sync::{Mutex, watch};
use tokio_util::sync::CancellationToken;

/// What the app is started with.
pub struct AppOptions {
    /// Where conversations and settings lie.
    pub data_dir: PathBuf,
    /// The models of this computer.
    pub models: Arc<dyn Models>,
    /// The system's locale, e.g. `es_CO.UTF-8`; decides the language until a person chooses one.
    pub locale: Option<String>,
    /// Models on their way in and out.
    pub transfers: Arc<dyn TransferPort>,
    /// Asks a person for a folder or file.
    pub picker: Arc<dyn Picker>,
    /// Engines on other computers.
    pub elsewhere: Elsewhere,
}

/// Everything the commands share; cheap to clone.
#[derive(Clone)]
pub struct App {
    inner: Arc<Inner>,
}

struct Inner {
    /// The store, or why every command that needs it fails.
    store: Result<OpenStore, IpcError>,
    lock: Lock,
    opening: Opening,
    transfers: Arc<dyn TransferPort>,
    picker: Arc<dyn Picker>,
    elsewhere: Elsewhere,
    images: Images,
    record: Record,
    locale: Option<String>,
    /// Held from the check that a conversation is free until its answer is registered.
    admission: Mutex<()>,
    active: watch::Sender<HashMap<String, Active>>,
    next_request: AtomicU64,
    page_loads: watch::Sender<u64>,
    page_paints: watch::Sender<u64>,
}

/// The store and whose rows we read.
pub(crate) struct OpenStore {
    pub(crate) store: Store,
    pub(crate) learner: String,
    /// Whether a PIN was asked for at the start.
    pub(crate) has_pin: bool,
    pub(crate) was_damaged: bool,
}

/// The app as long as somebody else holds it.
pub(crate) struct WeakApp(Weak<Inner>);

impl WeakApp {
    pub(crate) fn upgrade(&self) -> Option<App> {
        self.0.upgrade().map(|inner| App { inner })
    }
}

/// An answer being written.
struct Active {
    what: Busy,
    /// Who writes it, where that is not this computer.
    elsewhere: Option<EngineKind>,
    cancel: CancellationToken,
}

/// What is being written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Busy {
    /// An answer in this conversation.
    Conversation(String),
    /// Something that a tool makes.
    Tool,
}

impl App {
    /// Opens the store and begins to open a model, which goes on behind. A store that cannot be opened does not
    /// prevent the start: every command then says why.
    ///
    /// Call it inside a tokio runtime.
    pub async fn start(options: AppOptions) -> Self {
        let store = open_store(&options.data_dir).await;
        let refused = store.as_ref().err().map(|error| ModelStatus::Failed { error: error.clone() });
        let has_store = store.is_ok();
        let app = Self {
            inner: Arc::new(Inner {
                record: Record::start(store.as_ref().ok().map(|open| (open.store.clone(), open.learner.clone()))),
                lock: Lock::new(store.as_ref().is_ok_and(|open| open.has_pin)),
                store,
                opening: Opening::new(options.models, &options.data_dir, refused),
                transfers: options.transfers,
                picker: options.picker,
                elsewhere: options.elsewhere,
                images: Images::default(),
                locale: options.locale,
                admission: Mutex::new(()),
                active: watch::Sender::new(HashMap::new()),
                next_request: AtomicU64::new(1),
                page_loads: watch::Sender::new(0),
                page_paints: watch::Sender::new(0),
            }),
        };
        app.inner.elsewhere.on_connect(app.inner.record.observer());
        transfers::follow(&app).await;
        if has_store {
            let opener = app.clone();
            // Cancels nothing: a question may have been asked already.
            tokio::spawn(async move { opener.rescan_models().await });
        }
        app
    }

    /// Stops answers (their text is kept), ends the model and closes the store.
    pub async fn close(&self) {
        self.cancel_all();
        let mut active = self.inner.active.subscribe();
        // An engine that does not let go must not keep the program from ending; its answer is marked at the next start.
        let _ = tokio::time::timeout(Duration::from_secs(4), active.wait_for(HashMap::is_empty)).await;
        self.inner.transfers.close();
        self.inner.opening.close().await;
        if let Ok(open) = &self.inner.store {
            self.inner.record.close().await;
            open.store.close().await;
        }
    }

    /// The page begins to load: what an earlier load asked for is cancelled, its text kept.
    pub fn page_started(&self) {
        self.inner.page_loads.send_modify(|n| *n += 1);
        self.cancel_all();
    }

    /// How often the page has painted; the window waits for the first time.
    pub fn page_paints(&self) -> watch::Receiver<u64> {
        self.inner.page_paints.subscribe()
    }

    pub(crate) fn page_painted(&self) {
        self.inner.page_paints.send_modify(|n| *n += 1);
    }

    pub(crate) fn page_loads(&self) -> watch::Receiver<u64> {
        self.inner.page_loads.subscribe()
    }

    pub(crate) fn locale(&self) -> Option<&str> {
        self.inner.locale.as_deref()
    }

    /// The store, for commands that a locked profile refuses.
    pub(crate) fn store(&self) -> Reply<&OpenStore> {
        if self.inner.lock.is_closed() {
            return Err(Refusal::Locked.into());
        }
        self.locked_store()
    }

    /// The store, for the few things that a locked profile allows and for the app itself.
    pub(crate) fn locked_store(&self) -> Reply<&OpenStore> {
        self.inner.store.as_ref().map_err(Clone::clone)
    }

    /// Refuses while the profile is locked, and where nothing could be written down, a connection not either.
    pub(crate) fn admit(&self) -> Reply<()> {
        self.store().map(drop)
    }

    pub(crate) fn lock(&self) -> &Lock {
        &self.inner.lock
    }

    pub(crate) fn transfers(&self) -> Arc<dyn TransferPort> {
        Arc::clone(&self.inner.transfers)
    }

    pub(crate) fn record(&self) -> &Record {
        &self.inner.record
    }

    pub(crate) fn picker(&self) -> Arc<dyn Picker> {
        Arc::clone(&self.inner.picker)
    }

    pub(crate) fn elsewhere(&self) -> &Elsewhere {
        &self.inner.elsewhere
    }

    pub(crate) fn images(&self) -> &Images {
        &self.inner.images
    }

    pub(crate) fn opening(&self) -> &Opening {
        &self.inner.opening
    }

    /// For tasks that must not keep the app from ending.
    pub(crate) fn downgrade(&self) -> WeakApp {
        WeakApp(Arc::downgrade(&self.inner))
    }

    pub(crate) fn model_status(&self) -> watch::Receiver<ModelStatus> {
        self.inner.opening.status()
    }

    pub(crate) fn slot(&self) -> watch::Receiver<Slot> {
        self.inner.opening.slot()
    }
}

/// The answers being written.
impl App {
    /// A request id that no other request of this run has.
    pub(crate) fn new_request_id(&self) -> String {
        format!("ask-{}", self.inner.next_request.fetch_add(1, Ordering::Relaxed))
    }

    /// The right to look whether a conversation is free and to register an answer in it.
    pub(crate) async fn admission(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.inner.admission.lock().await
    }

    pub(crate) fn is_busy(&self, conversation_id: &str) -> bool {
        self.is_at_work(&Busy::Conversation(conversation_id.to_owned()))
    }

    pub(crate) fn is_at_work(&self, what: &Busy) -> bool {
        self.inner.active.borrow().values().any(|active| active.what == *what)
    }

    pub(crate) fn register(&self, request_id: &str, what: Busy, by: EngineKind) -> CancellationToken {
        let cancel = CancellationToken::new();
        let elsewhere = Some(by).filter(|kind| matches!(kind, EngineKind::Cloud | EngineKind::School));
        let active = Active { what, elsewhere, cancel: cancel.clone() };
        self.inner.active.send_modify(|all| {
            all.insert(request_id.to_owned(), active);
        });
        cancel
    }

    pub(crate) fn unregister(&self, request_id: &str) {
        self.inner.active.send_modify(|all| {
            all.remove(request_id);
        });
    }

    pub(crate) fn cancel_request(&self, request_id: &str) {
        if let Some(active) = self.inner.active.borrow().get(request_id) {
            active.cancel.cancel();
        }
    }

    pub(crate) fn cancel_conversation(&self, conversation_id: &str) {
        let what = Busy::Conversation(conversation_id.to_owned());
        for active in self.inner.active.borrow().values().filter(|active| active.what == what) {
            active.cancel.cancel();
        }
    }

    /// Stops everything that an engine of `kind` on another computer is writing.
    pub(crate) fn cancel_elsewhere(&self, kind: EngineKind) {
        for active in self.inner.active.borrow().values().filter(|active| active.elsewhere == Some(kind)) {
            active.cancel.cancel();
        }
    }

    pub(crate) fn cancel_all(&self) {
        for active in self.inner.active.borrow().values() {
            active.cancel.cancel();
        }
    }
}

/// How long the data folder may be somebody else's before the start gives up: `aula` in a terminal, or a window that
/// is just closing, holds it for a moment.
const STORE_PATIENCE: Duration = Duration::from_millis(1500);

async fn open_store(data_dir: &std::path::Path) -> Result<OpenStore, IpcError> {
    let opened = open_patiently(data_dir, STORE_PATIENCE).await?;
    if opened.interrupted > 0 {
        tracing::info!(answers = opened.interrupted, "answers of the last run were left unfinished");
    }
    let learner = opened.store.default_learner().await?;
    Ok(OpenStore {
        store: opened.store,
        learner: learner.id,
        has_pin: learner.has_pin,
        was_damaged: opened.set_aside.is_some(),
    })
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("answers", &self.inner.active.borrow().len()).finish_non_exhaustive()
    }
}
