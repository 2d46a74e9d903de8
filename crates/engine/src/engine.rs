//! The handle that the rest of the program holds: one model, one queue, one process to lose.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use generation::{EngineInfo, EngineKind, GenerateError, GenerateRequest, Generation, Generator, TokenEvent};
use tokio::{
    runtime::{Builder, Handle},
    sync::{mpsc, oneshot, watch},
    time::Instant,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    device::DeviceChoice,
    error::Error,
    options::EngineOptions,
    outbox::{CHANNEL_CAPACITY, Outbox},
    queue::{Queue, RequestNumber},
    status::{ModelStatus, WorkerHealth},
    supervisor::Supervisor,
    trial::TrialReport,
    validation,
};

/// What is to be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) model: Option<PathBuf>,
    pub(crate) device: DeviceChoice,
    pub(crate) context_len: usize,
}

/// A request in the queue.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) request: GenerateRequest,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) admitted: Instant,
}

/// The queue and whether it is still open.
#[derive(Debug)]
pub(crate) struct Admission {
    pub(crate) queue: Queue<Waiting>,
    pub(crate) closed: bool,
}

/// From the handles to the supervisor.
#[derive(Debug)]
pub(crate) enum Order {
    /// A request was queued.
    Admitted,
    /// Stop this request.
    Cancel(RequestNumber),
    /// The target changed, or is to be tried again.
    Target,
    /// Measure the target; then tell.
    Trial(oneshot::Sender<Result<TrialReport, GenerateError>>),
    /// Somebody is waiting: end the trial soon.
    EndTrial,
    /// The model leaves the memory after so long without a request.
    IdleAfter(Option<Duration>),
    /// Whether recent conversations are kept ready on disk.
    KeepReady(bool),
    /// Whether fewer cores compute on battery.
    BatterySaver(bool),
    /// Nothing of this conversation is kept any more.
    Forget(String),
    /// Tell when no process is left, or when another model was named meanwhile.
    Closed(oneshot::Sender<()>),
    /// End everything; then tell.
    Shutdown(Option<oneshot::Sender<()>>),
}

/// What handles and supervisor share.
#[derive(Debug)]
pub(crate) struct Shared {
    admission: Mutex<Admission>,
    target: Mutex<Target>,
    status: watch::Sender<ModelStatus>,
    pub(crate) health: watch::Sender<WorkerHealth>,
    /// The tasks that carry events to consumers.
    pub(crate) carriers: TaskTracker,
}

impl Shared {
    pub(crate) fn admission(&self) -> MutexGuard<'_, Admission> {
        self.admission.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn target(&self) -> MutexGuard<'_, Target> {
        self.target.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Publishes what `status` makes of the present target, which cannot change meanwhile.
    pub(crate) fn publish(&self, status: impl FnOnce(&Target) -> ModelStatus) {
        let target = self.target();
        let now = status(&target);
        self.status.send_if_modified(|known| {
            let changed = *known != now;
            *known = now;
            changed
        });
    }
}

/// A handle to the engine; clones share it. When the last one is dropped the worker process ends.
#[derive(Debug, Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    shared: Arc<Shared>,
    orders: mpsc::UnboundedSender<Order>,
    /// Of the engine's own thread.
    runtime: Option<Handle>,
    numbers: AtomicU64,
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Fails only if the supervisor has ended already.
        let _ = self.orders.send(Order::Shutdown(None));
    }
}

impl Engine {
    /// Starts the engine's own thread, which starts the worker if a model is named. Returns at once; see
    /// [`Engine::status`].
    pub fn start(options: EngineOptions) -> Self {
        let target = Target { model: options.model.clone(), device: options.device, context_len: options.context_len };
        let status = initial_status(&target);
        let shared = Arc::new(Shared {
            admission: Mutex::new(Admission { queue: Queue::new(options.queue_len), closed: false }),
            target: Mutex::new(target),
            status: watch::Sender::new(status),
            health: watch::Sender::new(WorkerHealth::default()),
            carriers: TaskTracker::new(),
        });
        let (orders, inbox) = mpsc::unbounded_channel();
        let supervisor = Supervisor::new(options, Arc::clone(&shared), inbox);
        let runtime = match start_thread(supervisor) {
            Ok(handle) => Some(handle),
            Err(source) => {
                let error = GenerateError::from(Error::EngineThread(source));
                shared.status.send_replace(ModelStatus::Failed(error));
                shared.admission().closed = true;
                None
            }
        };
        Self { inner: Arc::new(Inner { shared, orders, runtime, numbers: AtomicU64::new(0) }) }
    }

    /// The model's state, now and whenever it changes.
    pub fn status(&self) -> watch::Receiver<ModelStatus> {
        self.inner.shared.status.subscribe()
    }

    /// The worker process, now and whenever it changes.
    pub fn worker(&self) -> watch::Receiver<WorkerHealth> {
        self.inner.shared.health.subscribe()
    }

    /// Opens another model, or none. The answer being written is finished first; requests that wait are answered by
    /// the new model. Naming the present model again after a failure tries it again.
    pub fn use_model(&self, model: Option<PathBuf>) {
        self.retarget(|target| target.model = model);
    }

    /// As [`Engine::use_model`], on this device.
    pub fn use_model_on(&self, model: PathBuf, device: DeviceChoice) {
        self.retarget(|target| {
            target.model = Some(model);
            target.device = device;
        });
    }

