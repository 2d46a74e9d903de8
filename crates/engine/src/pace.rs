//! How many prompt tokens go into one forward pass, from what the last one took.
//!
//! Cancellation is seen between layers, so a layer's time is what a person waits after pressing stop: 250 ms at most.
//! The same chunk takes a fast desktop 10 ms a layer and a busy old laptop 500 ms; no constant serves both.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

/// Most prompt tokens in one forward pass. More gain little on a CPU and cost memory.
pub const PREFILL_CHUNK: usize = 64;
/// Fewest: below it the fixed cost of a pass outweighs everything.
const MIN_CHUNK: usize = 4;
/// First guess, before anything was measured.
const FIRST_CHUNK: usize = 8;
/// A layer should take this long at most; it leaves room for the machine to become busy meanwhile.
const LAYER_TARGET: Duration = Duration::from_millis(60);

/// The present chunk length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pace {
    chunk: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self { chunk: FIRST_CHUNK }
    }
}

impl Pace {
    /// Tokens for the next forward pass.
    pub(crate) fn chunk(&self) -> usize {
        self.chunk
    }

    /// The longest layer of a pass over `tokens` took `layer`. It slows down at once and speeds up by doubling.
    pub(crate) fn observe(&mut self, tokens: usize, layer: Duration) {
        let per_token = layer.as_secs_f64() / tokens.max(1) as f64;
        let fitting = (LAYER_TARGET.as_secs_f64() / per_token.max(1e-9)) as usize;
        // A short last piece says little about longer ones, so it does not speed up.
        let most = if tokens < self.chunk { self.chunk } else { self.chunk * 2 };
        self.chunk = fitting.clamp(MIN_CHUNK, most.clamp(MIN_CHUNK, PREFILL_CHUNK));
    }
}

/// Measures the longest time between two questions whether to stop.
pub(crate) struct LayerClock<'a> {
    cancelled: &'a dyn Fn() -> bool,
    last: Cell<Instant>,
    longest: Cell<Duration>,
}

impl<'a> LayerClock<'a> {
    /// A clock around `cancelled`.
    pub(crate) fn new(cancelled: &'a dyn Fn() -> bool) -> Self {
        Self { cancelled, last: Cell::new(Instant::now()), longest: Cell::new(Duration::ZERO) }
    }

    /// To be asked before every layer.
    pub(crate) fn cancelled(&self) -> bool {
        let now = Instant::now();
        self.longest.set(self.longest.get().max(now.duration_since(self.last.replace(now))));
        (self.cancelled)()
    }

    /// The longest time between two questions, or before the first.
    pub(crate) fn longest(&self) -> Duration {
        self.longest.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Chunk lengths on a machine that needs `micros` for a layer and token.
    fn chunks(pace: &mut Pace, micros: u64, count: usize) -> Vec<usize> {
        (0..count)
            .map(|_| {
                let chunk = pace.chunk();
                pace.observe(chunk, Duration::from_micros(micros * chunk as u64));
                chunk
            })
            .collect()
    }

    #[test]
    fn a_fast_machine_reaches_the_longest_chunk() {
        assert_eq!(chunks(&mut Pace::default(), 100, 4), [8, 16, 32, 64]);
    }

    #[test]
    fn a_slow_machine_keeps_layers_short_and_recovers() {
        let mut pace = Pace::default();
        assert_eq!(chunks(&mut pace, 8_000, 3), [8, 7, 7], "8 ms a token: 7 fit into 60 ms");
        assert_eq!(chunks(&mut pace, 1_000_000, 3), [7, 4, 4], "never below the least");
        assert_eq!(chunks(&mut pace, 100, 6), [4, 8, 16, 32, 64, 64]);
    }

    #[test]
    fn a_short_piece_does_not_speed_up_but_may_slow_down() {
        let mut pace = Pace::default();
        pace.observe(1, Duration::from_micros(1));
        assert_eq!(pace.chunk(), 8);
        pace.observe(1, Duration::from_millis(10));
        assert_eq!(pace.chunk(), 6);
    }

    #[test]
    fn the_clock_passes_the_answer_on_and_keeps_the_longest() {
        let stop = Cell::new(false);
        let cancelled = || stop.get();
        let clock = LayerClock::new(&cancelled);
        assert!(!clock.cancelled());
        std::thread::sleep(Duration::from_millis(5));
        stop.set(true);
        assert!(clock.cancelled());
        assert!(clock.longest() >= Duration::from_millis(5));
    }
}
