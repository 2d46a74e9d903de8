//! What the scripted servers say.

use super::{MODEL, Received, Shared, example};
use generation::Structure;
use serde_json::{Value, json};
use std::sync::PoisonError;
use std::time::Duration;

/// What a chat gets.
const WORDS: [&str; 4] = ["Half of ", "a cake is ", "$\\frac{1}{2}$", " of it."];

/// An answer on its way.
#[derive(Debug, Default)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) kind: &'static str,
    pub(super) pieces: Vec<String>,
    pub(super) after: Duration,
    pub(super) silent: bool,
    pub(super) vanishes: bool,
}

fn json_reply(status: u16, body: &Value) -> Reply {
    Reply { status, kind: "application/json", pieces: vec![body.to_string()], ..Reply::default() }
}

/// The answer to `request`, the `seen`th of this server.
pub(super) fn to(request: &Received, seen: usize, shared: &Shared) -> Reply {
    let body: Value = serde_json::from_str(&request.body).unwrap_or(Value::Null);
    let path = request.target.split('?').next().unwrap_or_default();
    let gemini = path.starts_with("/v1beta/");
    let refused = request.secret().contains("wrong");
    if refused && (gemini || path.starts_with("/v1/")) {
        return key_refused(gemini, request.secret());
    }
    match path {
        "/v1beta/models" => json_reply(
            200,
            &json!({"models": [{
                "name": format!("models/{MODEL}"), "displayName": "Gemma 4 26B A4B", "inputTokenLimit": 262_144,
                "outputTokenLimit": 32_768, "supportedGenerationMethods": ["generateContent", "countTokens"],
            }]}),
        ),
        "/v1/models" => json_reply(
            200,
            &json!({"object": "list", "data": [
                {"id": MODEL, "object": "model", "owned_by": "vllm", "max_model_len": 32_768},
                {"id": "gemma-4-e4b-it", "object": "model", "owned_by": "vllm", "max_model_len": 8192},
            ]}),
        ),
        _ if path.ends_with(":countTokens") => json_reply(200, &json!({"totalTokens": 1})),
        _ if path.ends_with(":generateContent") || path.ends_with(":streamGenerateContent") => generated(
            request,
            &body,
            Dialect::Gemini { stream: path.ends_with(":streamGenerateContent") },
            seen,
            shared,
        ),
        "/v1/chat/completions" => {
            generated(request, &body, Dialect::OpenAi { stream: body["stream"] == true }, seen, shared)
        }
        _ => json_reply(404, &json!({"error": {"message": "there is nothing here", "code": 404}})),
    }
}

#[derive(Debug, Clone, Copy)]
enum Dialect {
    Gemini { stream: bool },
    OpenAi { stream: bool },
}

fn generated(request: &Received, body: &Value, dialect: Dialect, seen: usize, shared: &Shared) -> Reply {
    let gemini = matches!(dialect, Dialect::Gemini { .. });
    let question = question(body, gemini);
    let has = |word: &str| question.contains(word);
    let secret = request.secret();
    if has("revoked") {
        return key_refused(gemini, secret);
    }
    if has("region") && gemini {
        let message = format!("User location is not supported for the API use. ({secret})");
        return google_error(400, "FAILED_PRECONDITION", &message, &Value::Null);
    }
    if has("exhausted") {
        let message = format!("Quota exceeded, limit: 0 for {secret}");
        return if gemini {
            google_error(429, "RESOURCE_EXHAUSTED", &message, &Value::Null)
        } else {
            open_ai_error(429, &message)
        };
    }
    if has("quota") && first_of_its_kind(request, seen, shared) {
        let delay = json!([{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "3s"}]);
        let message = format!("You exceeded your current quota. Please retry in 3s. ({secret})");
        return if gemini {
            google_error(429, "RESOURCE_EXHAUSTED", &message, &delay)
        } else {
            open_ai_error(429, &message)
        };
    }
    if has("busy") {
        let message = format!("The model is overloaded ({secret})");
        return if gemini {
            google_error(503, "UNAVAILABLE", &message, &Value::Null)
        } else {
            open_ai_error(503, &message)
        };
    }
    if has("portal") {
        let page = "<!DOCTYPE html><html><title>Sign in</title><body>Sign in to the network</body></html>";
        return Reply { status: 200, kind: "text/html", pieces: vec![page.to_owned()], ..Reply::default() };
    }
    let after = if has("slow") { Duration::from_secs(3) } else { Duration::ZERO };
    let mut texts = texts(body, gemini, &question);
    let stop = if has("blocked") {
        Stop::Blocked
    } else if has("cut") {
        Stop::Cut
    } else {
        Stop::Done
    };
    if stop == Stop::Cut {
        texts.truncate(texts.len().div_ceil(2));
    }
    let mut reply = match dialect {
        Dialect::Gemini { stream } => gemini_body(&texts, stop, stream),
        Dialect::OpenAi { stream } => open_ai_body(&texts, stop, stream),
    };
    if has("vanish") {
        let half = reply.pieces.len().div_ceil(2);
        reply.pieces.truncate(half);
    }
    Reply { after, silent: has("silent"), vanishes: has("vanish"), ..reply }
}