    /// Opens no model any more and returns when the process of the last one is gone, so that its file is free. The
    /// answer being written is finished first.
    pub async fn close_model(&self) {
        self.use_model(None);
        let (done, closed) = oneshot::channel();
        self.order(Order::Closed(done));
        // An error means that the engine was shut down, which ends the process too.
        let _ = closed.await;
    }

    /// The model leaves the memory after so long without a request; `None` keeps it.
    pub fn set_idle_after(&self, idle_after: Option<Duration>) {
        self.order(Order::IdleAfter(idle_after));
    }

    /// Whether what the model has read of recent conversations is kept on disk, in the cache folder, so that reopening one
    /// does not read it again. Saying no removes what is kept.
    pub fn set_keep_ready(&self, keep_ready: bool) {
        self.order(Order::KeepReady(keep_ready));
    }

    /// Removes what is kept of `conversation`, by the name that its requests carry.
    pub fn forget_conversation(&self, conversation: &str) {
        self.order(Order::Forget(conversation.to_owned()));
    }

    /// Whether fewer cores compute while the computer runs on its battery; asked anew before each answer.
    pub fn set_battery_saver(&self, battery_saver: bool) {
        self.order(Order::BatterySaver(battery_saver));
    }

    /// Measures how fast the model writes on this computer; see [`crate::TrialReport`]. It is opened first, where it is
    /// not; answers go before. A request that arrives meanwhile, and [`Engine::end_trial`], end the trial as soon as it
    /// can say something. Where it was ended before, because another model was named, another trial begun or the engine
    /// shut down, the report holds no rate.
    ///
    /// # Errors
    /// If there is no model, it cannot be opened, or its process stops meanwhile.
    pub async fn trial(&self) -> Result<TrialReport, GenerateError> {
        let (report, reported) = oneshot::channel();
        self.order(Order::Trial(report));
        reported.await.unwrap_or_else(|_| Err(Error::ShuttingDown.into()))
    }

    /// Ends a trial under way as soon as it can say something.
    pub fn end_trial(&self) {
        self.order(Order::EndTrial);
    }

    /// Changes the context length, in tokens, from the next answer on.
    pub fn set_context_len(&self, context_len: usize) {
        self.retarget(|target| target.context_len = context_len);
    }

    fn retarget(&self, change: impl FnOnce(&mut Target)) {
        let mut target = self.inner.shared.target();
        let before = target.clone();
        change(&mut target);
        if *target != before {
            // Said at once, so that nobody who waits for `Ready` sees the old one.
            self.inner.shared.status.send_replace(initial_status(&target));
        }
        drop(target);
        self.order(Order::Target);
    }

    /// Cancels everything and ends the worker process; returns when it is gone.
    pub async fn shutdown(&self) {
        let (done, finished) = oneshot::channel();
        self.order(Order::Shutdown(Some(done)));
        // An error means that it was shut down before.
        let _ = finished.await;
    }

    fn order(&self, order: Order) {
        // Fails only after a shutdown, when there is nothing left to order.
        let _ = self.inner.orders.send(order);
    }
}

impl Generator for Engine {
    fn generate(&self, request: GenerateRequest) -> Result<Generation, GenerateError> {
        let inner = &self.inner;
        let target = inner.shared.target().clone();
        validation::request(&request, target.context_len)?;
        if target.model.is_none() {
            return Err(Error::ModelMissing.into());
        }
        let Some(runtime) = &inner.runtime else { return Err(Error::ShuttingDown.into()) };
        let (to, events) = mpsc::channel(CHANNEL_CAPACITY);
        let cancel = CancellationToken::new();
        let outbox = Arc::new(Outbox::default());
        let number = {
            let mut admission = inner.shared.admission();
            if admission.closed {
                return Err(Error::ShuttingDown.into());
            }
            // Numbered under the lock: numbers ascend in the order of the queue.
            let number = inner.numbers.fetch_add(1, Ordering::Relaxed) + 1;
            let waiting = Waiting { request, outbox: Arc::clone(&outbox), admitted: Instant::now() };
            let position = admission.queue.push(number, waiting)?;
            outbox.push(TokenEvent::Queued { position });
            number
        };
        let (token, orders) = (cancel.clone(), inner.orders.clone());
        let carry = async move {
            outbox.carry(to, token, || _ = orders.send(Order::Cancel(number))).await;
        };
        inner.shared.carriers.spawn_on(carry, runtime);
        self.order(Order::Admitted);
        Ok(Generation::new(events, cancel))
    }
}

/// The badge of an answer that ended before any engine was known.
pub(crate) fn no_engine() -> EngineInfo {
    EngineInfo { kind: EngineKind::Local, model: String::new(), device: String::new() }
}

fn initial_status(target: &Target) -> ModelStatus {
    match &target.model {
        Some(path) => ModelStatus::Loading { path: path.clone() },
        None => ModelStatus::Absent,
    }
}

/// The engine has a thread of its own, so that nothing the program does can delay a heartbeat.
fn start_thread(supervisor: Supervisor) -> std::io::Result<Handle> {
    let runtime = Builder::new_current_thread().enable_time().build()?;
    let handle = runtime.handle().clone();
    std::thread::Builder::new().name("aula-engine".into()).spawn(move || runtime.block_on(supervisor.run()))?;
    Ok(handle)
}
