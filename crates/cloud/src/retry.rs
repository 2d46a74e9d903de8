//! Whether a question is asked again by itself, and how long to wait before.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use generation::WaitReason;

use crate::error::{Error, Problem};

/// A wait longer than this is left to the person.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(90);
/// How often a busy server is asked again.
const BUSY_RETRIES: u32 = 3;
/// How often a question is asked again after the allowance was used up.
const QUOTA_RETRIES: u32 = 1;
/// The pause before a busy server is asked again for the first time; it doubles each time.
pub(crate) const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// A pause before the question is asked again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wait {
    /// How long.
    pub pause: Duration,
    /// Why.
    pub reason: WaitReason,
}

impl Wait {
    /// Whole seconds, rounded up, for a countdown.
    pub fn seconds(&self) -> u32 {
        u32::try_from(self.pause.as_millis().div_ceil(1000)).unwrap_or(u32::MAX)
    }
}

/// What is left of the retries of one question.
#[derive(Debug)]
pub(crate) struct Retries {
    busy: u32,
    quota: u32,
    first_pause: Duration,
}

impl Retries {
    /// Retries that begin with a pause of `first_pause`.
    pub fn new(first_pause: Duration) -> Self {
        Self { busy: 0, quota: 0, first_pause }
    }

    /// The pause before the question is asked again after `error`; none if it is not. Only for as long as nothing of the
    /// answer was shown.
    pub fn after(&mut self, error: &Error) -> Option<Wait> {
        let Error::Refused { problem, retry_after, .. } = error else { return None };
        match problem {
            Problem::Quota { never: false } if self.quota < QUOTA_RETRIES => {
                let pause = retry_after.filter(|pause| *pause <= LONGEST_WAIT)?;
                self.quota += 1;
                Some(Wait { pause, reason: WaitReason::Quota })
            }
            Problem::Busy if self.busy < BUSY_RETRIES => {
                let pause = match retry_after {
                    Some(pause) if *pause > LONGEST_WAIT => return None,
                    Some(pause) => *pause,
                    // Many computers that were refused at once should not come back at once.
                    None => self.first_pause * 2_u32.pow(self.busy) + self.first_pause.mul_f64(jitter()),
                };
                self.busy += 1;
                Some(Wait { pause, reason: WaitReason::Busy })
            }
            _ => None,
        }
    }
}

/// A random number from 0 to 1. The standard library seeds its hash tables anew each time, which is random enough here.
fn jitter() -> f64 {
    let number = RandomState::new().build_hasher().finish() >> 11;
    number as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(problem: Problem, seconds: Option<u64>) -> Error {
        let retry_after = seconds.map(Duration::from_secs);
        Error::Refused { host: String::new(), status: 0, problem, message: String::new(), retry_after }
    }

    #[test]
    fn a_used_up_allowance_is_waited_for_once_and_not_for_long() {
        let quota = Problem::Quota { never: false };
        let mut retries = Retries::new(FIRST_PAUSE);
        assert_eq!(retries.after(&refused(quota, None)), None, "nobody said how long");
        assert_eq!(retries.after(&refused(quota, Some(91))), None);
        assert_eq!(retries.after(&refused(Problem::Quota { never: true }, Some(1))), None);
        let wait = retries.after(&refused(quota, Some(59))).expect("a wait");
        assert_eq!((wait.seconds(), wait.reason), (59, WaitReason::Quota));
        assert_eq!(retries.after(&refused(quota, Some(1))), None, "once");
        let short = Wait { pause: Duration::from_millis(45_850), reason: WaitReason::Quota };
        assert_eq!(short.seconds(), 46);
    }

    #[test]
    fn a_busy_server_is_asked_three_times_more_with_growing_pauses() {
        let mut retries = Retries::new(FIRST_PAUSE);
        let pauses: Vec<f64> = std::iter::from_fn(|| retries.after(&refused(Problem::Busy, None)))
            .map(|wait| wait.pause.as_secs_f64())
            .collect();
        assert_eq!(pauses.len(), 3);
        for (pause, least) in pauses.iter().zip([1.0, 2.0, 4.0]) {
            assert!((least..=least + 1.0).contains(pause), "{pauses:?}");
        }
        let mut retries = Retries::new(FIRST_PAUSE);
        assert_eq!(retries.after(&refused(Problem::Busy, Some(7))).map(|wait| wait.seconds()), Some(7));
        assert_eq!(retries.after(&refused(Problem::Busy, Some(600))), None);
    }

    #[test]
    fn nothing_else_is_asked_again() {
        let mut retries = Retries::new(FIRST_PAUSE);
        for problem in [Problem::KeyRejected, Problem::Region, Problem::NoModel, Problem::Interrupted, Problem::Other] {
            assert_eq!(retries.after(&refused(problem, Some(1))), None, "{problem:?}");
        }
        assert_eq!(retries.after(&Error::Looped), None);
    }
}
