//! What a key may ask for, learnt from refusals. Nothing about it is known beforehand: the service publishes no table, and
//! what it allows changes without notice.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::refusal::Said;

/// The window over which the service counts.
const MINUTE: Duration = Duration::from_secs(60);

/// What one key may do in a minute, as far as it is known, and what it did in the last one.
#[derive(Debug, Default)]
pub(super) struct Allowance {
    /// Requests in a minute.
    requests: Option<u64>,
    /// Tokens read in a minute.
    tokens: Option<u64>,
    /// Requests of the last minute: when, and how many tokens each has.
    sent: VecDeque<(Instant, u64)>,
}

impl Allowance {
    /// Takes the error of a refusal into account: the allowances that it names.
    pub fn learn(&mut self, error: &Value) {
        for quota in Said::read(error).quotas {
            let Some(value) = quota.value.filter(|value| *value > 0) else { continue };
            if !quota.id.contains("PerMinute") {
                continue;
            }
            let is_tokens = quota.id.contains("Token");
            let kind = if is_tokens { &mut self.tokens } else { &mut self.requests };
            if kind.replace(value) != Some(value) {
                // The name is the service's own word and is not logged: who knows what else stands in it.
                let of = if is_tokens { "tokens" } else { "requests" };
                tracing::info!(of, value, "the service says what the key may do in a minute");
            }
        }
    }

    /// How long a request of about `tokens` has to wait. Zero counts it as sent.
    pub fn wait(&mut self, tokens: u64, now: Instant) -> Duration {
        while self.sent.front().is_some_and(|(at, _)| now.duration_since(*at) >= MINUTE) {
            self.sent.pop_front();
        }
        let mut wait = Duration::ZERO;
        let until = |at: Instant| MINUTE.saturating_sub(now.duration_since(at));
        if let Some(most) = self.requests
            && let Some(over) = (self.sent.len() as u64 + 1).checked_sub(most).filter(|over| *over > 0)
        {
            let last_to_go = usize::try_from(over - 1).unwrap_or(usize::MAX);
            wait = self.sent.get(last_to_go).map_or(wait, |(at, _)| until(*at));
        }
        if let Some(most) = self.tokens {
            let mut sum: u64 = tokens + self.sent.iter().map(|(_, tokens)| tokens).sum::<u64>();
            for (at, earlier) in &self.sent {
                if sum <= most {
                    break;
                }
                sum -= earlier;
                wait = wait.max(until(*at));
            }
        }
        if wait.is_zero() {
            self.sent.push_back((now, tokens));
        }
        wait
    }

    /// How many tokens the latest request really had.
    pub fn correct(&mut self, tokens: u64) {
        if let Some((_, counted)) = self.sent.back_mut() {
            *counted = tokens;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn learnt(id: &str, value: &str) -> Allowance {
        let mut allowance = Allowance::default();
        allowance.learn(&json!({"details": [{"violations": [{"quotaId": id, "quotaValue": value}]}]}));
        allowance
    }

    #[test]
    fn nothing_is_held_back_before_anything_is_known() {
        let now = Instant::now();
        for mut allowance in [Allowance::default(), learnt("GenerateRequestsPerDay", "5"), learnt("PerMinute", "0")] {
            assert!((0..100).all(|_| allowance.wait(1_000_000, now).is_zero()));
        }
    }

    #[test]
    fn requests_are_spaced_as_the_service_counts_them() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut allowance = learnt("GenerateRequestsPerMinutePerProjectPerModel-FreeTier", "3");
        assert!([0, 10, 20].iter().all(|seconds| allowance.wait(0, at(*seconds)).is_zero()));
        assert_eq!(allowance.wait(0, at(25)), Duration::from_secs(35));
        assert_eq!(allowance.wait(0, at(60)), Duration::ZERO);
        assert_eq!(allowance.wait(0, at(61)), Duration::from_secs(9));
        // The allowance went down: as many have to pass as are too many.
        allowance.learn(&json!({"details": [{"violations": [{"quotaId": "RequestsPerMinute", "quotaValue": "1"}]}]}));
        assert_eq!(allowance.wait(0, at(61)), Duration::from_secs(59));
    }

    #[test]
    fn tokens_are_spaced_too_and_corrected_afterwards() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut allowance = learnt("GenerateContentInputTokensPerModelPerMinute-FreeTier", "16000");
        assert_eq!(allowance.wait(6000, at(0)), Duration::ZERO);
        assert_eq!(allowance.wait(6000, at(10)), Duration::ZERO);
        assert_eq!(allowance.wait(6000, at(20)), Duration::from_secs(40));
        allowance.correct(3000);
        assert_eq!(allowance.wait(6000, at(20)), Duration::ZERO);
        // What is too much by itself is for the service to refuse.
        assert_eq!(allowance.wait(20_000, at(90)), Duration::ZERO);
    }
}
