//! What a refusal of a school's server means. Servers agree on the status at best, so their words count as well.

use std::time::Duration;

use serde_json::Value;

use crate::Problem;
use crate::error::{Error, shown};
use crate::secret::Secret;

/// What a server said instead of an answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// Its words.
    pub message: String,
    /// Its own name for the kind of error.
    pub kind: String,
    /// The status that it gives in the body.
    pub status: Option<u16>,
}

/// The error in a body or event; none where it is something else. Servers wrap it in `error` or in a list, or give a
/// `detail`, or say of the whole that it is an error.
pub fn said(value: &Value) -> Option<Said> {
    let value = match value {
        Value::Array(items) => items.first()?,
        value => value,
    };
    let error = &value["error"];
    let text = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let whole = |error: &Value| Said {
        message: text(&error["message"]),
        kind: [&error["type"], &error["code"]].into_iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
        status: ["code", "status"].iter().find_map(|name| status(&error[*name])),
    };
    match error {
        Value::Object(_) => Some(whole(error)),
        Value::String(message) => Some(Said { message: message.clone(), ..whole(value) }),
        _ if value["object"] == "error" => Some(whole(value)),
        _ if value["choices"].is_null() && !value["detail"].is_null() => {
            Some(Said { message: text(&value["detail"]), ..Said::default() })
        }
        _ => None,
    }
}

fn status(value: &Value) -> Option<u16> {
    let number = match value {
        Value::String(text) => text.parse().ok()?,
        value => value.as_u64()?,
    };
    u16::try_from(number).ok().filter(|status| (400..600).contains(status))
}

/// One refusal, as it came.
#[derive(Debug, Clone, Copy)]
pub struct Refusal<'a> {
    /// The server.
    pub host: &'a str,
    /// The HTTP status.
    pub status: u16,
    /// The beginning of the body.
    pub body: &'a str,
    /// Where it sends the request on to.
    pub location: Option<&'a str>,
    /// How long the server asks to wait.
    pub retry_after: Option<Duration>,
}

/// The error that a refusal is. `with_pictures` says whether there were any in the request.
pub fn error(refusal: Refusal<'_>, model: &str, with_pictures: bool, secret: Option<&Secret>) -> Error {
    let Refusal { host, status, body, location, retry_after } = refusal;
    if let (300..=399, Some(location)) = (status, location) {
        return sent_on(host, status, location);
    }
    let is_page = is_page(body);
    if is_page && !matches!(status, 401 | 403 | 407 | 413 | 429 | 502 | 503 | 504 | 404) {
        return Error::CaptivePortal { host: host.to_owned() };
    }
    let parsed = serde_json::from_str::<Value>(body).ok().and_then(|value| said(&value));
    let said = match parsed {
        Some(said) => said,
        None if is_page => Said::default(),
        None => Said { message: body.to_owned(), ..Said::default() },
    };
    refused(host, status, &said, retry_after, model, with_pictures, secret)
}

/// The error that a server reports in the middle of a stream, or in a body with a good status.
pub fn in_stream(host: &str, said: &Said, model: &str, with_pictures: bool, secret: Option<&Secret>) -> Error {
    // Without a status of its own it is a failure of the server.
    refused(host, said.status.unwrap_or(500), said, None, model, with_pictures, secret)
}

fn refused(
    host: &str,
    status: u16,
    said: &Said,
    retry_after: Option<Duration>,
    model: &str,
    with_pictures: bool,
    secret: Option<&Secret>,
) -> Error {
    let words = format!("{} {}", said.kind, said.message).to_lowercase();
    if with_pictures && matches!(status, 400 | 404 | 415 | 422 | 500 | 501) && speaks_of_pictures(&words) {
        return Error::NoVision { model: model.to_owned() };
    }
    let message = shown(secret, &said.message);
    Error::Refused { host: host.to_owned(), status, problem: problem(status, &words), message, retry_after }
}

