//! The client of a school's server against servers that do what real ones do, good and bad.

mod answers;
mod bad_days;
mod cancelling;
mod discovering;
mod ladder;
mod peer;
mod recordings;

use std::time::Duration;

use cloud::{School, SchoolOptions, Secret, ServerKind};
use errors::ErrorCode;
use generation::{Completion, GenerateRequest, Generator, Message, Role, Structure, TokenEvent};
use network::{Client, Gate, Options, Patience};
use peer::Peer;
use serde_json::{Value, json};

const PATIENCE: Patience = Patience {
    first_byte: Duration::from_secs(5),
    silence: Duration::from_secs(1),
    slowest: None,
    most_bytes: Some(2_000_000),
};

/// A client of `peer` that loses its patience soon.
fn school_of(peer: &Peer, kind: ServerKind, token: Option<&str>) -> School {
    let options = SchoolOptions {
        patience: PATIENCE,
        pause: Duration::from_millis(10),
        ..SchoolOptions::new(peer.address(), "gemma", kind)
    };
    school(options, token)
}

/// The same with a connection that stays open between questions, for tests that ask thousands.
fn lasting(peer: &Peer) -> School {
    let gate = Gate::new();
    std::mem::forget(gate.open(network::Purpose::SchoolServer));
    let options = SchoolOptions { patience: PATIENCE, ..SchoolOptions::new(peer.address(), "gemma", ServerKind::Vllm) };
    School::new(Client::new(gate, Options::default()), options, None).expect("an address nearby")
}

fn school(options: SchoolOptions, token: Option<&str>) -> School {
    let client = Client::new(Gate::new(), Options::default());
    School::new(client, options, token.map(Secret::new)).expect("an address nearby")
}

fn question() -> GenerateRequest {
    GenerateRequest::new(
        "test",
        vec![Message::new(Role::System, "Be kind."), Message::new(Role::User, "What is a fraction?")],
    )
}

fn task() -> GenerateRequest {
    GenerateRequest { structure: Some(pair()), ..question() }
}

fn pair() -> Structure {
    Structure {
        name: "pair".to_owned(),
        schema: json!({"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "string", "maxLength": 50}},
                       "required": ["a", "b"], "additionalProperties": false}),
    }
}

/// What a generation came to.
#[derive(Debug, Default)]
struct Outcome {
    /// The tokens.
    tokens: Vec<String>,
    /// How often a wait was told.
    waits: usize,
    /// How much was told to have come.
    received: usize,
    end: Option<Result<Completion, ErrorCode>>,
}

impl Outcome {
    fn text(&self) -> String {
        self.tokens.concat()
    }

    fn code(&self) -> Option<ErrorCode> {
        self.end.as_ref()?.as_ref().err().copied()
    }

    fn completion(&self) -> &Completion {
        match &self.end {
            Some(Ok(completion)) => completion,
            other => panic!("it did not finish well: {other:?}"),
        }
    }
}

/// Runs `request` to its end, which must come.
async fn run(school: &School, request: GenerateRequest) -> Outcome {
    let mut generation = match school.generate(request) {
        Ok(generation) => generation,
        Err(error) => return Outcome { end: Some(Err(error.code)), ..Outcome::default() },
    };
    let mut outcome = Outcome::default();
    let mut started = false;
    let reading = async {
        while let Some(event) = generation.next().await {
            assert!(outcome.end.is_none(), "nothing comes after the end: {event:?}");
            match event {
                TokenEvent::Started { .. } => started = true,
                TokenEvent::Waiting { .. } => outcome.waits += 1,
                TokenEvent::Receiving { characters } => outcome.received = characters,
                TokenEvent::Token { text } => {
                    assert!(started && !text.is_empty());
                    outcome.tokens.push(text);
                }
                TokenEvent::Finished(completion) => outcome.end = Some(Ok(completion)),
                TokenEvent::Failed(error) => outcome.end = Some(Err(error.code)),
                other => panic!("unexpected {other:?}"),
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), reading).await.expect("every generation ends");
    assert!(outcome.end.is_some(), "every generation says how it ended");
    outcome
}

fn delta(content: &Value) -> String {
    format!("data: {}\n\n", json!({"choices": [{"index": 0, "delta": {"content": content}, "finish_reason": null}]}))
}

fn finish(reason: &str) -> String {
    format!("data: {}\n\n", json!({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}))
}

/// A streamed answer of these pieces.
fn stream(pieces: &[&str]) -> String {
    let mut body: String = pieces.iter().map(|piece| delta(&json!(piece))).collect();
    body.push_str(&finish("stop"));
    body.push_str(&format!(
        "data: {}\n\n",
        json!({"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 3}})
    ));
    body.push_str("data: [DONE]\n\n");
    body
}
