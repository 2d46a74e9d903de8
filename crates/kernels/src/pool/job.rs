//! What the threads of a pool share: the present job, and who waits. The protocol is described in [`super`].

use std::{
    any::Any,
    ptr,
    sync::{
        Condvar, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicIsize, AtomicPtr, AtomicU64, AtomicUsize, Ordering},
    },
    thread,
    time::Instant,
};

use super::{SPIN, caught};

/// Looks at shared state between two looks at the clock.
const LOOKS: usize = 16;

/// In `unfinished`: the caller is parked.
const CALLER_PARKED: usize = 1 << (usize::BITS - 1);

/// A cache line of its own, and the neighbour that processors fetch along with it.
#[repr(align(128))]
struct Line<T>(T);

/// A job's items, as the caller of `Pool::run` has them.
type Task<'a> = &'a (dyn Fn(usize) + Sync);

pub(super) struct Shared {
    /// Written by every claim.
    remaining: Line<AtomicIsize>,
    /// Written once for each job and thread.
    unfinished: Line<AtomicUsize>,
    /// Written once for each job.
    job: Line<Job>,
    allowed: AtomicUsize,
    asleep: Line<AtomicU64>,
    /// For the caller that waits parked.
    parked: Mutex<()>,
    finished: Condvar,
    panicked: AtomicBool,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

struct Job {
    /// A `*const Task`, without the type because its lifetime ends with the job.
    task: AtomicPtr<()>,
    n_items: AtomicUsize,
}

impl Shared {
    pub(super) fn new() -> Self {
        Self {
            remaining: Line(AtomicIsize::new(0)),
            unfinished: Line(AtomicUsize::new(0)),
            job: Line(Job { task: AtomicPtr::new(ptr::null_mut()), n_items: AtomicUsize::new(0) }),
            allowed: AtomicUsize::new(1),
            asleep: Line(AtomicU64::new(0)),
            parked: Mutex::new(()),
            finished: Condvar::new(),
            panicked: AtomicBool::new(false),
            panic: Mutex::new(None),
        }
    }

    /// Makes `task` the present job, for the first `threads` threads, the caller included. The caller has the turn, calls [`Shared::work`] and [`Shared::wait`] next, and keeps
    /// `task` where it is until then. `n_items` is from 1 to `isize::MAX`.
    pub(super) fn publish(&self, n_items: usize, task: &Task<'_>, threads: usize) {
        self.allowed.store(threads, Ordering::SeqCst);
        self.job.0.task.store(ptr::from_ref(task).cast_mut().cast(), Ordering::Relaxed);
        self.job.0.n_items.store(n_items, Ordering::Relaxed);
        self.unfinished.0.store(n_items, Ordering::Relaxed);
        self.remaining.0.store(n_items as isize, Ordering::SeqCst);
    }

    /// Takes an item, if there is one: how many were left, this one included.
    fn claim(&self) -> Option<usize> {
        let before = self.remaining.0.fetch_sub(1, Ordering::Acquire);
        usize::try_from(before).ok().filter(|left| *left > 0)
    }

    /// Claims items and runs them until none is left, then reports them. Never unwinds.
    pub(super) fn work(&self) {
        let Some(mut left) = self.claim() else { return };
        let task = self.job.0.task.load(Ordering::Relaxed).cast_const().cast::<Task<'_>>();
        // SAFETY: `task` was written by `publish` before the store to `remaining` from which the claim acquired, and is not
        // written again before this job ends. It points to a `Task` on the stack of the caller of `Pool::run`, which stays
        // there until `wait` has seen every item reported; the item just claimed is reported by `report` below, after
        // the last use of `task`, and every item claimed later counts like it. `Task` is `Sync`, so that this thread may
        // use it.
        let task: Task<'_> = unsafe { *task };
        let n_items = self.job.0.n_items.load(Ordering::Relaxed);
        let mut done = 0;
        let mut more = true;
        while more {
            let panicked = caught(|| {
                while more {
                    // Counted first, for the case that it panics.
                    done += 1;
                    task(n_items - left);
                    match self.claim() {
                        Some(next) => left = next,
                        None => more = false,
                    }
                }
            });
            if let Some(payload) = panicked {
                self.keep_panic(payload);
                match self.claim() {
                    Some(next) => left = next,
                    None => more = false,
                }
            }
        }
        self.report(done);
    }

