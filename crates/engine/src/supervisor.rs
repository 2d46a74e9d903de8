//! The actor that owns the worker process: it starts it, watches it, feeds it from the queue, and never waits for it.

mod choices;
mod reports;
mod rest;
mod trials;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use generation::{Completion, EngineInfo, FinishReason, GenerateError, Timings, TokenEvent, Usage};
use tokio::{
    sync::{mpsc, oneshot},
    time::{self, Instant, MissedTickBehavior},
};

use crate::{
    engine::{Order, Shared, Target, no_engine},
    error::Error,
    options::EngineOptions,
    outbox::Outbox,
    protocol::{Command, Hello, LoadRequest, ModelFacts},
    queue::RequestNumber,
    restart::RestartPolicy,
    status::ModelStatus,
    trial::TrialReport,
    watchdog::{Duty, Signs},
    worker_process::{FromWorker, WorkerProcess},
};

/// Reports in flight between a worker's thread and the supervisor; beyond it the pipe fills and the worker waits.
const REPORT_CAPACITY: usize = 256;
/// How long a worker may take to end when asked, and consumers to take their last events.
const SHUTDOWN_GRACE: time::Duration = time::Duration::from_secs(2);

/// See the module.
pub(crate) struct Supervisor {
    options: EngineOptions,
    shared: Arc<Shared>,
    orders: mpsc::UnboundedReceiver<Order>,
    reports: mpsc::Receiver<(u64, FromWorker)>,
    /// Cloned into each worker's thread.
    report_to: mpsc::Sender<(u64, FromWorker)>,
    worker: Option<Worker>,
    /// Counts workers, loads and pings.
    counter: u64,
    active: Option<Active>,
    restart: RestartPolicy,
    /// Not before this time is a worker started again.
    retry_at: Option<Instant>,
    /// Why there is no worker until somebody asks again.
    failed: Option<GenerateError>,
    last_tick: Instant,
    /// What left the memory, until somebody asks.
    resting: Option<rest::Resting>,
    idle: rest::Idle,
    trial: Option<trials::Trial>,
    /// Who waits for the end of the process.
    closers: Vec<oneshot::Sender<()>>,
}

struct Worker {
    process: WorkerProcess,
    number: u64,
    phase: Phase,
    signs: Signs,
}

enum Phase {
    /// Started; it has not greeted yet.
    Greeting,
    /// Opening a model.
    Loading { id: u64, target: Target },
    /// A model is open.
    Open { target: Target, facts: Box<ModelFacts> },
    /// It was killed; its end is awaited, so that two never hold memory together.
    Leaving,
}

/// The request being answered.
struct Active {
    number: RequestNumber,
    outbox: Arc<Outbox>,
    queue_s: f64,
    engine: EngineInfo,
    cancelled_at: Option<Instant>,
}

impl Supervisor {
    pub(crate) fn new(options: EngineOptions, shared: Arc<Shared>, orders: mpsc::UnboundedReceiver<Order>) -> Self {
        let (report_to, reports) = mpsc::channel(REPORT_CAPACITY);
        let watchdog = &options.watchdog;
        let restart = RestartPolicy::new(watchdog.crash_limit, watchdog.crash_window, watchdog.restart_delay);
        Self {
            options,
            shared,
            orders,
            reports,
            report_to,
            worker: None,
            counter: 0,
            active: None,
            restart,
            retry_at: None,
            failed: None,
            last_tick: Instant::now(),
            resting: None,
            idle: rest::Idle::new(Instant::now()),
            trial: None,
            closers: Vec::new(),
        }
    }

