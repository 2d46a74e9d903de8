//! Which checkpoints of a KV cache are still on its path.

use std::sync::Arc;

use crate::error::CheckpointReason;

/// A point in a cache's life.
#[derive(Debug, Clone)]
pub(crate) struct Moment {
    owner: Arc<()>,
    step_back: u64,
    /// Positions in the cache.
    pub(crate) len: usize,
}

/// Which earlier moments still lie on the path that led to the present state: after going back to a length, everything
/// that stood behind it is another text.
pub(crate) struct History {
    /// Tells one cache's moments from another's.
    owner: Arc<()>,
    /// How often the cache went back.
    steps_back: u64,
    /// `(number of the step back, length it went to)`, both rising: the lowest length since each step.
    lows: Vec<(u64, usize)>,
}

impl History {
    /// Of a cache that has not gone back yet.
    pub(crate) fn new() -> Self {
        Self { owner: Arc::new(()), steps_back: 0, lows: Vec::new() }
    }

    /// The present moment of a cache of length `len`.
    pub(crate) fn moment(&self, len: usize) -> Moment {
        Moment { owner: Arc::clone(&self.owner), step_back: self.steps_back, len }
    }

    /// The cache has gone back to `len`.
    pub(crate) fn went_back_to(&mut self, len: usize) {
        self.steps_back += 1;
        while self.lows.last().is_some_and(|&(_, low)| low >= len) {
            self.lows.pop();
        }
        self.lows.push((self.steps_back, len));
    }

    /// Whether a cache of length `len` may return to `moment`.
    pub(crate) fn check(&self, moment: &Moment, len: usize) -> Result<(), CheckpointReason> {
        if !Arc::ptr_eq(&self.owner, &moment.owner) {
            return Err(CheckpointReason::OtherSequence);
        }
        if moment.len > len {
            return Err(CheckpointReason::Ahead);
        }
        let lowest_since = self.lows.iter().find(|&&(step, _)| step > moment.step_back).map(|&(_, low)| low);
        match lowest_since {
            Some(low) if low < moment.len => Err(CheckpointReason::Overwritten),
            _ => Ok(()),
        }
    }
}
