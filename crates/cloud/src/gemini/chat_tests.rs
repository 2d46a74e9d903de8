//! Bodies of streams, odd ones above all, cut at every byte and with every kind of line end.

use errors::ErrorCode;
use errors::Explain as _;
use expect_test::{Expect, expect};
use generation::{EngineInfo, EngineKind, TokenEvent};
use network::{Client, Gate, Options};
use serde_json::json;
use tokio::sync::mpsc;

use super::*;
use crate::gemini::GeminiOptions;
use crate::secret::Secret;

/// What a reader sees: the text, and how it ended.
type Seen = (String, Result<FinishReason, ErrorCode>);

fn gemini() -> Gemini {
    Gemini::new(Client::new(Gate::new(), Options::default()), GeminiOptions::default(), Secret::new("key"))
}

/// Reads a body that comes in `pieces`. Nothing waits in here, so no runtime of several threads is needed.
async fn read(gemini: &Gemini, pieces: &[&[u8]]) -> Seen {
    let (events, mut receiver) = mpsc::channel(10_000);
    let engine = EngineInfo { kind: EngineKind::Cloud, model: String::new(), device: String::new() };
    let mut teller = Teller::new(events, engine, None);
    let mut stream = Stream::new(gemini);
    let mut outcome = Ok(());
    for piece in pieces {
        outcome = stream.take(piece, &mut teller).await;
        if outcome.is_err() {
            break;
        }
    }
    let outcome = stream.close(outcome, &mut teller).await;
    drop(teller);
    let mut text = String::new();
    while let Some(event) = receiver.recv().await {
        if let TokenEvent::Token { text: piece } = event {
            assert!(!piece.is_empty());
            text.push_str(&piece);
        }
    }
    (text, outcome.map(|ending| ending.reason).map_err(|error| error.code()))
}

fn text(text: &str) -> Value {
    json!({"candidates": [{"content": {"parts": [{"text": text}], "role": "model"}, "index": 0}]})
}

fn last(text: &str, reason: &str) -> Value {
    json!({"candidates": [{"content": {"parts": [{"text": text}]}, "finishReason": reason}], "usageMetadata": {"promptTokenCount": 3}})
}

fn stream(events: &[Value]) -> String {
    events.iter().map(|event| format!("data: {event}\n\n")).collect()
}

const ERROR: &str = "{\n  \"error\": {\n    \"code\": 499,\n    \"message\": \"The operation {was} \\\"cancelled\\\".\",\n    \"status\": \"CANCELLED\"\n  }\n}\n";

