//! What a refusal by the Gemini API means. The status alone does not say it: a wrong key is a 400, so is a country, so is
//! a schema that the model does not take.

use std::time::Duration;

use serde_json::Value;

use super::wire;
use crate::error::{Error, Problem, shown};
use crate::secret::Secret;

/// What is known about a refusal besides its body.
pub(super) struct Context<'a> {
    /// The server.
    pub host: &'a str,
    /// The HTTP status.
    pub status: u16,
    /// What the header `Retry-After` says.
    pub retry_after: Option<Duration>,
    /// What must not be shown.
    pub key: &'a Secret,
}

/// Reads the body of an answer that is none.
pub(super) fn read(context: &Context<'_>, body: &[u8]) -> Error {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    if let Some(error) = wire::error(&value) {
        return from_json(context, error);
    }
    // A page or a few words by something on the way.
    let text = String::from_utf8_lossy(body);
    let message = if text.trim_start().starts_with('<') { String::new() } else { shown(Some(context.key), &text) };
    Error::Refused {
        host: context.host.to_owned(),
        status: context.status,
        problem: by_status(context.status, "", &Said::default()),
        message,
        retry_after: context.retry_after,
    }
}

/// Reads `{"code", "message", "status", "details"}`, from the body of a refusal or from the middle of a stream.
pub(super) fn from_json(context: &Context<'_>, error: &Value) -> Error {
    let said = Said::read(error);
    let code = error.get("code").and_then(Value::as_u64).and_then(|code| u16::try_from(code).ok());
    let status = code.filter(|code| *code >= 400).unwrap_or(context.status);
    let word = error.get("status").and_then(Value::as_str).unwrap_or_default();
    let problem = problem(status, word, &said);
    let daily = said.quotas.iter().any(|quota| quota.id.contains("PerDay"));
    Error::Refused {
        host: context.host.to_owned(),
        status,
        problem,
        message: shown(Some(context.key), &said.message),
        // A pause of seconds is asked for even where only tomorrow helps.
        retry_after: said.retry_after.or(context.retry_after).filter(|_| !daily),
    }
}

/// An allowance that was used up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Quota {
    /// Its name, e.g. `GenerateRequestsPerMinutePerProjectPerModel-FreeTier`.
    pub id: String,
    /// How much it is, where the service says.
    pub value: Option<u64>,
}

/// What an error says.
#[derive(Debug, Default)]
pub(super) struct Said {
    message: String,
    /// Machine-readable reasons, e.g. `API_KEY_INVALID`.
    reasons: Vec<String>,
    /// Everything that is said in words, in lower case.
    words: String,
    pub quotas: Vec<Quota>,
    retry_after: Option<Duration>,
}

impl Said {
    pub fn read(error: &Value) -> Self {
        let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut said = Self { message: text(error, "message"), ..Self::default() };
        let mut words = vec![said.message.clone()];
        let details = error.get("details").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        for detail in details {
            let reason = text(detail, "reason");
            if !reason.is_empty() {
                said.reasons.push(reason);
            }
            words.extend(["detail", "message"].map(|name| text(detail, name)));
            let violations = ["violations", "fieldViolations"].map(|name| detail.get(name).and_then(Value::as_array));
            for violation in violations.into_iter().flatten().flatten() {
                words.push(text(violation, "description"));
                let id = text(violation, "quotaId");
                if !id.is_empty() {
                    said.quotas.push(Quota { id, value: number(violation.get("quotaValue")) });
                }
            }
            if let Some(metadata) = detail.get("metadata") {
                let id = text(metadata, "quota_limit");
                if !id.is_empty() {
                    said.quotas.push(Quota { id, value: number(metadata.get("quota_limit_value")) });
                }
            }
            said.retry_after = said.retry_after.or_else(|| duration(detail.get("retryDelay")?));
        }
        if said.message.is_empty() || said.message.starts_with("$grpc") {
            said.message = words.iter().skip(1).find(|text| !text.is_empty()).cloned().unwrap_or_default();
        }
        said.words = words.join("\n").to_lowercase();
        said.retry_after = said.retry_after.or_else(|| retry_in(&said.words));
        said
    }

    fn has_reason(&self, test: impl Fn(&str) -> bool) -> bool {
        self.reasons.iter().any(|reason| test(reason))
    }

    fn has_words(&self, any: &[&str]) -> bool {
        any.iter().any(|words| self.words.contains(words))
    }
}

