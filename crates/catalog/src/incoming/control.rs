//! Pausing, stopping and watching a transfer from outside.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::error::Error;

/// What a transfer is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// What was copied before is compared with its checksums.
    Resuming,
    /// Bytes move.
    Copying,
    /// All bytes are there and are compared with their checksums.
    Verifying,
}

/// How far a transfer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What it is doing.
    pub step: Step,
    /// Bytes that this step has done; when bytes move, with those of earlier starts.
    pub done_bytes: u64,
    /// Bytes that this step does in all.
    pub total_bytes: u64,
    /// Parts that are there and recorded.
    pub parts_done: usize,
    /// Parts in all.
    pub parts: usize,
}

const GO: u8 = 0;
const PAUSE: u8 = 1;
const CANCEL: u8 = 2;

type Watcher = dyn Fn(Progress) + Send + Sync;

/// The handle by which a transfer is paused, stopped and watched. Clones are the same handle.
#[derive(Clone)]
pub struct Control {
    wish: Arc<AtomicU8>,
    watcher: Arc<Watcher>,
}

impl Default for Control {
    fn default() -> Self {
        Self::watched(|_| {})
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control").field("wish", &self.wish).finish_non_exhaustive()
    }
}

impl Control {
    /// A handle that tells `watcher` how far the transfer is, every few megabytes. It must return quickly.
    pub fn watched(watcher: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        Self { wish: Arc::new(AtomicU8::new(GO)), watcher: Arc::new(watcher) }
    }

    /// Asks the transfer to stop and keep what it has; it ends with [`Error::Paused`] within a few megabytes.
    pub fn pause(&self) {
        // A wish to cancel stays.
        let _ = self.wish.compare_exchange(GO, PAUSE, Ordering::SeqCst, Ordering::SeqCst);
    }

    /// Asks the transfer to stop and throw away what it has; it ends with [`Error::Cancelled`] within a few megabytes.
    pub fn cancel(&self) {
        self.wish.store(CANCEL, Ordering::SeqCst);
    }

    /// Whether somebody asked for a stop.
    ///
    /// # Errors
    /// [`Error::Paused`] or [`Error::Cancelled`].
    pub fn check(&self) -> Result<(), Error> {
        match self.wish.load(Ordering::SeqCst) {
            PAUSE => Err(Error::Paused),
            CANCEL => Err(Error::Cancelled),
            _ => Ok(()),
        }
    }

    /// Tells the watcher, then does as [`check`](Self::check).
    ///
    /// # Errors
    /// [`Error::Paused`] or [`Error::Cancelled`].
    pub fn report(&self, progress: Progress) -> Result<(), Error> {
        (self.watcher)(progress);
        self.check()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cancelled_transfer_is_not_paused_any_more() {
        let control = Control::default();
        assert!(control.check().is_ok());
        let other = control.clone();
        other.pause();
        assert!(matches!(control.check(), Err(Error::Paused)));
        control.cancel();
        control.pause();
        assert!(matches!(other.check(), Err(Error::Cancelled)));
    }
}
