//! How long is waited before a busy server is asked again.
//!
//! Pauses that double would be unfair: whoever came late asks often and gets the place of whoever has waited long. Here
//! pauses become shorter with the time that somebody has waited, and chance keeps thirty laptops from asking at once.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// Seconds of the first, second and third pause; later ones are like the last.
const PAUSES: [u32; 3] = [4, 3, 2];
/// A server that asks for more than this is not waited for.
const LONGEST: Duration = Duration::from_secs(90);

/// The pauses of one question.
#[derive(Debug)]
pub struct Waits {
    /// What one second of [`PAUSES`] is.
    second: Duration,
    /// What may still be waited.
    left: Duration,
    asked: usize,
}

impl Waits {
    /// Pauses of `most` together; `second` is the measure of a pause where the server names none.
    pub fn new(most: Duration, second: Duration) -> Self {
        Self { second, left: most, asked: 0 }
    }

    /// The next pause, at least as long as the server asks for; none if it is not worth waiting any more. `chance` is
    /// between 0 and 1.
    pub fn next(&mut self, server_asks: Option<Duration>, chance: f64) -> Option<Duration> {
        let own = self.second * PAUSES[self.asked.min(PAUSES.len() - 1)];
        self.asked += 1;
        let pause = match server_asks {
            Some(asked) if asked > LONGEST => return None,
            // Never before the server's time, and not all at that very moment.
            Some(asked) => asked + own.mul_f64(chance),
            None => own.mul_f64(0.5 + chance),
        };
        self.left = self.left.checked_sub(pause)?;
        Some(pause)
    }
}

/// A number between 0 and 1, another each time.
pub fn chance() -> f64 {
    // Each state has keys of its own, so the hash of nothing is random enough for a pause.
    let random = RandomState::new().hash_one(0_u8) >> 11;
    random as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn whoever_has_waited_longer_asks_sooner() {
        let mut waits = Waits::new(SECOND * 60, SECOND);
        let pauses: Vec<_> = (0..5).filter_map(|_| waits.next(None, 0.5)).collect();
        assert_eq!(pauses, [SECOND * 4, SECOND * 3, SECOND * 2, SECOND * 2, SECOND * 2]);
    }

    #[test]
    fn the_servers_own_time_is_kept() {
        let mut waits = Waits::new(SECOND * 60, SECOND);
        for chance in [0.0, 0.3, 1.0] {
            let pause = waits.next(Some(SECOND * 10), chance).expect("worth it");
            assert!(pause >= SECOND * 10 && pause <= SECOND * 14, "{pause:?}");
        }
        assert_eq!(waits.next(Some(SECOND * 91), 0.0), None, "nobody waits that long");
    }

    #[test]
    fn waiting_ends() {
        let mut waits = Waits::new(SECOND * 20, SECOND);
        let pauses: Vec<_> = std::iter::from_fn(|| waits.next(None, 1.0)).collect();
        assert!(pauses.iter().sum::<Duration>() <= SECOND * 20 && pauses.len() >= 3, "{pauses:?}");
    }

    #[test]
    fn chance_is_between_0_and_1_and_differs() {
        let some: Vec<f64> = (0..100).map(|_| chance()).collect();
        assert!(some.iter().all(|chance| (0.0..1.0).contains(chance)));
        assert!(some.iter().any(|chance| *chance < 0.5) && some.iter().any(|chance| *chance >= 0.5));
    }
}
