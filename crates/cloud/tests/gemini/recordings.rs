//! Answers of the real service and its vendor's own examples, recorded by others (`tests/recordings`, each set with its
//! source and licence). What each holds was worked out beside them by another program, with another parser.
//!
//! `AULA_RECORDINGS` names a folder with more sets in the same form.

use std::path::{Path, PathBuf};

use cloud::{Gemini, Secret};
use errors::ErrorCode;
use generation::{FinishReason, GenerateRequest, Structure};
use network::{Client, Permit, Purpose};
use serde_json::{Value, json};
use test_support::http::{HttpServer, Reply};

use crate::support::*;

/// One recorded answer.
struct Recording {
    name: String,
    status: u16,
    content_type: String,
    body: Vec<u8>,
    /// The text of the parts that are no thoughts.
    text: String,
    /// How it ends: `stop`, `max_tokens`, `blocked`, `refused:STATUS`, …
    outcome: String,
}

fn folders() -> Vec<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings");
    let more = std::env::var_os("AULA_RECORDINGS").map(PathBuf::from);
    let sets = [Some(here), more].into_iter().flatten().flat_map(|folder| std::fs::read_dir(folder).expect("a folder"));
    let mut sets: Vec<PathBuf> = sets.map(|entry| entry.expect("an entry").path()).collect();
    sets.retain(|set| set.join("index.json").exists());
    sets.sort();
    sets
}

fn recordings(folder: &Path) -> Vec<Recording> {
    let index = std::fs::read_to_string(folder.join("index.json")).expect("an index");
    let index: Vec<Value> = serde_json::from_str(&index).expect("JSON");
    let word = |entry: &Value, name: &str| entry[name].as_str().unwrap_or_default().to_owned();
    index
        .iter()
        .map(|entry| Recording {
            name: word(entry, "file"),
            status: entry["status"].as_u64().and_then(|status| u16::try_from(status).ok()).expect("a status"),
            content_type: word(entry, "type"),
            body: std::fs::read(folder.join(word(entry, "file"))).expect("a body"),
            text: word(entry, "text"),
            outcome: word(entry, "outcome"),
        })
        .collect()
}

/// How our reading of the same answer should end.
fn expected(outcome: &str) -> Result<FinishReason, Vec<ErrorCode>> {
    use ErrorCode::*;
    Err(match outcome {
        "stop" => return Ok(FinishReason::Stop),
        "max_tokens" => return Ok(FinishReason::MaxTokens),
        "blocked" => vec![ContentBlocked],
        "cut" => vec![ResultCut],
        "truncated" => vec![Truncated],
        "empty" | "nonsense" | "unreadable" => vec![BadAnswer],
        "refused:400" => vec![ServerRefused, KeyRejected, RegionBlocked, PromptTooLong],
        "refused:401" => vec![KeyRejected, KeyRestricted],
        "refused:403" => vec![KeyRestricted, KeyRejected],
        "refused:404" => vec![ModelNotServed],
        "refused:429" => vec![QuotaExceeded],
        "refused:499" => vec![Truncated],
        "refused:500" | "refused:503" | "refused:504" => vec![ServerBusy],
        other => panic!("no such outcome: {other}"),
    })
}

/// Control tokens and thoughts within the text are left out by design, and so is the white space before it.
fn without_marks(text: &str) -> String {
    text.trim_start().to_owned()
}

/// A server, and a client whose network stays open: one connection for all recordings.
struct Line {
    server: HttpServer,
    client: Client,
    _permit: Permit,
}

impl Line {
    async fn open() -> Self {
        let client = client();
        let _permit = client.gate().open(Purpose::CloudBoost);
        Self { server: HttpServer::start([]).await, client, _permit }
    }

    /// What a new engine makes of `reply`.
    async fn ask(&self, reply: Reply, request: GenerateRequest) -> Seen {
        self.server.then([reply]);
        let gemini = Gemini::new(self.client.clone(), options(&self.server.address()), Secret::new(KEY));
        ask(&gemini, request).await
    }
}

