//! Whether the computer is short of memory, so that a model nobody is using had better leave it: a pure policy over
//! what a probe reports.

use std::{fmt, sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::memory;

/// Less available memory than this is short on any computer …
const LEAST_AVAILABLE_BYTES: u64 = 300_000_000;
/// … and less than one part in so many on a larger one.
const LEAST_AVAILABLE_PART: u64 = 25;
/// Programs that wait for memory so much of the time say that it is short, in percent …
const STALLED_PERCENT: f32 = 25.0;
/// … where no more than one part in so many is available. Where more is, they wait because of a limit of their own
/// (a container's), and our leaving would not help them.
const STALLED_AVAILABLE_PART: u64 = 4;
/// One look can catch a moment; so many in a row are believed.
const LOOKS: u32 = 2;

/// The computer's main memory at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MemoryState {
    /// Memory that programs can have in all, in bytes.
    pub total: u64,
    /// Memory that could be had now without swapping, in bytes.
    pub available: u64,
    /// Percent of the last ten seconds in which some program waited for memory; `None` where the system does not say.
    pub stalled: Option<f32>,
}

impl MemoryState {
    /// Whether other programs need the memory of a model that nobody is using.
    pub fn is_short(&self) -> bool {
        let least = LEAST_AVAILABLE_BYTES.max(self.total / LEAST_AVAILABLE_PART);
        let stalled = self.stalled.is_some_and(|percent| percent >= STALLED_PERCENT);
        self.available < least || (stalled && self.available < self.total / STALLED_AVAILABLE_PART)
    }
}

/// Looks at the computer's memory; `None` where the system does not say.
#[derive(Clone)]
pub struct MemoryProbe(Arc<dyn Fn() -> Option<MemoryState> + Send + Sync>);

impl MemoryProbe {
    /// A probe that asks `look`, for tests.
    pub fn new(look: impl Fn() -> Option<MemoryState> + Send + Sync + 'static) -> Self {
        Self(Arc::new(look))
    }

    /// Looks; takes well below a millisecond.
    pub fn look(&self) -> Option<MemoryState> {
        (self.0)()
    }
}

impl Default for MemoryProbe {
    /// Asks the system.
    fn default() -> Self {
        Self::new(memory::of_the_computer)
    }
}

impl fmt::Debug for MemoryProbe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemoryProbe")
    }
}

/// How the computer's memory is watched while a model is open.
#[derive(Debug, Clone)]
pub struct MemoryWatch {
    /// Who looks.
    pub probe: MemoryProbe,
    /// Time between two looks.
    pub every: Duration,
    /// A model that was opened stays at least this long, so that it does not come and go.
    pub stay: Duration,
}

impl Default for MemoryWatch {
    fn default() -> Self {
        Self { probe: MemoryProbe::default(), every: Duration::from_secs(3), stay: Duration::from_secs(60) }
    }
}

/// What was seen so far.
#[derive(Debug, Default)]
pub(crate) struct Pressure {
    looked_at: Option<Instant>,
    short: u32,
}

impl Pressure {
    /// One look, unless the last was a moment ago; whether an idle model that was opened at `opened_at` should leave.
    pub(crate) fn should_leave(&mut self, watch: &MemoryWatch, opened_at: Instant, now: Instant) -> bool {
        if self.looked_at.is_some_and(|last| now.duration_since(last) < watch.every) {
            return false;
        }
        self.looked_at = Some(now);
        let short = watch.probe.look().is_some_and(|state| state.is_short());
        self.short = if short { self.short.saturating_add(1) } else { 0 };
        let leave = self.short >= LOOKS && now.duration_since(opened_at) >= watch.stay;
        if leave {
            self.short = 0;
        }
        leave
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    const MB: u64 = 1_000_000;
    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn short_is_little_left_or_programs_that_wait() {
        let state = |total_mb, available_mb, stalled| MemoryState {
            total: total_mb * MB,
            available: available_mb * MB,
            stalled,
        };
        for (expected, state) in [
            (false, state(4_000, 301, None)),
            (true, state(4_000, 299, None)),
            (false, state(16_000, 641, None)),
            (true, state(16_000, 639, Some(0.0))),
            (true, state(8_000, 1_900, Some(25.0))),
            (false, state(8_000, 1_900, Some(24.0))),
            (false, state(8_000, 2_100, Some(90.0))),
        ] {
            assert_eq!(state.is_short(), expected, "{state:?}");
        }
    }

    #[test]
    fn a_model_leaves_after_two_looks_and_not_within_its_first_minute() {
        let short = Arc::new(AtomicBool::new(true));
        let seen = Arc::clone(&short);
        let probe = MemoryProbe::new(move || {
            let available = if seen.load(Ordering::Relaxed) { 0 } else { 4_000 * MB };
            Some(MemoryState { total: 8_000 * MB, available, stalled: None })
        });
        let watch = MemoryWatch { probe, ..MemoryWatch::default() };
        let opened = Instant::now();
        let mut pressure = Pressure::default();
        let mut look = |second: u32| pressure.should_leave(&watch, opened, opened + second * SECOND);
        for second in 0..60 {
            assert!(!look(second), "in its first minute: {second}");
        }
        assert!(look(60));
        assert!(!look(61), "a moment ago");
        assert!(!look(63), "one look");
        short.store(false, Ordering::Relaxed);
        assert!(!look(66), "memory is free again");
        short.store(true, Ordering::Relaxed);
        assert!(!look(69), "one look");
        assert!(look(72));
    }

    #[test]
    fn a_system_that_does_not_say_is_not_short() {
        let watch = MemoryWatch { probe: MemoryProbe::new(|| None), ..MemoryWatch::default() };
        let opened = Instant::now();
        let mut pressure = Pressure::default();
        assert!((0..500).all(|second| !pressure.should_leave(&watch, opened, opened + second * SECOND)));
    }
}
