//! A cap on bytes per second that all downloads share.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A bucket of bytes that fills at a steady rate. What was received is taken out afterwards; whoever empties it waits.
#[derive(Debug)]
pub struct Limit {
    bucket: Mutex<Bucket>,
}

#[derive(Debug)]
struct Bucket {
    bytes_per_second: Option<u64>,
    /// Bytes that may still come without waiting; below zero after a large piece.
    level: f64,
    filled: Instant,
}

impl Limit {
    /// At most `bytes_per_second`; none and zero mean no cap.
    pub fn new(bytes_per_second: Option<u64>) -> Self {
        let bytes_per_second = bytes_per_second.filter(|rate| *rate > 0);
        Self { bucket: Mutex::new(Bucket { bytes_per_second, level: 0.0, filled: Instant::now() }) }
    }

    /// Changes the cap; downloads under way follow at once.
    pub fn set(&self, bytes_per_second: Option<u64>) {
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        *bucket =
            Bucket { bytes_per_second: bytes_per_second.filter(|rate| *rate > 0), level: 0.0, filled: Instant::now() };
    }

    /// Takes `bytes` out and waits as long as that takes at the cap.
    pub(crate) async fn take(&self, bytes: usize) {
        let wait = self.bucket.lock().unwrap_or_else(PoisonError::into_inner).take(bytes, Instant::now());
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }
}

impl Bucket {
    fn take(&mut self, bytes: usize, now: Instant) -> Duration {
        let Some(rate) = self.bytes_per_second else { return Duration::ZERO };
        let rate = rate as f64;
        let elapsed = now.saturating_duration_since(self.filled).as_secs_f64();
        self.filled = now;
        // A quarter of a second may be saved up, so that short pauses do not lower the rate.
        self.level = (self.level + elapsed * rate).min(rate / 4.0) - bytes as f64;
        Duration::from_secs_f64((-self.level / rate).max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_keeps_to_the_rate() {
        let start = Instant::now();
        let mut bucket = Bucket { bytes_per_second: Some(1000), level: 0.0, filled: start };
        let mut now = start;
        for _ in 0..100 {
            now += bucket.take(50, now);
        }
        // 100 pieces of 50 bytes at 1000 bytes a second.
        let seconds = now.duration_since(start).as_secs_f64();
        assert!((seconds - 5.0).abs() < 0.01, "{seconds}");
        // After a long pause only a quarter of a second is saved up.
        now += Duration::from_secs(60);
        assert_eq!(bucket.take(250, now), Duration::ZERO);
        assert_eq!(bucket.take(500, now), Duration::from_millis(500));
    }

    #[test]
    fn no_cap_means_no_waiting() {
        let limit = Limit::new(Some(0));
        let mut bucket = limit.bucket.lock().expect("not poisoned");
        assert_eq!(bucket.take(usize::MAX, Instant::now()), Duration::ZERO);
    }
}
