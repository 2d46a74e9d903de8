//! The threads that compute, and the one way in which work is given to them: numbered items, claimed one by one.
//!
//! A forward pass runs a few hundred jobs for each token, back to back, each of a few dozen items of some microseconds.
//! So a job has to cost next to nothing while every thread is on its core, and must not wait for a thread that the
//! system has taken off its core: on a pupil's laptop a browser takes cores away all the time. Hence:
//!
//! * **Nobody owns a share.** Items are claimed one by one; a thread without a core holds up the item it is working on
//!   and nothing else.
//! * **Nobody has to arrive.** A job is over when its items are done. A thread that slept through it never hears of it.
//! * **Who waits leaves its core soon.** After `SPIN` without work a thread parks, and so does a caller whose last
//!   items take that long. The core is idle then, and the system can put the thread there that everybody waits for.
//!   Nobody yields: a core given to a busy program for a slice is gone for milliseconds, a parked thread is not.
//!
//! # Protocol
//!
//! All state is in `job::Shared`:
//!
//! | field | meaning |
//! |---|---|
//! | `remaining` | items of the present job that nobody has claimed; 0 or less: nothing to claim |
//! | `task`, `n_items` | the present job; to be read by those who hold a claim |
//! | `unfinished` | items of the present job that are not reported as done; the top bit: the caller is parked |
//! | `allowed` | threads that may claim, the caller included; changed by the caller between two jobs |
//! | `asleep` | one bit for each thread of the pool that is parked or about to park |
//!
//! 1. The caller, which holds the lock that makes callers take turns, writes `allowed`, `task`, `n_items`, `unfinished`,
//!    and then publishes the job by one store of `n_items` to `remaining`.
//! 2. To claim is to subtract 1 from `remaining`; the claim is good if the value before was above 0, and its item is
//!    `n_items` less that value. Who holds a good claim runs the item, and claims on. Who fails to claim reports the items
//!    it has done by subtracting their number from `unfinished`.
//! 3. The caller claims like everybody else, and then waits until `unfinished` is 0.
//!
//! **A claim is always for the job that is running.** `remaining` has one order of modifications. A good claim found a
//! value above 0, so it comes after the publication of some job and before the last item of that job was claimed; and that
//! job cannot end before the claimed item is reported, as it counts in `unfinished`. A thread that was away between
//! looking at `remaining` and subtracting from it gets an item of the job that runs *now*, or none, whatever it saw
//! before: what it saw before is not used. There is nothing to confuse (no ABA), because a claim says nothing of which job
//! it meant.
//!
//! **The task outlives its use.** `task` points to a borrow of the caller's. It is read after a good claim and used until
//! that claim is reported; the caller does not return, nor unwind, before everything is reported. The claim acquires
//! from the publishing store (subtractions in between continue its release sequence), so what is read is this job's. A
//! report releases, and the caller's look at `unfinished` acquires, so all reads of `task` and all writes of the
//! items happen before [`Pool::run`] returns, and before the next job is written.
//!
//! **Claims that fail do no harm.** Each thread subtracts in vain at most once for each job, then only looks until there is
//! something to claim; `remaining` falls below 0 by the number of threads at most, and the next publication overwrites it.
//!
//! **No wake-up is lost, and none is needed.** A thread that wants to park sets its bit in `asleep`, then looks at
//! `remaining` once more; the caller publishes, then looks at `asleep`. All four are sequentially consistent, so one of the
//! two sees the other. Were it otherwise, the caller would do the items alone: for the result nobody is needed but the
//! caller and those who hold claims. The caller parks by setting the top bit of `unfinished`; the report that leaves
//! nothing but this bit wakes it, under the lock of the condition variable.