/// A server behind `http` that wants `https` is told apart from a network that wants people to sign in.
fn sent_on(host: &str, status: u16, location: &str) -> Error {
    let wants = format!("https://{host}");
    if location.starts_with(&wants) {
        let message = format!("enter the address with https:// ({wants})");
        let problem = Problem::Other;
        return Error::Refused { host: host.to_owned(), status, problem, message, retry_after: None };
    }
    Error::CaptivePortal { host: host.to_owned() }
}

/// Whether `body` is a page for people.
pub fn is_page(body: &str) -> bool {
    let start = body.trim_start_matches('\u{feff}').trim_start();
    let has = |tag: &str| start.get(..tag.len()).is_some_and(|head| head.eq_ignore_ascii_case(tag));
    has("<!doctype") || has("<html") || has("<head") || has("<body") || has("<?xml") || has("<!--")
}

fn speaks_of_pictures(words: &str) -> bool {
    ["image", "vision", "multimodal", "mmproj", "picture"].iter().any(|word| words.contains(word))
}

fn problem(status: u16, words: &str) -> Problem {
    let has = |candidates: &[&str]| candidates.iter().any(|word| words.contains(word));
    let too_long = [
        "context size",
        "context length",
        "context_length",
        "exceed_context",
        "maximum context",
        "context window",
        "context the overflows",
        "prompt is too long",
        "context shift",
        "too many tokens",
    ];
    match status {
        401 | 407 => Problem::KeyRejected,
        403 => Problem::KeyRejected,
        413 => Problem::TooLong,
        408 | 425 | 429 | 502 | 503 | 504 | 529 => Problem::Busy,
        400 | 404 | 422 | 500 if has(&too_long) => Problem::TooLong,
        400 | 404 | 410 | 422
            if has(&["model"])
                && has(&[
                    "not found",
                    "not exist",
                    "not_found",
                    "no model",
                    "not loaded",
                    "unknown",
                    "not served",
                    "notfound",
                ]) =>
        {
            Problem::NoModel
        }
        400 | 415 | 422 | 501 => Problem::Unsupported,
        500 if has(&["grammar", "schema", "response_format", "sampler", "structured"]) => Problem::Unsupported,
        500 if has(&["abort", "cancelled"]) => Problem::Interrupted,
        _ => Problem::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use errors::{ErrorCode, Explain};

    fn code(status: u16, body: &str) -> ErrorCode {
        let refusal = Refusal { host: "aula.local", status, body, location: None, retry_after: None };
        error(refusal, "gemma", false, None).code()
    }

    #[test]
    fn refusals_of_the_four_servers_are_understood() {
        use ErrorCode::{KeyRejected, ModelNotServed, PromptTooLong, ServerBusy, ServerRefused};
        for (status, body, expected) in [
            // llama-server
            (401, r#"{"error":{"code":401,"message":"Invalid API Key","type":"authentication_error"}}"#, KeyRejected),
            (
                400,
                r#"{"error":{"code":400,"message":"request (2009 tokens) exceeds the available context size (512 tokens), try increasing it","n_ctx":512,"type":"exceed_context_size_error"}}"#,
                PromptTooLong,
            ),
            (503, r#"{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}"#, ServerBusy),
            // vLLM
            (401, r#"{"error":"Unauthorized"}"#, KeyRejected),
            (
                404,
                r#"{"object":"error","message":"The model `x` does not exist.","type":"NotFoundError","param":null,"code":404}"#,
                ModelNotServed,
            ),
            (
                404,
                r#"{"error":{"message":"The model `x` does not exist.","type":"NotFoundError","param":"model","code":404}}"#,
                ModelNotServed,
            ),
            (
                400,
                r#"{"object":"error","message":"This model's maximum context length is 4096 tokens. However, you requested 5000 tokens","code":400}"#,
                PromptTooLong,
            ),
            (404, r#"{"detail":"Not Found"}"#, ServerRefused),
            // Ollama
            (
                404,
                r#"{"error":{"message":"model \"x\" not found, try pulling it first","type":"api_error","param":null,"code":null}}"#,
                ModelNotServed,
            ),
            (404, "404 page not found", ServerRefused),
            // LM Studio
            (
                400,
                r#"{"error":"Trying to keep the first 9000 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens"}"#,
                PromptTooLong,
            ),
            (404, r#"{"error":{"message":"Model x not found","code":"model_not_found"}}"#, ModelNotServed),
            // What stands in front of them
            (401, "<html><head><title>401 Authorization Required</title></head></html>", KeyRejected),
            (403, "<html>403 Forbidden</html>", KeyRejected),
            (413, "<html>413 Request Entity Too Large</html>", PromptTooLong),
            (429, "", ServerBusy),
            (502, "<html>502 Bad Gateway</html>", ServerBusy),
            (503, "upstream connect error", ServerBusy),
            (504, "<html>504</html>", ServerBusy),
            (404, "<html>404 Not Found</html>", ServerRefused),
            (500, r#"{"error":{"message":"llama runner process has terminated: exit status 2"}}"#, ServerRefused),
        ] {
            assert_eq!(code(status, body), expected, "{status} {body}");
        }
    }

    #[test]
    fn a_page_for_people_is_a_portal() {
        for (status, body) in
            [(200, " \n<!DOCTYPE html><html>Sign in"), (511, "<html>"), (500, "\u{feff}<HTML lang=es>")]
        {
            assert_eq!(code(status, body), ErrorCode::CaptivePortal, "{status} {body}");
        }
        let redirected = |location| {
            let refusal =
                Refusal { host: "aula.local", status: 302, body: "", location: Some(location), retry_after: None };
            error(refusal, "gemma", false, None)
        };
        assert_eq!(redirected("http://login.school.example/").code(), ErrorCode::CaptivePortal);
        let https = redirected("https://aula.local/v1/chat/completions");
        assert_eq!(https.code(), ErrorCode::ServerRefused);
        assert!(https.to_string().contains("https://"), "{https}");
    }

    #[test]
    fn pictures_that_nobody_reads_are_said_so() {
        let body = r#"{"error":{"code":500,"message":"image input is not supported - hint: you may need to provide the mmproj"}}"#;
        let refusal = Refusal { host: "aula.local", status: 500, body, location: None, retry_after: None };
        assert_eq!(error(refusal, "gemma", true, None).code(), ErrorCode::NoVision);
        assert_eq!(error(refusal, "gemma", false, None).code(), ErrorCode::ServerRefused);
    }

    #[test]
    fn the_token_is_taken_out_of_a_servers_words() {
        let secret = Secret::new("school-token-0123456789");
        let body = r#"{"detail":"bad token school-token-0123456789 given"}"#;
        let refusal = Refusal { host: "aula.local", status: 400, body, location: None, retry_after: None };
        let text = format!("{:?}", error(refusal, "gemma", false, Some(&secret)));
        assert!(!text.contains("0123456789") && text.contains("bad token"), "{text}");
    }

    #[test]
    fn errors_stand_in_many_places() {
        let message = |text: &str| said(&serde_json::from_str(text).expect(text)).map(|said| said.message);
        for text in [
            r#"{"error":"no"}"#,
            r#"{"error":{"message":"no"}}"#,
            r#"[{"error":{"message":"no"}}]"#,
            r#"{"object":"error","message":"no"}"#,
            r#"{"detail":"no"}"#,
        ] {
            assert_eq!(message(text).as_deref(), Some("no"), "{text}");
        }
        for text in [r#"{"choices":[],"error":null}"#, "[]", "7", r#"{"choices":[],"detail":"x"}"#] {
            assert_eq!(message(text), None, "{text}");
        }
        let said = said(&serde_json::json!({"error": {"message": "m", "type": "t", "code": "429"}})).expect("an error");
        assert_eq!((said.kind.as_str(), said.status), ("t 429", Some(429)));
    }
}
