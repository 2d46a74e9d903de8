//! Which server is asked next, and when.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use super::Policy;

/// The longest pause that a server may ask for.
const LONGEST_ASKED: Duration = Duration::from_secs(600);

/// What was tried in vain.
#[derive(Debug)]
pub struct Tries {
    policy: Policy,
    /// For each server whether it may still be asked.
    open: Vec<bool>,
    source: usize,
    in_a_row: u32,
}

impl Tries {
    /// Nothing was tried at any of `n_sources` servers.
    pub fn new(n_sources: usize, policy: Policy) -> Self {
        Self { policy, open: vec![true; n_sources.max(1)], source: 0, in_a_row: 0 }
    }

    /// The server to ask.
    pub fn source(&self) -> usize {
        self.source
    }

    /// Failures since bytes came.
    pub fn in_a_row(&self) -> u32 {
        self.in_a_row
    }

    /// Bytes came.
    pub fn moved(&mut self) {
        self.in_a_row = 0;
    }

    /// The server failed for now; returns how long to wait. After a few failures in a row it is the next one's turn.
    pub fn failed(&mut self, asked: Option<Duration>) -> Duration {
        self.in_a_row += 1;
        let doubled = self.policy.first_pause.saturating_mul(1 << (self.in_a_row - 1).min(16));
        let pause = shorten_at_random(doubled.min(self.policy.longest_pause));
        if self.in_a_row.is_multiple_of(self.policy.quick_tries.max(1)) {
            self.turn();
        }
        pause.max(asked.unwrap_or_default().min(LONGEST_ASKED))
    }

    /// The server does not serve this model; returns whether there is another one to ask.
    pub fn strike_out(&mut self) -> bool {
        self.open[self.source] = false;
        self.in_a_row = 0;
        self.turn();
        self.open[self.source]
    }

    fn turn(&mut self) {
        let n = self.open.len();
        let next = (1..=n).map(|step| (self.source + step) % n).find(|&source| self.open[source]);
        self.source = next.unwrap_or(self.source);
    }
}

/// Between half of `pause` and all of it, so that a room full of computers does not ask in step.
fn shorten_at_random(pause: Duration) -> Duration {
    let random = RandomState::new().build_hasher().finish();
    pause.mul_f64(0.5 + 0.5 * (random as f64 / u64::MAX as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tries(n_sources: usize) -> Tries {
        let policy = Policy {
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(10),
            quick_tries: 3,
            ..Policy::default()
        };
        Tries::new(n_sources, policy)
    }

    #[test]
    fn pauses_grow_to_a_limit_and_begin_anew_when_bytes_came() {
        let mut tries = tries(1);
        for longest in [1.0, 2.0, 4.0, 8.0, 10.0, 10.0] {
            let pause = tries.failed(None).as_secs_f64();
            assert!((longest / 2.0..=longest).contains(&pause), "{pause} {longest}");
        }
        tries.moved();
        assert!(tries.failed(None) <= Duration::from_secs(1));
        for _ in 0..100 {
            assert!(tries.failed(None) <= Duration::from_secs(10));
        }
    }

    #[test]
    fn a_server_may_ask_for_a_longer_pause_within_reason() {
        assert_eq!(tries(1).failed(Some(Duration::from_secs(30))), Duration::from_secs(30));
        assert_eq!(tries(1).failed(Some(Duration::from_secs(86_400))), LONGEST_ASKED);
        assert!(tries(1).failed(Some(Duration::ZERO)) >= Duration::from_millis(500));
    }

    #[test]
    fn mirrors_take_turns_and_those_that_refused_are_left_out() {
        let mut tries = tries(3);
        let turns: Vec<_> = (0..7)
            .map(|_| {
                tries.failed(None);
                tries.source()
            })
            .collect();
        assert_eq!(turns, [0, 0, 1, 1, 1, 2, 2]);
        assert!(tries.strike_out());
        assert_eq!(tries.source(), 0);
        assert!(tries.strike_out());
        assert_eq!(tries.source(), 1);
        assert!(!tries.strike_out());
    }
}