use std::{
    any::Any,
    cell::Cell,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

mod affinity;
mod job;

use job::Shared;

/// How long a thread looks for work, and a caller for the end of its job, before it leaves its core. Longer than what lies
/// between two jobs of a token and than an item; shorter or longer is slower while every core is busy, and no faster idle.
const SPIN: Duration = Duration::from_micros(20);

/// Threads a pool can have, the caller's included: one bit of a word for each of the others.
pub const MAX_THREADS: usize = 65;

/// A fixed set of threads. One job runs at a time; its items are claimed dynamically, so that a thread which the system
/// has taken off its core holds up no more than the item it is working on.
pub struct Pool {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
    /// Callers take turns.
    turn: Mutex<()>,
    /// Threads that may compute, the caller's included.
    active: AtomicUsize,
    stop: Arc<AtomicBool>,
}

thread_local! {
    /// Whether this thread is running an item, of any pool.
    static IN_ITEM: Cell<bool> = const { Cell::new(false) };
}

impl Pool {
    /// A pool of `threads` threads, the caller's included; at least one, at most [`MAX_THREADS`]. If the system refuses a
    /// thread, those that it gave do the work.
    pub fn new(threads: usize) -> Self {
        Self::on_cpus(threads, None)
    }

    /// As [`Pool::new`], with threads that stay on the logical processors `cpus`, numbered as the system numbers them.
    /// Each may run on all of them. Where the system does not take such wishes (macOS), or none of `cpus` exists, they run
    /// anywhere. The caller's thread is not touched: see [`Pool::bind_caller`].
    pub fn on_cpus(threads: usize, cpus: Option<&[usize]>) -> Self {
        let shared = Arc::new(Shared::new());
        let stop = Arc::new(AtomicBool::new(false));
        let mut workers = Vec::new();
        for index in 0..threads.clamp(1, MAX_THREADS) - 1 {
            let (shared, stop) = (Arc::clone(&shared), Arc::clone(&stop));
            let cpus = cpus.map(<[usize]>::to_vec);
            let work = move || {
                if let Some(cpus) = cpus {
                    affinity::bind_current_thread(&cpus);
                }
                IN_ITEM.set(true);
                shared.serve(index, &stop);
            };
            match thread::Builder::new().name(format!("compute-{}", index + 1)).spawn(work) {
                Ok(worker) => workers.push(worker),
                Err(error) => {
                    tracing::warn!(%error, threads = index + 1, "the system gives no more threads");
                    break;
                }
            }
        }
        let active = AtomicUsize::new(workers.len() + 1);
        Self { shared, workers, turn: Mutex::new(()), active, stop }
    }

    /// Keeps the calling thread on the logical processors `cpus`, as [`Pool::on_cpus`] does with the pool's own, until it
    /// is bound anew. Whether the system did so.
    pub fn bind_caller(cpus: &[usize]) -> bool {
        affinity::bind_current_thread(cpus)
    }

    /// Threads that were created, the caller's included.
    pub fn threads(&self) -> usize {
        self.workers.len() + 1
    }

    /// Threads that may compute, the caller's included; at most [`Pool::threads`].
    pub fn active(&self) -> usize {
        self.active.load(Ordering::Relaxed)
    }

    /// From the next job on at most `n` threads compute, the caller's included; at least one, at most [`Pool::threads`].
    /// The others leave their cores.
    pub fn set_active(&self, n: usize) {
        self.active.store(n.clamp(1, self.threads()), Ordering::Relaxed);
    }

    /// Runs `task(item)` once for every item in `0..n_items`, on several threads, and returns when all are done. Items are
    /// begun in their order. What the items have written is visible to the caller afterwards. Nothing is allocated.
    ///
    /// Callers on several threads take turns. A job begun within an item runs on the thread of that item.
    ///
    /// # Panics
    /// If an item panics: with the payload of the first that did, after all items that were begun have ended.
    pub fn run(&self, n_items: usize, task: &(dyn Fn(usize) + Sync)) {
        let active = self.active();
        if n_items <= 1 || active <= 1 || n_items > isize::MAX as usize || IN_ITEM.get() {
            for item in 0..n_items {
                task(item);
            }
            return;
        }
        let turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        IN_ITEM.set(true);
        self.shared.publish(n_items, &task, active);
        self.wake(active, n_items - 1);
        self.shared.work();
        self.shared.wait();
        IN_ITEM.set(false);
        let panicked = self.shared.take_panic();
        drop(turn);
        if let Some(payload) = panicked {
            resume_unwind(payload);
        }
    }

    /// Wakes at most `wanted` of the parked ones among the first `threads`, the caller included.
    fn wake(&self, threads: usize, wanted: usize) {
        let mut asleep = self.shared.asleep(threads);
        for _ in 0..wanted {
            if asleep == 0 {
                break;
            }
            let index = asleep.trailing_zeros() as usize;
            asleep &= asleep - 1;
            if self.shared.wake(index) {
                self.workers[index].thread().unpark();
            }
        }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("threads", &self.threads()).field("active", &self.active()).finish_non_exhaustive()
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        for worker in self.workers.drain(..) {
            // A thread that has not parked yet finds the token and does not park.
            worker.thread().unpark();
            // Items' panics are caught, so that there is nothing to learn from how it ended.
            drop(worker.join());
        }
    }
}

/// Runs `f`; the payload if it panics.
fn caught(f: impl FnOnce()) -> Option<Box<dyn Any + Send>> {
    // What an item leaves half done is seen by the caller of `Pool::run` alone, which gets the panic.
    catch_unwind(AssertUnwindSafe(f)).err()
}

#[cfg(test)]
mod tests;