/// Where reading `recording` in pieces of `piece` bytes goes wrong.
async fn misread(line: &Line, recording: &Recording, piece: usize) -> Option<String> {
    let reply = if recording.status == 200 {
        Reply::streamed(recording.body.chunks(piece))
    } else {
        Reply::whole(recording.status, &recording.content_type, &recording.body)
    };
    let seen = line.ask(reply, question()).await;
    let good = match expected(&recording.outcome) {
        Ok(reason) => seen.reason() == Some(reason) && seen.text == without_marks(&recording.text),
        Err(codes) => {
            let code_fits = seen.code().is_some_and(|code| codes.contains(&code));
            code_fits && without_marks(&recording.text).starts_with(&seen.text)
        }
    };
    (!good).then(|| {
        let end = seen.completion.map(|completion| format!("{:?}", completion.finish_reason));
        let end = end.or(seen.error.map(|error| format!("{:?}: {}", error.code, error.message)));
        format!(
            "{} ({}): {end:?}, {} of {} bytes of text",
            recording.name,
            recording.outcome,
            seen.text.len(),
            recording.text.len()
        )
    })
}

#[tokio::test]
async fn every_recording_is_read_as_what_it_is() {
    let line = Line::open().await;
    let mut faults = Vec::new();
    for folder in folders() {
        let recordings = recordings(&folder);
        let before = faults.len();
        for recording in &recordings {
            for piece in [usize::MAX, 97] {
                faults.extend(misread(&line, recording, piece).await);
            }
        }
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        eprintln!("{name}: {} recordings, {} faults", recordings.len(), faults.len() - before);
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The same answers where a result is wanted: most do not fit, and each must say so without a panic or a wait.
#[tokio::test]
async fn every_recording_is_a_result_or_a_reason() {
    let structure = Structure { name: "any".to_owned(), schema: json!({"type": "object", "maxProperties": 0}) };
    let task = GenerateRequest { structure: Some(structure), ..question() };
    let line = Line::open().await;
    for folder in folders() {
        for recording in recordings(&folder) {
            let before = line.server.requests().len();
            let reply = Reply::whole(recording.status, &recording.content_type, &recording.body);
            let seen = line.ask(reply, task.clone()).await;
            let blocked = recording.outcome == "blocked" && !recording.body.starts_with(b"data:");
            let name = &recording.name;
            if blocked {
                assert_eq!(seen.code(), Some(ErrorCode::ContentBlocked), "{name}");
            } else if let (true, Err(codes)) = (recording.status >= 400, expected(&recording.outcome)) {
                assert!(seen.code().is_some_and(|code| codes.contains(&code)), "{name}: {seen:?}");
            } else if let Some(code) = seen.code() {
                use ErrorCode::*;
                let codes =
                    [BadAnswer, Truncated, ResultCut, ContentBlocked, AnswerLooped, ServerRefused, CaptivePortal];
                assert!(codes.contains(&code), "{name}: {code:?}");
            } else {
                assert_eq!(seen.text, "{}", "{name}");
            }
            assert!(line.server.requests().len() <= before + 7, "{name}");
        }
    }
}

#[tokio::test]
async fn the_recorded_list_of_models_has_gemma_in_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings/rig");
    let body = |name: &str| std::fs::read(folder.join(name)).expect("a body");
    let (_server, gemini) = with([Reply::json(200, body("models.json"))]).await;
    let models = gemini.models().await.expect("a list");
    for id in ["gemma-4-26b-a4b-it", "gemma-4-31b-it"] {
        let model = models.iter().find(|model| model.id == id).expect(id);
        assert_eq!((model.context_len, model.max_tokens), (Some(262_144), Some(32_768)), "{id}");
    }
    assert!(!models.iter().any(|model| model.id.contains("embedding")));
    let (_server, gemini) = with([Reply::json(400, body("models_rejected_key.json"))]).await;
    let error = gemini.models().await.expect_err("refused");
    assert!(matches!(error, cloud::Error::Refused { problem: cloud::Problem::KeyRejected, .. }), "{error:?}");
}
