//! Answers that others recorded of real servers (`tests/data/openai`, with their source and licence): read whole, cut
//! everywhere, with other line ends, and broken off.
//!
//! With `AULA_RECORDINGS` naming a folder of more such files, every one of them is read, too.

use std::path::Path;

use crate::peer::{End, Peer, Reply};
use crate::*;

/// Places at which one recording is cut.
const MOST_CUTS: usize = 700;

/// A recorded answer: its status, its content type, an empty line, its body.
struct Recording {
    name: String,
    status: u16,
    content_type: String,
    body: String,
}

fn recordings(folder: &Path) -> Vec<Recording> {
    let entries = std::fs::read_dir(folder).expect("the folder is there").flatten();
    let mut recordings: Vec<Recording> = entries
        .filter(|entry| entry.path().extension().is_some_and(|ending| ending == "http"))
        .map(|entry| {
            let text = std::fs::read_to_string(entry.path()).expect("a text");
            let (head, body) = text.split_once("\n\n").expect("a head and a body");
            let (status, content_type) = head.split_once('\n').expect("a status and a type");
            Recording {
                name: entry.file_name().to_string_lossy().into_owned(),
                status: status.parse().expect("a status"),
                content_type: content_type.to_owned(),
                body: body.to_owned(),
            }
        })
        .collect();
    recordings.sort_by(|a, b| a.name.cmp(&b.name));
    recordings
}

fn ours() -> Vec<Recording> {
    recordings(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/openai"))
}

impl Recording {
    fn reply(&self) -> Reply {
        Reply::new(self.status, &self.content_type, self.body.clone())
    }

    fn is_stream(&self) -> bool {
        self.content_type.contains("event-stream")
    }
}

async fn chat(reply: Reply) -> Outcome {
    let peer = Peer::start(move |_, _| reply.clone()).await;
    run(&lasting(&peer), question()).await
}

fn shown(outcome: &Outcome) -> (String, Option<ErrorCode>) {
    (outcome.text(), outcome.code())
}

#[tokio::test]
async fn each_is_understood() {
    let expected: Vec<(String, &str, Option<ErrorCode>)> = [
        ("context_overflow.http", "", Some(ErrorCode::PromptTooLong)),
        ("empty_answer.http", "", Some(ErrorCode::BadAnswer)),
        ("image_without_eyes.http", "", Some(ErrorCode::ServerRefused)),
        ("json_in_a_fence.http", "```json\n{\n  \"city\": \"Paris\"\n}\n```", None),
        ("json_schema.http", "{\"city\": \"Paris\", \"country\": \"France\", \"population_millions\": 2.14}", None),
        ("malformed_field.http", "", Some(ErrorCode::ServerRefused)),
        ("missing_key.http", "", Some(ErrorCode::KeyRejected)),
        ("reasoning_only.http", "", Some(ErrorCode::ResultCut)),
        (
            "truncated_stream.http",
            "Maple trees are known for their vibrant fall foliage, displaying shades of red, orange, and yellow",
            None,
        ),
        ("two_candidates_stream.http", "", None),
        ("unicode_stream.http", "🌍こんにちは世界🎉안녕하세요🚀Здравствуйте🌸", None),
    ]
    .map(|(name, text, code)| (name.to_owned(), text, code))
    .into();
    let recordings = ours();
    assert_eq!(recordings.len(), expected.len());
    for (recording, (name, text, code)) in recordings.iter().zip(expected) {
        assert_eq!(recording.name, name);
        let outcome = chat(recording.reply()).await;
        assert_eq!(outcome.code(), code, "{name}");
        if !text.is_empty() {
            assert_eq!(outcome.text(), text, "{name}");
        }
    }
}

#[tokio::test]
async fn how_they_are_cut_changes_nothing() {
    for recording in ours() {
        let reply = recording.reply();
        let whole = shown(&chat(reply.clone()).await);
        let length = recording.body.len();
        let cuts = reply.clone();
        // Every byte of the short ones, some hundred places of the long ones.
        let stride = length.div_ceil(MOST_CUTS).max(1);
        let peer = Peer::start(move |_, before| cuts.clone().cut_at(&[(before * stride).min(length)])).await;
        let school = lasting(&peer);
        for _ in 0..=length / stride {
            let outcome = run(&school, question()).await;
            assert_eq!(shown(&outcome), whole, "{} after {} chats", recording.name, peer.chats().len());
        }
        let every: Vec<usize> = (1..length.min(3000)).collect();
        assert_eq!(shown(&chat(reply.cut_at(&every)).await), whole, "{} byte by byte", recording.name);
        if recording.is_stream() {
            for end in ["\r\n", "\r"] {
                let other = Reply::events(recording.body.replace('\n', end));
                assert_eq!(shown(&chat(other).await), whole, "{} with {end:?}", recording.name);
            }
        }
    }
}

#[tokio::test]
async fn a_stream_that_ends_early_is_never_taken_for_whole() {
    for recording in ours().into_iter().filter(Recording::is_stream) {
        let whole = chat(recording.reply()).await;
        let end = recording.body.find("\"finish_reason\":\"").expect("an end");
        let last_event = recording.body[..end].rfind("data:").expect("an event");
        let events: Vec<usize> = recording.body[..last_event].match_indices("data:").map(|(at, _)| at).collect();
        for at in events.into_iter().skip(1) {
            for how in [End::Whole, End::Cut] {
                let outcome = chat(Reply::events(recording.body[..at].to_owned()).end(how)).await;
                assert_eq!(outcome.code(), Some(ErrorCode::Truncated), "{} at {at}", recording.name);
                assert!(whole.text().starts_with(&outcome.text()), "{} at {at}", recording.name);
            }
            let error = "{\n  \"error\": {\"code\": 503, \"message\": \"gone\"}\n}\n";
            let body = format!("{}{error}{}", &recording.body[..at], &recording.body[at..]);
            assert_eq!(
                chat(Reply::events(body)).await.code(),
                Some(ErrorCode::ServerBusy),
                "{} at {at}",
                recording.name
            );
        }
    }
}

/// What can be said of recordings that nobody looked at one by one: each ends, a refusal is a refusal, and what has text
/// gives text unless it was cut or looped.
#[tokio::test]
async fn more_recordings() {
    let Some(folder) = std::env::var_os("AULA_RECORDINGS") else {
        eprintln!("AULA_RECORDINGS names no folder: only the recordings kept here were read");
        return;
    };
    let mut counts = std::collections::BTreeMap::new();
    for recording in recordings(Path::new(&folder)) {
        let outcome = chat(recording.reply()).await;
        let code = outcome.code();
        *counts.entry(code.map_or("an answer", ErrorCode::as_str)).or_insert(0) += 1;
        if recording.status >= 400 {
            assert!(code.is_some(), "{}", recording.name);
        } else if code == Some(ErrorCode::BadAnswer) {
            // Calls of tools, which are never asked for here, are answers without a text.
            let body = &recording.body;
            assert!(
                body.contains("tool_calls")
                    || body.contains("\"content\":\"\"")
                    || body.contains("\"content\":null")
                    || body.is_empty(),
                "{}",
                recording.name
            );
        } else if code == Some(ErrorCode::ContentBlocked) {
            assert!(recording.body.contains("content_filter"), "{}", recording.name);
        } else {
            assert!(code.is_none() || matches!(code, Some(ErrorCode::ResultCut)), "{}: {code:?}", recording.name);
        }
    }
    eprintln!("{counts:?}");
}