/// Bodies with a name each.
fn bodies() -> Vec<(&'static str, String)> {
    let thought = json!({"candidates": [{"content": {"parts": [{"text": "Hm", "thought": true}]}}]});
    let bare = |error: &str| format!("{}{error}{}", stream(&[text("Uno ")]), stream(&[last("dos", "STOP")]));
    vec![
        ("plain", stream(&[text("Hola, "), text("mundo"), last(".", "STOP")])),
        ("split letters", stream(&[text("ñandú 🦤 "), last("日本語", "STOP")])),
        ("line separators", stream(&[text("a\u{2028}b\u{2029}c\u{85}d"), last("", "STOP")])),
        ("quotes and escapes", stream(&[text("\"\\ \r\n\t}{"), last("]", "STOP")])),
        ("thoughts", stream(&[thought.clone(), text("<|channel>thought\nHm<channel|>Ya"), last("", "STOP")])),
        ("only thoughts", stream(&[thought.clone(), last("", "STOP")])),
        ("only thoughts to the limit", stream(&[thought, last("", "MAX_TOKENS")])),
        ("to the limit", stream(&[text("Uno"), last("", "MAX_TOKENS")])),
        ("no blank at the end", stream(&[text("Uno"), last(" dos", "STOP")]).trim_end().to_owned()),
        ("no space", stream(&[text("Uno"), last(" dos", "STOP")]).replace("data: ", "data:")),
        (
            "comments and other fields",
            format!(": ping\n\nid: 7\nretry: 1\nevent: x\n{}:\n\n", stream(&[last("Uno", "STOP")])),
        ),
        ("byte-order mark", format!("\u{feff}{}", stream(&[last("Uno", "STOP")]))),
        ("done", format!("{}data: [DONE]\n\n", stream(&[last("Uno", "STOP")]))),
        ("empty", String::new()),
        ("blank lines", "\n\n\n".to_owned()),
        ("no end", stream(&[text("Uno")])),
        ("no candidates", stream(&[json!({"usageMetadata": {}})])),
        ("empty candidates", stream(&[json!({"candidates": [], "promptFeedback": {}})])),
        ("blocked question", stream(&[json!({"promptFeedback": {"blockReason": "SAFETY"}})])),
        (
            "blocked question of tomorrow",
            stream(&[json!({"candidates": [], "promptFeedback": {"blockReason": "NEW"}})]),
        ),
        (
            "content without parts",
            stream(&[json!({"candidates": [{"content": {"role": "model"}, "finishReason": "STOP"}]})]),
        ),
        ("blocked answer", stream(&[text("Uno "), last("dos", "SAFETY")])),
        ("recited", stream(&[json!({"candidates": [{"finishReason": "RECITATION", "finishMessage": "x"}]})])),
        ("unknown reason", stream(&[text("Uno "), last("dos", "OF_TOMORROW")])),
        ("unknown reason without text", stream(&[last("", "OF_TOMORROW")])),
        ("a reason with each event", stream(&[last("Uno ", "STOP"), last("dos", "STOP")])),
        ("error after a reason", format!("{}{ERROR}", stream(&[last("Uno ", "STOP")]))),
        ("bare error in the middle", bare(ERROR)),
        ("bare error in a list", bare(&format!("[{}]\n", ERROR.trim()))),
        ("bare error on one line", bare("{\"error\":{\"code\":503,\"status\":\"UNAVAILABLE\"}}\n")),
        ("error as an event", bare("data: {\"error\": {\"code\": 403, \"message\": \"API key not valid.\"}}\n\n")),
        ("revoked in the middle", bare("{\"error\": {\"code\": 401, \"status\": \"UNAUTHENTICATED\"}}\n")),
        ("bare error cut short", format!("{}{}", stream(&[text("Uno ")]), &ERROR[..60])),
        ("a whole list", format!("[{},\r\n{}]", text("Uno "), last("dos", "STOP"))),
        ("no JSON", "data: hello\n\n".to_owned()),
        ("another service", stream(&[json!({"this": [{"is": {"not": "valid"}}]})])),
        ("a page", "<!doctype html>\n<title>Sign in</title>\n".to_owned()),
        ("a loop", stream(&[text(&"ja ".repeat(200)), last("", "STOP")])),
    ]
}

fn described((text, outcome): &Seen) -> String {
    let text: String =
        if text.len() > 60 { format!("{} characters", text.chars().count()) } else { format!("{text:?}") };
    match outcome {
        Ok(reason) => format!("{text} {reason:?}"),
        Err(code) => format!("{text} !{}", code.as_str()),
    }
}

fn check(actual: &str, expected: Expect) {
    expected.assert_eq(actual);
}