    /// Serves until somebody asks for the end.
    pub(crate) async fn run(mut self) {
        self.last_tick = Instant::now();
        let mut ticks = time::interval(self.options.watchdog.ping_every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let done = loop {
            self.drive();
            let retry_at = self.retry_at;
            tokio::select! {
                order = self.orders.recv() => match order {
                    None => break None,
                    Some(Order::Shutdown(done)) => break done,
                    Some(Order::Cancel(number)) => self.cancel(number),
                    Some(Order::Admitted) => {
                        self.end_trial();
                        if self.failed.is_some() { self.try_again() }
                    }
                    Some(Order::Target) => self.try_again(),
                    Some(Order::Trial(report)) => self.begin_trial(report),
                    Some(Order::EndTrial) => self.end_trial(),
                    Some(Order::IdleAfter(idle_after)) => self.options.idle_after = idle_after,
                    Some(Order::KeepReady(on)) => self.keep_ready(on),
                    Some(Order::BatterySaver(on)) => self.battery_saver(on),
                    Some(Order::Forget(conversation)) => self.forget(conversation),
                    Some(Order::Closed(done)) => self.closers.push(done),
                },
                Some((number, event)) = self.reports.recv() => self.hear(number, event),
                _ = ticks.tick() => self.watch(),
                () = time::sleep_until(retry_at.unwrap_or_else(Instant::now)), if retry_at.is_some() => {
                    self.retry_at = None;
                }
            }
        };
        self.end(done).await;
    }

    /// Takes every step that the present state allows, then says what the state is.
    fn drive(&mut self) {
        let target = self.shared.target().clone();
        self.step(&target);
        if self.worker.is_none() || target.model.is_some() {
            // Whoever asked may have stopped waiting.
            self.closers.drain(..).for_each(|done| _ = done.send(()));
        }
        self.shared.publish(|target| match (&target.model, &self.failed, &self.worker) {
            (None, _, _) => ModelStatus::Absent,
            (_, Some(error), _) => ModelStatus::Failed(error.clone()),
            (_, None, Some(Worker { phase: Phase::Open { target: open, facts }, .. })) if open == target => {
                ModelStatus::Ready((**facts).clone())
            }
            (Some(path), _, _) => match self.resting.as_ref().filter(|resting| resting.target == *target) {
                Some(resting) => ModelStatus::Resting { facts: resting.facts.clone(), for_memory: resting.for_memory },
                None => ModelStatus::Loading { path: path.clone() },
            },
        });
    }

    fn step(&mut self, target: &Target) {
        self.wake_if_wanted(target);
        self.give_up_stale_trial(target);
        let Some(path) = &target.model else {
            if self.active.is_none() {
                self.refuse_waiting(&Error::ModelMissing.into());
                self.dismiss();
            }
            return;
        };
        let Some(worker) = &self.worker else {
            if self.failed.is_none() && self.retry_at.is_none() && self.resting.is_none() {
                self.start_worker();
            }
            return;
        };
        match &worker.phase {
            Phase::Open { target: open, .. } if self.active.is_none() && !self.trial_runs() => {
                if open == target {
                    self.next_request();
                    self.next_trial();
                } else if (&open.model, open.device) == (&target.model, target.device) {
                    self.load(path.clone(), target.clone());
                } else {
                    // A new process for a new model: all memory of the old one returns to the system.
                    self.dismiss();
                }
            }
            Phase::Loading { target: loading, .. }
                if (&loading.model, loading.device) != (&target.model, target.device) =>
            {
                self.dismiss();
            }
            _ => {}
        }
    }

    fn start_worker(&mut self) {
        let number = self.next_id();
        match WorkerProcess::start(&self.options.worker, number, self.report_to.clone()) {
            Ok(process) => {
                tracing::info!(pid = process.pid(), "model process started");
                self.shared.health.send_modify(|health| {
                    health.pid = Some(process.pid());
                    health.rss_bytes = None;
                    health.started += 1;
                });
                let (phase, signs) = (Phase::Greeting, Signs::new(Instant::now()));
                self.worker = Some(Worker { process, number, phase, signs });
                self.tell(&Command::Hello(Hello::ours()));
                self.tell(&Command::Choices(self.options.choices()));
            }
            Err(error) => self.fail(error.into()),
        }
    }

    fn load(&mut self, path: PathBuf, target: Target) {
        // Messages are JSON, which is Unicode; file names on Linux need not be.
        if path.to_str().is_none() {
            self.fail(Error::ModelPath { path }.into());
            return;
        }
        let id = self.next_id();
        let unicode = |path: &Path| PathBuf::from(path.to_string_lossy().into_owned());
        let load = LoadRequest {
            packed_dirs: self.options.packed_dirs(&path).iter().map(|dir| unicode(dir)).collect(),
            path,
            device: target.device,
            context_len: target.context_len,
            cache_dir: unicode(&self.options.cache_dir),
            speculate: self.options.speculate,
        };
        if let Some(worker) = &mut self.worker {
            worker.phase = Phase::Loading { id, target };
            worker.signs.restart(Instant::now());
        }
        self.tell(&Command::Load { id, load });
    }

    /// Hands the oldest waiting request to the worker, which is idle.
    fn next_request(&mut self) {
        let Some(Worker { process, phase: Phase::Open { facts, .. }, signs, .. }) = &mut self.worker else { return };
        let (number, waiting) = {
            let mut admission = self.shared.admission();
            let Some(first) = admission.queue.pop() else { return };
            admission.queue.moved(|waiting, position| waiting.outbox.push(TokenEvent::Queued { position }));
            first
        };
        let now = Instant::now();
        signs.progressed(now);
        let request_id = waiting.request.request_id.clone();
        tracing::debug!(request_id, number, "request begins");
        match process.send(&Command::Generate { id: number, request: waiting.request }) {
            Ok(()) => {
                self.active = Some(Active {
                    number,
                    outbox: waiting.outbox,
                    queue_s: now.duration_since(waiting.admitted).as_secs_f64(),
                    engine: facts.engine.clone(),
                    cancelled_at: None,
                });
            }
            Err(error) => {
                waiting.outbox.push(TokenEvent::Failed(error.into()));
                // The next one must not wait for the next event.
                self.next_request();
            }
        }
    }

    fn cancel(&mut self, number: RequestNumber) {
        let waiting = {
            let mut admission = self.shared.admission();
            let waiting = admission.queue.remove(number);
            admission.queue.moved(|waiting, position| waiting.outbox.push(TokenEvent::Queued { position }));
            waiting
        };
        if let Some(waiting) = waiting {
            let queue_s = waiting.admitted.elapsed().as_secs_f64();
            waiting.outbox.push(cancelled(queue_s, no_engine()));
        } else if let Some(active) = self.active.as_mut().filter(|active| active.number == number) {
            active.cancelled_at.get_or_insert_with(Instant::now);
            self.tell(&Command::Cancel { id: number });
        }
    }

    /// Somebody asked for the model again.
    fn try_again(&mut self) {
        self.failed = None;
        self.retry_at = None;
        self.restart.reset();
    }

    /// Ends the worker without ceremony: it holds nothing worth saving.
    fn dismiss(&mut self) {
        if let Some(worker) = &mut self.worker
            && !matches!(worker.phase, Phase::Leaving)
        {
            worker.phase = Phase::Leaving;
            worker.process.kill();
        }
    }

    /// One look at the clock: is the worker still there, and does it get on?
    fn watch(&mut self) {
        let now = Instant::now();
        let watchdog = &self.options.watchdog;
        let slept = watchdog.slept(self.last_tick, now);
        self.last_tick = now;
        let Some(worker) = &mut self.worker else { return };
        if slept {
            worker.signs.restart(now);
            if let Some(cancelled_at) = self.active.as_mut().and_then(|active| active.cancelled_at.as_mut()) {
                *cancelled_at = now;
            }
        }
        let trying = self.trial.as_ref().is_some_and(|trial| trial.id.is_some());
        let duty = match (&worker.phase, &self.active) {
            (Phase::Leaving, _) => return,
            (Phase::Greeting, _) => Duty::Greet,
            (Phase::Loading { .. }, _) => Duty::Load,
            // A trial on a slow disk computes layer after layer as an answer does.
            (Phase::Open { .. }, None) if trying => Duty::Answer { cancelled_at: None },
            (Phase::Open { .. }, None) => Duty::Wait,
            (Phase::Open { .. }, Some(active)) => Duty::Answer { cancelled_at: active.cancelled_at },
        };
        if let Some(limit) = worker.signs.overdue(duty, now, watchdog) {
            tracing::warn!(seconds = limit.as_secs(), "model process hangs");
            self.dismiss();
            self.lost(&Error::WorkerHung { seconds: limit.as_secs().max(1) });
        } else if duty != Duty::Greet && worker.signs.may_ping() {
            self.counter += 1;
            worker.signs.pinged(self.counter, now);
            self.tell(&Command::Ping { id: self.counter });
        }
        self.rest_if_idle(now);
    }

    /// Cancels everything, ends the worker, waits until it is gone and consumers have their last events.
    async fn end(mut self, done: Option<oneshot::Sender<()>>) {
        let waiting = {
            let mut admission = self.shared.admission();
            admission.closed = true;
            admission.queue.drain()
        };
        for (_, waiting) in waiting {
            waiting.outbox.push(cancelled(waiting.admitted.elapsed().as_secs_f64(), no_engine()));
        }
        if let Some(active) = self.active.take() {
            active.outbox.push(cancelled(active.queue_s, active.engine));
        }
        self.trial_ended(Ok(TrialReport { ended_early: true, ..TrialReport::default() }));
        self.tell(&Command::Shutdown);
        if time::timeout(SHUTDOWN_GRACE, self.worker_gone()).await.is_err() {
            self.dismiss();
            let _ = time::timeout(SHUTDOWN_GRACE, self.worker_gone()).await;
        }
        self.worker = None;
        self.shared.health.send_modify(|health| health.pid = None);
        if let Some(done) = done {
            // The caller may have stopped waiting.
            let _ = done.send(());
        }
        self.closers.drain(..).for_each(|done| _ = done.send(()));
        self.shared.carriers.close();
        let _ = time::timeout(SHUTDOWN_GRACE, self.shared.carriers.wait()).await;
    }

    async fn worker_gone(&mut self) {
        let Some(present) = self.worker.as_ref().map(|worker| worker.number) else { return };
        while let Some((number, event)) = self.reports.recv().await {
            if number == present && matches!(event, FromWorker::Gone(_)) {
                return;
            }
        }
    }

    fn tell(&self, command: &Command) {
        if let Some(worker) = &self.worker
            && let Err(error) = worker.process.send(command)
        {
            tracing::error!(message = errors::chain(&error), "command not sent");
        }
    }

    fn next_id(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }
}

/// The end of a request that was cancelled before the worker could say more.
fn cancelled(queue_s: f64, engine: EngineInfo) -> TokenEvent {
    TokenEvent::Finished(Completion {
        finish_reason: FinishReason::Cancelled,
        usage: Usage::default(),
        timings: Timings { queue_s, ..Timings::default() },
        token_ids: Vec::new(),
        engine,
    })
}
