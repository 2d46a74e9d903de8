//! How many threads take part while other programs keep cores busy.
//!
//! A thread that shares its core with another program is off it half of the time, some milliseconds at once. Most jobs then
//! wait for an item that it holds, and a few threads on cores of their own get more done than all together. But where
//! every core is shared, all together get the most. Which of the two it is shows only by trying: [`Pace`] counts how much of
//! the time is lost to waiting, and where that is much, it tries fewer threads for a moment and keeps the number with
//! which the most threads were at work on average.
//!
//! What a thread computes does not depend on how many there are; only the time does.

use std::time::Duration;

/// Time in jobs after which a number of threads is judged.
const WINDOW: Duration = Duration::from_millis(50);

/// Windows for which a number is kept that was found best, before the others are tried again.
const HOLD: u32 = 20;

/// Lost share of a window that is worth trying other numbers, and the one below which all threads are free.
const MUCH: f64 = 0.10;
const LITTLE: f64 = 0.05;

/// How much better fewer threads have to be.
const BETTER: f64 = 1.03;

/// What is shorter is no thread off its core, but an uneven end of a job.
const STALL: Duration = Duration::from_micros(300);

/// What the caller saw of one job.
pub(super) struct Seen {
    /// Items of the job.
    pub(super) n_items: usize,
    /// Items that the caller ran itself.
    pub(super) own: usize,
    /// Threads that could take part, the caller included.
    pub(super) threads: usize,
    /// How long the caller ran items.
    pub(super) worked: Duration,
    /// How long it then waited for the others.
    pub(super) waited: Duration,
}