#[tokio::test]
async fn every_body_has_its_reading() {
    let gemini = gemini();
    let mut readings = String::new();
    for (name, body) in bodies() {
        let seen = read(&gemini, &[body.as_bytes()]).await;
        readings.push_str(&format!("{name}: {}\n", described(&seen)));
    }
    check(
        &readings,
        expect![[r#"
        plain: "Hola, mundo." Stop
        split letters: "ñandú 🦤 日本語" Stop
        line separators: "a\u{2028}b\u{2029}c\u{85}d" Stop
        quotes and escapes: "\"\\ \r\n\t}{]" Stop
        thoughts: "Ya" Stop
        only thoughts: "" !bad_answer
        only thoughts to the limit: "" !result_cut
        to the limit: "Uno" MaxTokens
        no blank at the end: "Uno dos" Stop
        no space: "Uno dos" Stop
        comments and other fields: "Uno" Stop
        byte-order mark: "Uno" Stop
        done: "Uno" Stop
        empty: "" !truncated
        blank lines: "" !truncated
        no end: "Uno" !truncated
        no candidates: "" !truncated
        empty candidates: "" !truncated
        blocked question: "" !content_blocked
        blocked question of tomorrow: "" !content_blocked
        content without parts: "" !bad_answer
        blocked answer: "Uno dos" !content_blocked
        recited: "" !content_blocked
        unknown reason: "Uno dos" !truncated
        unknown reason without text: "" !bad_answer
        a reason with each event: "Uno dos" Stop
        error after a reason: "Uno " !truncated
        bare error in the middle: "Uno " !truncated
        bare error in a list: "Uno " !truncated
        bare error on one line: "Uno " !server_busy
        error as an event: "Uno " !key_rejected
        revoked in the middle: "Uno " !key_rejected
        bare error cut short: "Uno " !truncated
        a whole list: "Uno dos" Stop
        no JSON: "" !bad_answer
        another service: "" !bad_answer
        a page: "" !captive_portal
        a loop: 600 characters !answer_looped
    "#]],
    );
}

#[tokio::test]
async fn neither_cuts_nor_line_ends_change_what_is_read() {
    let gemini = gemini();
    for (name, body) in bodies() {
        let seen = read(&gemini, &[body.as_bytes()]).await;
        for ends in ["\n", "\r\n", "\r"] {
            // The list has a line end of its own kind within it.
            let body = body.replace("\r\n", "\n").replace('\n', ends);
            let bytes = body.as_bytes();
            for at in 0..=bytes.len() {
                let (one, two) = bytes.split_at(at);
                assert_eq!(read(&gemini, &[one, two]).await, seen, "{name} with {ends:?}, cut at {at}");
            }
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            assert_eq!(read(&gemini, &single).await, seen, "{name} with {ends:?}, byte by byte");
        }
    }
}

#[tokio::test]
async fn a_stream_cut_anywhere_is_never_whole() {
    let gemini = gemini();
    let events = [text("Hola, "), text("¿qué "), text("tal"), last("?", "STOP")];
    let body = stream(&events);
    let end = body.trim_end().len();
    for at in 0..end {
        let (text, outcome) = read(&gemini, &[&body.as_bytes()[..at]]).await;
        assert!("Hola, ¿qué tal?".starts_with(&text), "cut at {at}: {text}");
        assert_eq!(outcome, Err(ErrorCode::Truncated), "cut at {at}");
    }
    assert_eq!(read(&gemini, &[&body.as_bytes()[..end]]).await.1, Ok(FinishReason::Stop));
}

#[tokio::test]
async fn an_error_between_any_two_events_ends_it_and_what_was_read_stays() {
    let gemini = gemini();
    let events = [text("a"), text("b"), text("c"), last("d", "STOP")];
    for at in 0..=events.len() {
        let body = format!("{}{ERROR}{}", stream(&events[..at]), stream(&events[at..]));
        assert_eq!(read(&gemini, &[body.as_bytes()]).await, ("abcd"[..at].to_owned(), Err(ErrorCode::Truncated)));
    }
}

/// Adds a field to every object and, in a list of objects, nothing: lists mean something by their length.
fn with_unknown_fields(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut out: serde_json::Map<_, _> =
                [("aNewField".to_owned(), json!({"deep": [1, {"x": null}]}))].into_iter().collect();
            out.extend(fields.iter().map(|(name, value)| (name.clone(), with_unknown_fields(value))));
            out.insert("anotherOne".to_owned(), json!("NEW_VALUE"));
            Value::Object(out)
        }
        Value::Array(values) => values.iter().map(with_unknown_fields).collect(),
        other => other.clone(),
    }
}

