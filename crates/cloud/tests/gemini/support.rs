//! What the tests here share.

use std::time::Duration;

use cloud::{Gemini, GeminiOptions, Secret};
use errors::ErrorCode;
use generation::{
    Completion, FinishReason, GenerateError, GenerateRequest, Generation, Generator, Message, Role, Structure,
    TokenEvent,
};
use network::{Client, Gate, Options, Patience};
use serde_json::{Value, json};
use test_support::http::{HttpServer, Reply};

/// A key that must show up nowhere.
pub const KEY: &str = "AQ.canary-Ab8R0123456789_canary";

/// Short enough for a test, long enough for a busy computer.
pub const SHORT: Duration = Duration::from_millis(400);

/// A client without a proxy.
pub fn client() -> Client {
    Client::new(Gate::new(), Options { system_proxy: false, ..Options::default() })
}

/// How a test waits.
pub fn patience() -> Patience {
    Patience { first_byte: Duration::from_secs(5), silence: SHORT, ..Patience::ANSWER }
}

/// Where a test server is.
pub fn options(base: &str) -> GeminiOptions {
    GeminiOptions {
        base: base.to_owned(),
        streaming: patience(),
        whole: patience(),
        first_pause: Duration::from_millis(5),
        ..GeminiOptions::default()
    }
}

/// Cloud Boost at `server`.
pub fn gemini(server: &HttpServer) -> Gemini {
    Gemini::new(client(), options(&server.address()), Secret::new(KEY))
}

/// A server with these replies, and Cloud Boost at it.
pub async fn with(replies: impl IntoIterator<Item = Reply>) -> (HttpServer, Gemini) {
    let server = HttpServer::start(replies).await;
    let gemini = gemini(&server);
    (server, gemini)
}

/// A question in the chat.
pub fn question() -> GenerateRequest {
    let messages = vec![Message::new(Role::System, "Be kind"), Message::new(Role::User, "Why is the sky blue?")];
    GenerateRequest::new("r", messages)
}

/// A form with a word and a number.
pub fn structure() -> Structure {
    let schema = json!({
        "type": "object",
        "properties": {"word": {"type": "string", "maxLength": 40}, "number": {"type": "integer", "minimum": 0, "maximum": 9}},
        "required": ["word", "number"], "additionalProperties": false,
    });
    Structure { name: "pair".to_owned(), schema }
}

/// A question that wants a result of that form.
pub fn task() -> GenerateRequest {
    GenerateRequest { structure: Some(structure()), ..question() }
}

/// One event of a stream.
pub fn event(text: &str, reason: Option<&str>) -> String {
    let mut candidate = json!({"content": {"parts": [{"text": text}], "role": "model"}, "index": 0});
    if let Some(reason) = reason {
        candidate["finishReason"] = json!(reason);
    }
    let value = json!({"candidates": [candidate], "usageMetadata": {"promptTokenCount": 7, "candidatesTokenCount": 2}});
    format!("data: {value}\r\n\r\n")
}

/// A whole answer.
pub fn whole(text: &str, reason: &str) -> Reply {
    Reply::json(200, answer(text, reason).to_string())
}

/// The body of a whole answer.
pub fn answer(text: &str, reason: &str) -> Value {
    let candidate =
        json!({"content": {"parts": [{"text": text}], "role": "model"}, "finishReason": reason, "index": 0});
    json!({"candidates": [candidate], "usageMetadata": {"promptTokenCount": 7, "candidatesTokenCount": 2}})
}

/// A refusal.
pub fn refusal(status: u16, word: &str, message: &str, details: Value) -> Reply {
    let error = json!({"error": {"code": status, "message": message, "status": word, "details": details}});
    Reply::json(status, error.to_string())
}

/// What a reader saw.
#[derive(Debug, Default)]
pub struct Seen {
    /// All text.
    pub text: String,
    /// All events but the last, in short.
    pub events: Vec<String>,
    /// The end, if it was a good one.
    pub completion: Option<Completion>,
    /// The end, if it was none.
    pub error: Option<GenerateError>,
}

impl Seen {
    /// The code at the end.
    pub fn code(&self) -> Option<ErrorCode> {
        self.error.as_ref().map(|error| error.code)
    }

    /// Why it ended well.
    pub fn reason(&self) -> Option<FinishReason> {
        self.completion.as_ref().map(|completion| completion.finish_reason)
    }
}

/// Reads an answer to its end.
pub async fn read(mut generation: Generation) -> Seen {
    let mut seen = Seen::default();
    while let Some(event) = generation.next().await {
        assert!(seen.completion.is_none() && seen.error.is_none(), "nothing comes after the end: {event:?}");
        match event {
            TokenEvent::Token { text } => {
                seen.text.push_str(&text);
                seen.events.push("token".to_owned());
            }
            TokenEvent::Finished(completion) => seen.completion = Some(completion),
            TokenEvent::Failed(error) => seen.error = Some(error),
            TokenEvent::Started { engine } => seen.events.push(format!("started by {}", engine.model)),
            TokenEvent::Waiting { seconds, reason } => seen.events.push(format!("waiting {seconds} {reason:?}")),
            TokenEvent::Receiving { .. } => seen.events.push("receiving".to_owned()),
            other => panic!("not by a server: {other:?}"),
        }
    }
    assert!(seen.completion.is_some() != seen.error.is_some(), "an answer ends once");
    seen
}

/// Asks and reads to the end. It ends within a minute, whatever happens.
pub async fn ask(gemini: &Gemini, request: GenerateRequest) -> Seen {
    let generation = gemini.generate(request).expect("admitted");
    match tokio::time::timeout(Duration::from_secs(60), read(generation)).await {
        Ok(seen) => seen,
        Err(_) => panic!("it hangs"),
    }
}