fn problem(status: u16, word: &str, said: &Said) -> Problem {
    let bad_key = |reason: &str| matches!(reason, "API_KEY_INVALID" | "API_KEY_EXPIRED" | "API_KEY_NOT_FOUND");
    let key_words = ["api key not valid", "api key expired", "api key not found", "reported as leaked"];
    if said.has_reason(bad_key) || said.has_words(&key_words) {
        return Problem::KeyRejected;
    }
    let place = ["user location is not supported", "not available in your country", "location is not supported"];
    if said.has_words(&place) {
        return Problem::Region;
    }
    let restricted = |reason: &str| {
        matches!(reason, "ACCESS_TOKEN_TYPE_UNSUPPORTED" | "SERVICE_DISABLED" | "IAM_PERMISSION_DENIED")
            || matches!(reason, "BILLING_DISABLED" | "CONSUMER_INVALID" | "CONSUMER_SUSPENDED")
            || (reason.starts_with("API_KEY_") && reason.ends_with("_BLOCKED"))
    };
    if said.has_reason(restricted) {
        return Problem::KeyRestricted;
    }
    by_status(status, word, said)
}

fn by_status(status: u16, word: &str, said: &Said) -> Problem {
    let form =
        ["json mode", "response_schema", "responseschema", "response schema", "mime_type", "mimetype", "mime type"];
    match (status, word) {
        (400, _) if said.has_words(&["thinking"]) => Problem::NoThinking,
        (400, _) if said.has_words(&form) => Problem::NoForm,
        (400, _) if said.has_words(&["token count", "maximum number of tokens"]) => Problem::TooLong,
        // The free tier is not offered everywhere.
        (400, "FAILED_PRECONDITION") if said.has_words(&["free tier", "billing"]) => Problem::Region,
        (413, _) => Problem::TooLong,
        (401, _) | (_, "UNAUTHENTICATED") => Problem::KeyRejected,
        (403, _) | (_, "PERMISSION_DENIED") => Problem::KeyRestricted,
        (404, _) | (_, "NOT_FOUND") => Problem::NoModel,
        (429, _) | (_, "RESOURCE_EXHAUSTED") => Problem::Quota { never: is_never(said) },
        (499, _) | (_, "CANCELLED") => Problem::Interrupted,
        (408 | 500..=599, _) | (_, "INTERNAL" | "UNAVAILABLE" | "DEADLINE_EXCEEDED") => Problem::Busy,
        _ => Problem::Other,
    }
}

/// Whether an allowance is zero, so that no wait helps: in the machine's words or in "limit: 0, model: …".
fn is_never(said: &Said) -> bool {
    let zero = |text: &str| !text.starts_with(|next: char| next.is_ascii_digit() || next == '.');
    said.quotas.iter().any(|quota| quota.value == Some(0)) || said.words.split("limit: 0").skip(1).any(zero)
}

fn number(value: Option<&Value>) -> Option<u64> {
    let value = value?;
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// `"59s"`, `"45.85s"`, or `{"seconds": 59, "nanos": 0}`.
fn duration(value: &Value) -> Option<Duration> {
    let seconds = match value {
        Value::String(text) => text.trim().strip_suffix('s')?.parse().ok()?,
        Value::Object(_) => number(value.get("seconds"))? as f64,
        _ => return None,
    };
    Duration::try_from_secs_f64(seconds).ok()
}

/// "Please retry in 45.85s." or "… 1m2.5s." or "… 850ms.", in lower case.
fn retry_in(words: &str) -> Option<Duration> {
    let (_, rest) = words.split_once("retry in ")?;
    let mut seconds = 0.0;
    let mut rest = rest.trim_start();
    let mut found = false;
    loop {
        let end = rest.find(|next: char| !next.is_ascii_digit() && next != '.').unwrap_or(rest.len());
        let Ok(amount) = rest[..end].parse::<f64>() else { break };
        rest = &rest[end..];
        let units = [("ms", 0.001), ("h", 3600.0), ("m", 60.0), ("s", 1.0)];
        let (unit, factor) = units.into_iter().find(|(unit, _)| rest.starts_with(unit))?;
        seconds += amount * factor;
        rest = &rest[unit.len()..];
        found = true;
    }
    if found { Duration::try_from_secs_f64(seconds).ok() } else { None }
}

#[cfg(test)]
#[path = "refusal_tests.rs"]
mod tests;
