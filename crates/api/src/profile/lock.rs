//! Whether the profile is open, and how long the next attempt has to wait.

use super::pin;
use crate::failure::{Refusal, Reply};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// So many wrong PINs cost nothing.
const FREE_ATTEMPTS: u32 = 5;
/// The wait after the next wrong PIN; it doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_secs(30);
/// A person who forgot their PIN for a day must not find it closed for a week.
const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);

/// The lock of one run of the program. What was tried is forgotten when it ends: starting anew takes longer than
/// typing, and is nothing that a page can do.
pub(crate) struct Lock {
    state: Mutex<State>,
    /// Held while a PIN is compared, so that many at once count as one after the other.
    attempt: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    closed: bool,
    wrong: u32,
    wait_until: Option<Instant>,
}

impl Lock {
    pub(crate) fn new(closed: bool) -> Self {
        let state = Mutex::new(State { closed, ..State::default() });
        Self { state, attempt: tokio::sync::Mutex::new(()) }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.state().closed
    }

    pub(crate) fn open(&self) {
        self.state().closed = false;
    }

    /// Seconds until the next PIN may be tried, rounded up; 0 for now.
    pub(crate) fn wait_seconds(&self) -> u32 {
        self.state().wait(Instant::now())
    }

    /// Compares `pin` with `hash`.
    ///
    /// # Errors
    /// [`Refusal::WrongPin`] where it is another, or nothing may be tried yet.
    pub(crate) async fn try_pin(&self, pin: String, hash: String) -> Reply<()> {
        let _one_at_a_time = self.attempt.lock().await;
        let wait = self.wait_seconds();
        if wait > 0 {
            return Err(Refusal::PinMustWait { seconds: wait }.into());
        }
        let right = pin::matches(pin, hash).await?;
        let mut state = self.state();
        state.note(right, Instant::now());
        if right { Ok(()) } else { Err(Refusal::WrongPin { wait_seconds: state.wait(Instant::now()) }.into()) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Notes an attempt that was made at `now`.
    fn note(&mut self, right: bool, now: Instant) {
        if right {
            (self.wrong, self.wait_until) = (0, None);
            return;
        }
        self.wrong = self.wrong.saturating_add(1);
        if let Some(doublings) = self.wrong.checked_sub(FREE_ATTEMPTS) {
            // 2^5 waits are longer than the longest already.
            self.wait_until = now.checked_add((FIRST_WAIT * (1 << doublings.min(5))).min(LONGEST_WAIT));
        }
    }

    fn wait(&self, now: Instant) -> u32 {
        let left = self.wait_until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now));
        u32::try_from(left.as_millis().div_ceil(1000)).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_begins_with_the_fifth_wrong_pin_and_doubles() {
        let now = Instant::now();
        let mut state = State::default();
        let waits: Vec<_> = (0..12)
            .map(|_| {
                state.note(false, now);
                state.wait(now)
            })
            .collect();
        assert_eq!(waits, [0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900, 900]);
        assert_eq!(state.wait(now + Duration::from_millis(899_001)), 1, "a begun second counts");
        assert_eq!(state.wait(now + Duration::from_secs(900)), 0);
        state.note(true, now);
        assert_eq!(state.wait(now), 0);
        state.note(false, now);
        assert_eq!(state.wait(now), 0, "the count began anew");
    }
}
