//! When a worker counts as hung, as a pure policy over what is known of it.

use std::time::Duration;

use tokio::time::Instant;

/// When a worker counts as hung, and how often it is restarted.
///
/// Times in which this process itself did not run (the laptop slept) do not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watchdog {
    /// Time between two pings.
    pub ping_every: Duration,
    /// A ping must be answered within this time; the worker does so while it computes.
    pub pong_timeout: Duration,
    /// The process must greet within this time.
    pub start_timeout: Duration,
    /// A model must be open within this time.
    pub load_timeout: Duration,
    /// Some layer or token must be computed within this time.
    pub stall_timeout: Duration,
    /// A cancelled answer must end within this time (it takes a layer's time, below 250 ms).
    pub cancel_timeout: Duration,
    /// So many crashes without an answer in between …
    pub crash_limit: usize,
    /// … within this time end the automatic restarts.
    pub crash_window: Duration,
    /// The second restart waits so long, the third twice as long.
    pub restart_delay: Duration,
}

impl Default for Watchdog {
    fn default() -> Self {
        Self {
            ping_every: Duration::from_secs(1),
            pong_timeout: Duration::from_secs(20),
            start_timeout: Duration::from_secs(30),
            load_timeout: Duration::from_secs(600),
            stall_timeout: Duration::from_secs(60),
            cancel_timeout: Duration::from_secs(10),
            crash_limit: 3,
            crash_window: Duration::from_secs(120),
            restart_delay: Duration::from_secs(1),
        }
    }
}

impl Watchdog {
    /// Whether this process did not run between two ticks, so that a worker had no chance to react either.
    pub(crate) fn slept(&self, last_tick: Instant, now: Instant) -> bool {
        now.duration_since(last_tick) > self.ping_every * 3 + self.pong_timeout / 4
    }
}

/// What a worker should be doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Duty {
    /// Starting.
    Greet,
    /// Opening a model.
    Load,
    /// Nothing.
    Wait,
    /// Writing an answer, which may have been cancelled.
    Answer {
        /// When.
        cancelled_at: Option<Instant>,
    },
}

/// A worker's signs of life.
#[derive(Debug)]
pub(crate) struct Signs {
    /// When its present duty began, for starting and loading.
    since: Instant,
    /// The ping that was not answered yet, and when it was sent.
    ping: Option<(u64, Instant)>,
    /// The worker's own count of layers and tokens, and when it last grew.
    progress: (u64, Instant),
}

impl Signs {
    /// Of a worker that was started just now.
    pub(crate) fn new(now: Instant) -> Self {
        Self { since: now, ping: None, progress: (0, now) }
    }

    /// A new duty begins, or time passed that does not count; a ping under way is forgotten with it.
    pub(crate) fn restart(&mut self, now: Instant) {
        *self = Self { progress: (self.progress.0, now), ..Self::new(now) };
    }

    /// An answer begins, or something of it arrived.
    pub(crate) fn progressed(&mut self, now: Instant) {
        self.progress.1 = now;
    }

    /// Whether the last ping was answered, so that another may be sent.
    pub(crate) fn may_ping(&self) -> bool {
        self.ping.is_none()
    }

    /// A ping was sent.
    pub(crate) fn pinged(&mut self, id: u64, now: Instant) {
        self.ping = Some((id, now));
    }

    /// A ping was answered.
    pub(crate) fn ponged(&mut self, id: u64, progress: u64, now: Instant) {
        if self.ping.is_some_and(|(sent, _)| sent == id) {
            self.ping = None;
        }
        if self.progress.0 != progress {
            self.progress = (progress, now);
        }
    }

    /// The limit that the worker has passed, if any.
    pub(crate) fn overdue(&self, duty: Duty, now: Instant, limits: &Watchdog) -> Option<Duration> {
        let over = |since: Instant, limit: Duration| (now.duration_since(since) > limit).then_some(limit);
        let duty = match duty {
            Duty::Greet => over(self.since, limits.start_timeout),
            Duty::Load => over(self.since, limits.load_timeout),
            Duty::Wait => None,
            Duty::Answer { cancelled_at } => cancelled_at
                .and_then(|since| over(since, limits.cancel_timeout))
                .or_else(|| over(self.progress.1, limits.stall_timeout)),
        };
        duty.or_else(|| self.ping.and_then(|(_, sent)| over(sent, limits.pong_timeout)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const ANSWER: Duty = Duty::Answer { cancelled_at: None };

    #[test]
    fn each_duty_has_its_limit() {
        let limits = Watchdog::default();
        let start = Instant::now();
        let signs = Signs::new(start);
        for (duty, limit) in
            [(Duty::Greet, limits.start_timeout), (Duty::Load, limits.load_timeout), (ANSWER, limits.stall_timeout)]
        {
            assert_eq!(signs.overdue(duty, start + limit, &limits), None, "{duty:?}");
            assert_eq!(signs.overdue(duty, start + limit + SECOND, &limits), Some(limit), "{duty:?}");
        }
        assert_eq!(signs.overdue(Duty::Wait, start + 10_000 * SECOND, &limits), None, "waiting is no duty");
        let cancelled = Duty::Answer { cancelled_at: Some(start) };
        assert_eq!(signs.overdue(cancelled, start + 11 * SECOND, &limits), Some(limits.cancel_timeout));
    }

    #[test]
    fn progress_and_answered_pings_keep_it_alive() {
        let limits = Watchdog::default();
        let start = Instant::now();
        let mut signs = Signs::new(start);
        for second in 1..200u32 {
            let now = start + second * SECOND;
            assert!(signs.may_ping());
            signs.pinged(u64::from(second), now);
            assert!(!signs.may_ping());
            signs.ponged(u64::from(second), u64::from(second), now);
            assert_eq!(signs.overdue(ANSWER, now, &limits), None);
        }
        // It goes on answering, but its count stands still: the engine thread is stuck.
        let now = start + 199 * SECOND + limits.stall_timeout + SECOND;
        signs.ponged(200, 199, now);
        assert_eq!(signs.overdue(ANSWER, now, &limits), Some(limits.stall_timeout));
    }

    #[test]
    fn an_unanswered_ping_counts_whatever_it_does() {
        let limits = Watchdog::default();
        let start = Instant::now();
        let mut signs = Signs::new(start);
        signs.pinged(1, start);
        signs.ponged(7, 0, start);
        for duty in [Duty::Wait, Duty::Load, ANSWER] {
            assert_eq!(signs.overdue(duty, start + 21 * SECOND, &limits), Some(limits.pong_timeout));
        }
    }

    #[test]
    fn a_night_in_which_the_laptop_slept_does_not_count() {
        let limits = Watchdog::default();
        let evening = Instant::now();
        let morning = evening + 30_000 * SECOND;
        let mut signs = Signs::new(evening);
        signs.pinged(1, evening);
        assert!(!limits.slept(evening, evening + 2 * SECOND));
        assert!(limits.slept(evening, morning));
        signs.restart(morning);
        assert_eq!(signs.overdue(ANSWER, morning + SECOND, &limits), None);
        assert!(signs.may_ping());
    }
}