    /// `done` items of the present job, claimed by this thread, have ended. It must not touch the job any more.
    fn report(&self, done: usize) {
        let before = self.unfinished.0.fetch_sub(done, Ordering::AcqRel);
        if before == CALLER_PARKED | done {
            let _parked = self.parked.lock().unwrap_or_else(PoisonError::into_inner);
            self.finished.notify_one();
        }
    }

    /// Returns when every item of the present job is reported.
    pub(super) fn wait(&self) {
        if spin_until(|| self.unfinished.0.load(Ordering::Acquire) == 0) {
            return;
        }
        if self.unfinished.0.fetch_or(CALLER_PARKED, Ordering::AcqRel) == 0 {
            return;
        }
        let mut parked = self.parked.lock().unwrap_or_else(PoisonError::into_inner);
        while self.unfinished.0.load(Ordering::Acquire) != CALLER_PARKED {
            parked = self.finished.wait(parked).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// What each thread of the pool does until `stop`. `index` counts the pool's own threads; it may compute while it is
    /// less than `allowed - 1`, as the caller is one of those allowed.
    pub(super) fn serve(&self, index: usize, stop: &AtomicBool) {
        let stopped = || stop.load(Ordering::SeqCst);
        let may = || index + 1 < self.allowed.load(Ordering::SeqCst);
        let wanted = || self.remaining.0.load(Ordering::SeqCst) > 0 && may();
        while !stopped() {
            let found = may() && spin_until(|| self.remaining.0.load(Ordering::Relaxed) > 0);
            if found && may() {
                self.work();
                continue;
            }
            let bit = 1_u64 << index;
            self.asleep.0.fetch_or(bit, Ordering::SeqCst);
            while self.asleep.0.load(Ordering::SeqCst) & bit != 0 && !wanted() && !stopped() {
                thread::park();
            }
            self.asleep.0.fetch_and(!bit, Ordering::SeqCst);
        }
    }

    /// The threads that are parked, or about to, among the first `threads`, the caller included: one bit each.
    pub(super) fn asleep(&self, threads: usize) -> u64 {
        let all = u64::MAX.checked_shr(65 - threads as u32).unwrap_or(0);
        self.asleep.0.load(Ordering::SeqCst) & all
    }

    /// Takes thread `index` off the list of those asleep; whether it was there and has to be unparked.
    pub(super) fn wake(&self, index: usize) -> bool {
        let bit = 1_u64 << index;
        self.asleep.0.fetch_and(!bit, Ordering::SeqCst) & bit != 0
    }

    fn keep_panic(&self, payload: Box<dyn Any + Send>) {
        let mut first = self.panic.lock().unwrap_or_else(PoisonError::into_inner);
        match *first {
            None => *first = Some(payload),
            // Dropping it could panic again.
            Some(_) => std::mem::forget(payload),
        }
        self.panicked.store(true, Ordering::Relaxed);
    }

    /// The payload of the first panic in the job that has just ended.
    pub(super) fn take_panic(&self) -> Option<Box<dyn Any + Send>> {
        // Written before the report of its item, which `wait` has acquired.
        if !self.panicked.load(Ordering::Relaxed) {
            return None;
        }
        self.panicked.store(false, Ordering::Relaxed);
        self.panic.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Looks until `is_so`, for [`SPIN`] at the longest; whether it was.
fn spin_until(mut is_so: impl FnMut() -> bool) -> bool {
    for _ in 0..LOOKS {
        if is_so() {
            return true;
        }
        std::hint::spin_loop();
    }
    // The clock instead of a count of pauses: their length differs tenfold between processors, and a thread that was off
    // its core in the meantime is to leave at once.
    let begun = Instant::now();
    while begun.elapsed() < SPIN {
        for _ in 0..LOOKS {
            if is_so() {
                return true;
            }
            std::hint::spin_loop();
        }
    }
    is_so()
}
