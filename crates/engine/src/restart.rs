//! When a worker that stopped is started again: soon, later, or not until somebody asks, as a pure policy.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

/// Counts crashes since the last answer that ended well.
#[derive(Debug)]
pub(crate) struct RestartPolicy {
    limit: usize,
    window: Duration,
    delay: Duration,
    crashes: VecDeque<Instant>,
}

/// What to do after a crash.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Start again after this time.
    Again(Duration),
    /// It keeps crashing: wait until somebody asks.
    GiveUp,
}

impl RestartPolicy {
    /// Gives up at `limit` crashes within `window`; the second and later restarts wait, `delay` longer each time.
    pub(crate) fn new(limit: usize, window: Duration, delay: Duration) -> Self {
        Self { limit: limit.max(1), window, delay, crashes: VecDeque::new() }
    }

    /// A worker crashed or was killed because it hung.
    pub(crate) fn crashed(&mut self, now: Instant) -> Verdict {
        self.crashes.push_back(now);
        while self.crashes.front().is_some_and(|&first| now.duration_since(first) > self.window) {
            self.crashes.pop_front();
        }
        if self.crashes.len() >= self.limit {
            return Verdict::GiveUp;
        }
        let before = u32::try_from(self.crashes.len() - 1).unwrap_or(u32::MAX);
        Verdict::Again(self.delay.saturating_mul(before))
    }

    /// An answer ended well, or somebody asked for another attempt.
    pub(crate) fn reset(&mut self) {
        self.crashes.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn quick_crashes_end_in_giving_up() {
        let mut policy = RestartPolicy::new(3, 60 * SECOND, SECOND);
        let now = Instant::now();
        assert_eq!(policy.crashed(now), Verdict::Again(Duration::ZERO), "the first restart is immediate");
        assert_eq!(policy.crashed(now + SECOND), Verdict::Again(SECOND));
        assert_eq!(policy.crashed(now + 2 * SECOND), Verdict::GiveUp);
        policy.reset();
        assert_eq!(policy.crashed(now + 3 * SECOND), Verdict::Again(Duration::ZERO));
    }

    #[test]
    fn old_crashes_do_not_count() {
        let mut policy = RestartPolicy::new(2, 60 * SECOND, SECOND);
        let now = Instant::now();
        for minute in 0..5 {
            assert_eq!(policy.crashed(now + 61 * minute * SECOND), Verdict::Again(Duration::ZERO));
        }
    }
}
