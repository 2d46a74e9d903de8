//! How many prompt tokens go into one forward pass, from what the last one took.
//!
//! Cancellation is seen between layers, so a layer's time is what a person waits after pressing stop: 250 ms at most.
//! The same chunk takes a fast desktop 10 ms a layer and a busy old laptop 500 ms; no constant serves both.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

/// Fewest: below it the fixed cost of a pass outweighs everything.
const MIN_CHUNK: usize = 4;
/// First guess before anything was measured, where long chunks pay: half a second on a slow laptop, no loss on a fast one.
const FIRST_CHUNK: usize = 64;
/// The same where they gain little, because rows are computed one by one.
const FIRST_SHORT_CHUNK: usize = 8;
/// An implementation that takes no more than this computes rows one by one.
const SHORT_LIMIT: usize = 64;
/// A layer should take this long at most; it leaves room for the machine to become busy meanwhile.
const LAYER_TARGET: Duration = Duration::from_millis(60);
/// How many times longer the next chunk may be than what was measured.
const SPEED_UP: usize = 4;

/// The present chunk length. It is kept from prompt to prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pace {
    chunk: usize,
    /// Most tokens in one pass.
    limit: usize,
}

impl Pace {
    /// For a model of which one pass should take at most `limit` tokens.
    pub(crate) fn new(limit: usize) -> Self {
        let limit = limit.max(MIN_CHUNK);
        Self { chunk: if limit > SHORT_LIMIT { FIRST_CHUNK } else { FIRST_SHORT_CHUNK.min(limit) }, limit }
    }

    /// Tokens for the next forward pass, of `rest` that are still to be fed: equal parts, so that none is much shorter
    /// than it might be.
    pub(crate) fn chunk(&self, rest: usize) -> usize {
        rest.div_ceil(rest.div_ceil(self.chunk).max(1))
    }

    /// The longest layer of a pass over `tokens` took `layer`. It slows down at once and speeds up step by step.
    pub(crate) fn observe(&mut self, tokens: usize, layer: Duration) {
        let per_token = layer.as_secs_f64() / tokens.max(1) as f64;
        let fitting = (LAYER_TARGET.as_secs_f64() / per_token.max(1e-9)) as usize;
        // A short piece says little about long ones: it slows down, but speeds up only as far as it goes.
        let most = (tokens * SPEED_UP).max(self.chunk);
        self.chunk = fitting.clamp(MIN_CHUNK, most.clamp(MIN_CHUNK, self.limit));
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
                let chunk = pace.chunk(usize::MAX / 2);
                pace.observe(chunk, Duration::from_micros(micros * chunk as u64));
                chunk
            })
            .collect()
    }

    #[test]
    fn a_fast_machine_reaches_the_longest_chunk() {
        assert_eq!(chunks(&mut Pace::new(64), 100, 4), [8, 32, 64, 64]);
        assert_eq!(chunks(&mut Pace::new(512), 100, 4), [64, 256, 512, 512]);
    }

    #[test]
    fn a_slow_machine_keeps_layers_short_and_recovers() {
        let mut pace = Pace::new(64);
        assert_eq!(chunks(&mut pace, 8_000, 3), [8, 7, 7], "8 ms a token: 7 fit into 60 ms");
        assert_eq!(chunks(&mut pace, 1_000_000, 3), [7, 4, 4], "never below the least");
        assert_eq!(chunks(&mut pace, 100, 4), [4, 16, 64, 64]);
        assert_eq!(chunks(&mut Pace::new(512), 1_000, 3), [64, 60, 60], "a slow laptop with long chunks");
    }

    #[test]
    fn a_short_piece_does_not_speed_up_but_may_slow_down() {
        let mut pace = Pace::new(64);
        pace.observe(1, Duration::from_micros(1));
        assert_eq!(pace.chunk, 8);
        pace.observe(1, Duration::from_millis(10));
        assert_eq!(pace.chunk, 6);
    }

    #[test]
    fn a_prompt_that_fits_goes_in_one_chunk_and_others_in_equal_parts() {
        let mut pace = Pace::new(512);
        assert_eq!(pace.chunk(50), 50);
        assert_eq!(pace.chunk(65), 33, "not 64 and a last one alone");
        chunks(&mut pace, 100, 3);
        assert_eq!([300, 512, 513, 1200].map(|rest| pace.chunk(rest)), [300, 512, 257, 400]);
        assert_eq!(pace.chunk(0), 0);
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