#[tokio::test]
async fn unknown_fields_anywhere_change_nothing() {
    let gemini = gemini();
    let ratings = json!([{"category": "HARM_CATEGORY_OF_TOMORROW", "probability": "MAYBE", "severity": 7}]);
    let mut events = vec![text("Uno "), last("dos", "STOP")];
    events[1]["candidates"][0]["safetyRatings"] = ratings;
    let plain = read(&gemini, &[stream(&events).as_bytes()]).await;
    assert_eq!(plain, ("Uno dos".to_owned(), Ok(FinishReason::Stop)));
    let more: Vec<Value> = events.iter().map(with_unknown_fields).collect();
    assert_eq!(read(&gemini, &[stream(&more).as_bytes()]).await, plain);
    // An event of tomorrow between two of today.
    more.iter().for_each(|event| assert!(event.get("aNewField").is_some()));
    let body = stream(&[more[0].clone(), json!({"newEvent": {}}), more[1].clone()]);
    assert_eq!(read(&gemini, &[body.as_bytes()]).await, plain);
}

#[tokio::test]
async fn memory_is_bounded() {
    let gemini = gemini();
    let endless = vec![b'x'; 1 << 20];
    let mut pieces: Vec<&[u8]> = vec![b"data: "];
    pieces.extend(std::iter::repeat_n(&endless[..], 6));
    assert_eq!(read(&gemini, &pieces).await.1, Err(ErrorCode::AnswerTooLarge));
    let many = vec![b'['; 1 << 20];
    let mut pieces: Vec<&[u8]> = vec![b"{"];
    pieces.extend(std::iter::repeat_n(&many[..], 6));
    assert_eq!(read(&gemini, &pieces).await.1, Err(ErrorCode::AnswerTooLarge));
}

/// Calls `visit` with `value` once for each place in it, with that place replaced by `odd`.
fn with_each_place(value: &Value, odd: &Value, visit: &mut dyn FnMut(&Value)) {
    fn places(value: &Value, at: &str, out: &mut Vec<String>) {
        out.push(at.to_owned());
        match value {
            Value::Object(fields) => fields.iter().for_each(|(name, part)| places(part, &format!("{at}/{name}"), out)),
            Value::Array(parts) => {
                parts.iter().enumerate().for_each(|(nth, part)| places(part, &format!("{at}/{nth}"), out))
            }
            _ => {}
        }
    }
    let mut all = Vec::new();
    places(value, "", &mut all);
    for place in all {
        let mut changed = value.clone();
        if let Some(part) = changed.pointer_mut(&place) {
            *part = odd.clone();
        }
        visit(&changed);
    }
}

#[tokio::test]
async fn anything_anywhere_is_read_without_a_panic() {
    let gemini = gemini();
    let full = json!({
        "candidates": [{"content": {"parts": [{"text": "b", "thought": false}], "role": "model"}, "finishReason": "STOP",
                        "finishMessage": "m", "index": 0, "safetyRatings": [{"category": "C", "probability": "P"}]}],
        "promptFeedback": {"safetyRatings": []},
        "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 1, "thoughtsTokenCount": 1},
    });
    let error = json!({"error": {"code": 429, "message": "m", "status": "S", "details": [
        {"@type": "t", "retryDelay": "1s", "violations": [{"quotaId": "PerMinute", "quotaValue": "9"}],
         "metadata": {"quota_limit": "x", "quota_limit_value": "1"}, "reason": "R"}]}});
    let deep = (0..200).fold(json!("x"), |inner, _| json!([inner]));
    for odd in [json!(null), json!(-1), json!(1e300), json!("\u{0}"), json!([]), json!({}), json!([null]), deep] {
        for value in [&full, &error] {
            let mut changed = Vec::new();
            with_each_place(value, &odd, &mut |value| changed.push(value.clone()));
            assert!(changed.len() > 10);
            for value in changed {
                let body = stream(&[text("a"), value.clone()]);
                let (read, _) = read(&gemini, &[body.as_bytes()]).await;
                assert!(read.starts_with('a'), "what came before stays: {value}");
            }
        }
    }
}
