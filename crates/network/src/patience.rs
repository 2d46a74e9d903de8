//! How long a request waits, and what it puts up with.

use std::time::{Duration, Instant};

use crate::error::Error;

/// How long a request waits for its answer, how slow the answer may come, and how large it may become. There is no limit
/// to the whole time: an answer that keeps coming is read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Longest wait for the answer's head, and after it for the first byte of the body; models think before they speak.
    pub first_byte: Duration,
    /// Longest wait for the next bytes once the body began.
    pub silence: Duration,
    /// Fewer than so many bytes of the body within so long is too slow; none for no such rule.
    pub slowest: Option<(u64, Duration)>,
    /// Greatest size of the body in bytes; none for no limit.
    pub most_bytes: Option<u64>,
}

impl Patience {
    /// For an answer of a model: 60 s to its first byte, 20 s of silence, 90 bytes in 30 s, 8 MB.
    pub const ANSWER: Self = Self {
        first_byte: Duration::from_secs(60),
        silence: Duration::from_secs(20),
        slowest: Some((90, Duration::from_secs(30))),
        most_bytes: Some(8_000_000),
    };

    /// For a file: only the silence counts.
    pub(crate) fn file(stall: Duration) -> Self {
        Self { first_byte: stall, silence: stall, slowest: None, most_bytes: None }
    }
}

/// Watches a body against a [`Patience`].
#[derive(Debug)]
pub(crate) struct Watch {
    patience: Patience,
    /// Bytes of the body so far.
    received: u64,
    /// When the present window of time began, and the bytes within it; none before the first byte.
    window: Option<(Instant, u64)>,
}

impl Watch {
    pub fn new(patience: Patience) -> Self {
        Self { patience, received: 0, window: None }
    }

    /// How long the next bytes may take: until the silence is too long or the present window of time ends.
    pub fn next_within(&self) -> Duration {
        if self.received == 0 { self.patience.first_byte } else { self.patience.silence }
    }

    /// Takes `bytes` of the body from `host` into account.
    ///
    /// # Errors
    /// If they come too slowly or are too many.
    pub fn take(&mut self, bytes: u64, now: Instant, host: &str) -> Result<(), Error> {
        self.received += bytes;
        if let Some(limit) = self.patience.most_bytes
            && self.received > limit
        {
            return Err(Error::TooLarge { host: host.to_owned(), limit_bytes: limit });
        }
        let Some((least, span)) = self.patience.slowest else { return Ok(()) };
        let (began, in_window) = self.window.unwrap_or((now, 0));
        let in_window = in_window + bytes;
        if now.duration_since(began) < span {
            self.window = Some((began, in_window));
            return Ok(());
        }
        if in_window < least {
            return Err(Error::TooSlow { host: host.to_owned(), bytes: in_window, seconds: span.as_secs_f64() });
        }
        self.window = Some((now, 0));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_byte_a_second_is_too_slow_and_one_event_a_second_is_not() {
        let start = Instant::now();
        let run = |bytes: u64| {
            let mut watch = Watch::new(Patience::ANSWER);
            (0..300_u64).try_for_each(|second| watch.take(bytes, start + Duration::from_secs(second), "there"))
        };
        assert!(matches!(run(1), Err(Error::TooSlow { bytes: 31, .. })), "{:?}", run(1));
        assert!(run(20).is_ok());
    }

    #[test]
    fn a_body_over_the_cap_is_refused_at_the_byte_that_is_too_many() {
        let now = Instant::now();
        let mut watch = Watch::new(Patience { most_bytes: Some(10), ..Patience::ANSWER });
        assert_eq!(watch.next_within(), Duration::from_secs(60));
        assert!(watch.take(10, now, "there").is_ok());
        assert_eq!(watch.next_within(), Duration::from_secs(20));
        assert!(matches!(watch.take(1, now, "there"), Err(Error::TooLarge { limit_bytes: 10, .. })));
    }

    #[test]
    fn files_may_be_slow_and_large() {
        let start = Instant::now();
        let mut watch = Watch::new(Patience::file(Duration::from_secs(20)));
        for second in 0..100 {
            assert!(watch.take(1, start + Duration::from_secs(second), "there").is_ok());
        }
        assert!(watch.take(u64::MAX / 2, start, "there").is_ok());
    }
}
