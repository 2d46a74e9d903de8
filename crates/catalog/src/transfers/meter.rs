//! How fast a transfer is.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The time over which speed is measured.
const WINDOW: Duration = Duration::from_secs(5);
/// Before this much time passed, nobody knows.
const FIRST: Duration = Duration::from_secs(1);
/// Samples closer to each other tell nothing new.
const APART: Duration = Duration::from_millis(100);

/// Bytes by time over the last seconds.
#[derive(Debug, Default)]
pub struct Meter {
    samples: VecDeque<(Instant, u64)>,
}

impl Meter {
    /// `done_bytes` were there at `now`.
    pub fn sample(&mut self, now: Instant, done_bytes: u64) {
        if self.samples.back().is_some_and(|(_, before)| *before > done_bytes) {
            self.samples.clear();
        }
        if self.samples.back().is_none_or(|(last, _)| now.saturating_duration_since(*last) >= APART) {
            self.samples.push_back((now, done_bytes));
        }
        // The one before the window is kept: it is where the window begins.
        while self.samples.get(1).is_some_and(|(at, _)| now.saturating_duration_since(*at) > WINDOW) {
            self.samples.pop_front();
        }
    }

    /// Bytes a second until `now`.
    pub fn speed(&self, now: Instant) -> Option<f64> {
        let ((first, from), (_, to)) = (self.samples.front()?, self.samples.back()?);
        let elapsed = now.saturating_duration_since(*first);
        (elapsed >= FIRST && to > from).then(|| (to - from) as f64 / elapsed.as_secs_f64())
    }

    /// Begins anew.
    pub fn reset(&mut self) {
        self.samples.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speed_is_that_of_the_last_seconds() {
        let start = Instant::now();
        let at = |tenths: u64| start + Duration::from_millis(100 * tenths);
        let mut meter = Meter::default();
        assert_eq!(meter.speed(start), None);
        for tenth in 0..=100 {
            meter.sample(at(tenth), 1000 * tenth);
            assert_eq!(meter.speed(at(tenth)).is_some(), tenth >= 10, "{tenth}");
        }
        let steady = meter.speed(at(100)).expect("known");
        assert!((steady - 10_000.0).abs() < 1.0, "{steady}");
        // Ten times as fast: five seconds later nothing slower is left.
        for tenth in 101..=160 {
            meter.sample(at(tenth), 100_000 + 10_000 * (tenth - 100));
        }
        let fast = meter.speed(at(160)).expect("known");
        assert!((fast - 100_000.0).abs() < 1.0, "{fast}");
        let stalled = meter.speed(at(210)).expect("known");
        assert!(stalled < 60_000.0, "{stalled}");
        meter.sample(at(211), 5);
        assert_eq!(meter.speed(at(211)), None, "another count begins anew");
    }
}