/// Whether no request with this body came before.
fn first_of_its_kind(request: &Received, seen: usize, shared: &Shared) -> bool {
    let received = shared.received.lock().unwrap_or_else(PoisonError::into_inner);
    received.iter().take(seen.saturating_sub(1)).all(|before| before.body != request.body)
}

/// The last text of the user.
fn question(body: &Value, gemini: bool) -> String {
    if gemini {
        let parts = body["contents"].as_array().and_then(|all| all.last()).map(|last| &last["parts"]);
        let texts = parts.and_then(Value::as_array).into_iter().flatten().filter_map(|part| part["text"].as_str());
        return texts.collect::<Vec<_>>().join(" ");
    }
    let content = body["messages"].as_array().and_then(|all| all.last()).map_or(&Value::Null, |last| &last["content"]);
    match content {
        Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect::<Vec<_>>().join(" "),
        other => other.as_str().unwrap_or_default().to_owned(),
    }
}

/// What is written, in pieces.
fn texts(body: &Value, gemini: bool, question: &str) -> Vec<String> {
    let schema = if gemini {
        let config = &body["generationConfig"];
        config.get("responseJsonSchema").or_else(|| config.get("responseSchema"))
    } else {
        body["response_format"]["json_schema"].get("schema")
    };
    let Some(schema) = schema else { return WORDS.map(str::to_owned).to_vec() };
    // What comes is quoted in the request for its correction, which breaks again.
    if question.contains("broken") || body.to_string().contains("broken") {
        return vec!["{\"title\": \"broken".to_owned()];
    }
    let text = example(&Structure { name: "scripted".to_owned(), schema: schema.clone() }).to_string();
    let characters: Vec<char> = text.chars().collect();
    characters.chunks(60).map(|piece| piece.iter().collect()).collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    Done,
    Cut,
    Blocked,
}

fn gemini_body(texts: &[String], stop: Stop, stream: bool) -> Reply {
    let reason = match stop {
        Stop::Done => "STOP",
        Stop::Cut => "MAX_TOKENS",
        Stop::Blocked => "SAFETY",
    };
    let usage =
        json!({"promptTokenCount": 20, "candidatesTokenCount": texts.len(), "totalTokenCount": 20 + texts.len()});
    let chunk = |text: &str, last: bool| {
        let mut candidate = json!({"content": {"role": "model", "parts": [{"text": text}]}, "index": 0});
        if last {
            candidate["finishReason"] = json!(reason);
        }
        json!({"candidates": [candidate], "usageMetadata": usage, "modelVersion": MODEL})
    };
    if !stream {
        return json_reply(200, &chunk(&texts.concat(), true));
    }
    let last = texts.len().saturating_sub(1);
    let events = texts.iter().enumerate().map(|(n, text)| format!("data: {}\r\n\r\n", chunk(text, n == last)));
    Reply { status: 200, kind: "text/event-stream", pieces: events.collect(), ..Reply::default() }
}

fn open_ai_body(texts: &[String], stop: Stop, stream: bool) -> Reply {
    let reason = match stop {
        Stop::Done => "stop",
        Stop::Cut => "length",
        Stop::Blocked => "content_filter",
    };
    let usage = json!({"prompt_tokens": 20, "completion_tokens": texts.len(), "total_tokens": 20 + texts.len()});
    if !stream {
        let message = json!({"role": "assistant", "content": texts.concat()});
        return json_reply(
            200,
            &json!({"id": "1", "object": "chat.completion", "model": MODEL, "usage": usage,
            "choices": [{"index": 0, "message": message, "finish_reason": reason}]}),
        );
    }
    let chunk = |delta: Value, reason: Value| {
        json!({"id": "1", "object": "chat.completion.chunk", "model": MODEL,
               "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]})
    };
    let mut pieces = vec![format!("data: {}\n\n", chunk(json!({"role": "assistant", "content": ""}), Value::Null))];
    pieces.extend(texts.iter().map(|text| format!("data: {}\n\n", chunk(json!({"content": text}), Value::Null))));
    pieces.push(format!("data: {}\n\n", chunk(json!({}), json!(reason))));
    pieces.push(format!("data: {}\n\n", json!({"id": "1", "choices": [], "usage": usage})));
    pieces.push("data: [DONE]\n\n".to_owned());
    Reply { status: 200, kind: "text/event-stream", pieces, ..Reply::default() }
}

fn key_refused(gemini: bool, secret: &str) -> Reply {
    if gemini {
        let details = json!([
            {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com"},
            {"@type": "type.googleapis.com/google.rpc.DebugInfo", "detail": format!("Invalid API key: {secret}")},
        ]);
        let message = format!("API key not valid: {secret}. Please pass a valid API key.");
        google_error(400, "INVALID_ARGUMENT", &message, &details)
    } else {
        open_ai_error(401, &format!("Incorrect API key provided: {secret}"))
    }
}

fn google_error(code: u16, status: &str, message: &str, details: &Value) -> Reply {
    let mut error = json!({"code": code, "message": message, "status": status});
    if !details.is_null() {
        error["details"] = details.clone();
    }
    json_reply(code, &json!({"error": error}))
}

fn open_ai_error(code: u16, message: &str) -> Reply {
    json_reply(code, &json!({"error": {"message": message, "type": "error", "code": code}}))
}
