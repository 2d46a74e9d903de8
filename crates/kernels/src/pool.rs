//! The threads that compute, and the one way in which work is given to them: numbered items, claimed one by one.

use std::sync::atomic::{AtomicUsize, Ordering};

/// A fixed set of threads. One job runs at a time; its items are claimed dynamically, so that a thread which the system
/// has taken off its core holds up no more than the item it is working on.
#[derive(Debug)]
pub struct Pool {
    threads: usize,
}

impl Pool {
    /// A pool of `threads` threads, the caller's included; at least one.
    pub fn new(threads: usize) -> Self {
        Self { threads: threads.max(1) }
    }

    /// Threads that compute, the caller's included.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Runs `task(item)` once for every item in `0..n_items` and returns when all are done.
    pub fn run(&self, n_items: usize, task: &(dyn Fn(usize) + Sync)) {
        let next = AtomicUsize::new(0);
        let work = || {
            loop {
                let item = next.fetch_add(1, Ordering::Relaxed);
                if item >= n_items {
                    break;
                }
                task(item);
            }
        };
        let helpers = self.threads.min(n_items).saturating_sub(1);
        std::thread::scope(|scope| {
            for _ in 0..helpers {
                scope.spawn(work);
            }
            work();
        });
    }
}