impl Seen {
    /// Time in which the job waited for a thread that was off its core.
    pub(super) fn lost(&self) -> Duration {
        let fair = self.own * self.threads;
        let for_others = match u32::try_from(self.own) {
            Ok(own @ 1..) if self.waited > 4 * self.worked / own => self.waited,
            _ => Duration::ZERO,
        };
        // The others did nearly everything, so that the caller was off its core itself. It does four times less than others
        // on no processor, whatever its cores are.
        let for_caller = match self.own > 0 && 4 * fair < self.n_items {
            true => self.worked.mul_f64(1.0 - fair as f64 / self.n_items as f64),
            false => Duration::ZERO,
        };
        [for_others, for_caller].into_iter().filter(|lost| *lost > STALL).sum()
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Phase {
    /// All threads, nothing to be found out.
    Free,
    /// Each number in turn, the greatest first.
    Trying,
    /// The best number, for so many windows more.
    Holding(u32),
}

/// See the module.
#[derive(Debug)]
pub(super) struct Pace {
    /// Threads that may take part.
    active: usize,
    /// Index in [`choices`].
    choice: usize,
    phase: Phase,
    spent: Duration,
    lost: Duration,
    /// Threads at work on average, for each of the choices when it was tried last.
    at_work: [f64; 3],
}

/// Numbers of threads worth trying: all, three quarters, half; two at least.
fn choices(active: usize) -> [usize; 3] {
    [active, (3 * active).div_ceil(4), active.div_ceil(2)].map(|n| n.max(2).min(active))
}

impl Pace {
    pub(super) fn new() -> Self {
        Self {
            active: 0,
            choice: 0,
            phase: Phase::Free,
            spent: Duration::ZERO,
            lost: Duration::ZERO,
            at_work: [0.0; 3],
        }
    }

    /// How many threads take part in the next job, if `active` may.
    pub(super) fn threads(&mut self, active: usize) -> usize {
        if active != self.active {
            *self = Self { active, ..Self::new() };
        }
        choices(active)[self.choice]
    }

    /// Takes note of a job that has ended.
    pub(super) fn note(&mut self, seen: &Seen) {
        self.spent += seen.worked + seen.waited;
        self.lost += seen.lost();
        if self.spent >= WINDOW {
            let lost = (self.lost.as_secs_f64() / self.spent.as_secs_f64()).min(1.0);
            (self.spent, self.lost) = (Duration::ZERO, Duration::ZERO);
            self.judge(lost);
        }
    }

    /// A window has ended, of which the share `lost` was lost.
    fn judge(&mut self, lost: f64) {
        match self.phase {
            Phase::Free if lost < MUCH || self.active <= 2 => {}
            Phase::Holding(windows @ 1..) => self.phase = Phase::Holding(windows - 1),
            Phase::Holding(0) => (self.choice, self.phase) = (0, Phase::Trying),
            Phase::Trying if self.choice == 0 && lost < LITTLE => self.phase = Phase::Free,
            Phase::Free | Phase::Trying => {
                self.at_work[self.choice] = choices(self.active)[self.choice] as f64 * (1.0 - lost);
                self.phase = Phase::Trying;
                if self.choice < 2 {
                    self.choice += 1;
                } else {
                    (self.choice, self.phase) = (self.best(), Phase::Holding(HOLD));
                }
            }
        }
    }

    /// The choice with the most threads at work; the one with more threads where it makes little difference.
    fn best(&self) -> usize {
        (1..3).fold(0, |best, choice| if self.at_work[choice] > BETTER * self.at_work[best] { choice } else { best })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// Threads in use after each of `windows` windows, when `lost(threads)` of the time is lost with so many threads.
    fn play(pace: &mut Pace, active: usize, windows: usize, lost: impl Fn(usize) -> f64) -> Vec<usize> {
        let mut used = Vec::new();
        for _ in 0..windows {
            let threads = pace.threads(active);
            used.push(threads);
            let waited = WINDOW.mul_f64(lost(threads));
            // The caller did its share in the rest of the time.
            pace.note(&Seen { n_items: 400, own: 400 / threads, threads, worked: WINDOW - waited, waited });
        }
        used
    }

    #[test]
    fn all_threads_while_little_is_lost() {
        assert_eq!(play(&mut Pace::new(), 4, 50, |_| 0.04), [4; 50]);
    }

    #[test]
    fn two_busy_cores_of_four_are_left_alone_until_they_are_free() {
        let mut pace = Pace::new();
        let used = play(&mut pace, 4, 20, |threads| [0.0, 0.0, 0.0, 0.38, 0.54][threads]);
        assert_eq!(used[..4], [4, 3, 2, 2]);
        assert_eq!(used[4..], [2; 16]);
        let used = play(&mut pace, 4, 60, |_| 0.0);
        assert_eq!(used[30..], [4; 30], "{used:?}");
    }

    #[test]
    fn where_every_core_is_busy_all_threads_go_on() {
        let used = play(&mut Pace::new(), 4, 200, |_| 0.52);
        let all = used.iter().filter(|threads| **threads == 4).count();
        assert!(all > 170, "{all} of 200 windows");
    }

    #[test]
    fn three_quarters_of_many() {
        let used = play(&mut Pace::new(), 8, 20, |threads| if threads > 6 { 0.4 } else { 0.0 });
        assert_eq!(used[..5], [8, 6, 4, 6, 6]);
    }

    #[test]
    fn two_threads_are_the_fewest() {
        assert_eq!(play(&mut Pace::new(), 2, 30, |_| 0.9), [2; 30]);
        let used = play(&mut Pace::new(), 3, 30, |threads| threads as f64 / 3.0);
        assert!(used.iter().all(|threads| *threads >= 2), "{used:?}");
    }

    #[test]
    fn a_new_number_of_threads_begins_anew() {
        let mut pace = Pace::new();
        play(&mut pace, 4, 4, |threads| if threads > 2 { 0.6 } else { 0.0 });
        assert_eq!(pace.threads(4), 2);
        assert_eq!(pace.threads(3), 3);
        assert_eq!(pace.threads(4), 4);
    }

    #[test]
    fn a_wait_counts_where_it_is_long_for_the_job() {
        let seen = |own, worked, waited| Seen { n_items: 40, own, threads: 4, worked, waited }.lost();
        // Items of 0.1 ms: 3 ms are too long, 0.2 ms are an uneven end.
        assert_eq!(seen(10, MS, 3 * MS), 3 * MS);
        assert_eq!(seen(10, MS, MS / 5), Duration::ZERO);
        // Items of 2 ms: 3 ms are the last item of a slower core.
        assert_eq!(seen(10, 20 * MS, 3 * MS), Duration::ZERO);
        // Without an item of its own the caller knows nothing.
        assert_eq!(seen(0, Duration::ZERO, 3 * MS), Duration::ZERO);
    }

    #[test]
    fn a_caller_off_its_core_is_noticed() {
        let seen = |own, worked| Seen { n_items: 40, own, threads: 4, worked, waited: Duration::ZERO }.lost();
        assert_eq!(seen(1, 4 * MS), MS * 36 / 10);
        assert_eq!(seen(9, 4 * MS), Duration::ZERO);
    }
}
