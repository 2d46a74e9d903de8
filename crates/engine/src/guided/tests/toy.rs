//! The toy, whose logits depend on every token fed: cancellation anywhere, and what of the cache is reused.

use std::{cell::Cell, sync::Arc};

use super::*;
use crate::{
    codec::{Recall, TextStream, Vocabulary},
    scripted::{ANSWER, ScriptedSequence, TURN_END, TURN_START, VOCAB},
};

/// Bytes are tokens.
struct Bytes;

impl Codec for Bytes {
    fn render(&self, messages: &[Message], recall: Recall<'_>) -> Result<Vec<u32>, Error> {
        let mut tokens = Vec::new();
        for message in messages {
            tokens.push(if message.role == Role::Assistant { ANSWER } else { TURN_START });
            let recalled = (message.role == Role::Assistant).then(|| recall(&message.content)).flatten();
            tokens.extend(recalled.unwrap_or_else(|| message.content.bytes().map(u32::from).collect()));
            tokens.push(TURN_END);
        }
        tokens.push(ANSWER);
        Ok(tokens)
    }

    fn turn_start(&self) -> u32 {
        TURN_START
    }

    fn is_stop(&self, token: u32) -> bool {
        token == TURN_END
    }

    fn vocabulary(&self) -> Arc<dyn Vocabulary> {
        Arc::new(Self)
    }

    fn stream(&self) -> Box<dyn TextStream + '_> {
        Box::new(Self)
    }
}

impl TextStream for Bytes {
    fn push(&mut self, token: u32) -> String {
        u8::try_from(token).ok().filter(u8::is_ascii).map(char::from).map(String::from).unwrap_or_default()
    }

    fn finish(&mut self) -> String {
        String::new()
    }
}

impl Vocabulary for Bytes {
    fn size(&self) -> usize {
        VOCAB
    }

    fn bytes(&self, token: u32) -> Option<Vec<u8>> {
        u8::try_from(token).ok().map(|byte| vec![byte])
    }

    fn ends(&self) -> Vec<u32> {
        vec![TURN_END]
    }

    fn encode(&self, text: &str) -> Result<Vec<u32>, Error> {
        Ok(text.bytes().map(u32::from).collect())
    }
}

fn desk(context_len: usize) -> Desk {
    Desk::new(Box::new(Bytes), Session::new(Box::new(ScriptedSequence::new(context_len)), 16))
}

fn schema() -> Value {
    // A name long enough to be fed in several chunks.
    let name = "n".repeat(70);
    object(json!({"a": {"type": "string", "maxLength": 12}, name: {"type": "integer", "minimum": 0, "maximum": 9999}}))
}

#[test]
fn a_cancellation_anywhere_ends_the_answer_and_leaves_the_session_sound() {
    let request = ask("why?", schema(), 3);
    let (whole, expected) = desk(400).write(&request);
    assert!(structure(schema()).read(&whole).is_ok(), "{whole}");
    let mut desk = desk(400);
    let (mut cancelled, mut lengths) = (0, std::collections::BTreeSet::new());
    for stop_at in 0.. {
        let asked = Cell::new(0);
        let (text, _, end) = desk.write_while(&request, &|| {
            asked.set(asked.get() + 1);
            asked.get() > stop_at
        });
        let end = end.expect("a cancellation is an end");
        if end.finish_reason == FinishReason::Stop {
            assert_eq!(text, whole);
            break;
        }
        assert_eq!(end.finish_reason, FinishReason::Cancelled);
        assert!(whole.starts_with(&text) && structure(schema()).read(&text).is_err(), "{text}");
        cancelled += 1;
        lengths.insert(desk.session.fed().len());
        // The next question finds nothing amiss.
        if stop_at % 7 == 0 {
            let (again, completion) = desk.write(&request);
            assert_eq!((again, completion.token_ids), (whole.clone(), expected.token_ids.clone()));
        }
    }
    let prompt = expected.usage.prompt_tokens;
    assert!(cancelled > 50, "{cancelled}");
    assert!(
        lengths.iter().filter(|&&len| len > prompt).count() > 5,
        "forced text is cut between its chunks: {lengths:?}"
    );
}

#[test]
fn the_next_turn_reuses_the_answer() {
    let mut desk = desk(800);
    let first = ask("why?", schema(), 3);
    let (text, completion) = desk.write(&first);
    let turns = vec![
        first.messages[0].clone(),
        Message::new(Role::Assistant, text.clone()),
        Message::new(Role::User, "and then?"),
    ];
    let mut next = GenerateRequest { messages: turns, structure: None, ..first.clone() };
    next.max_tokens = 5;
    let (_, second) = desk.write(&next);
    // The last bracket and the end of the turn were never fed.
    let written = completion.usage.prompt_tokens + completion.token_ids.len();
    assert!(second.usage.reused_tokens + 80 >= written, "{:?} of {written}", second.usage);
    assert!(second.usage.reused_tokens > completion.usage.prompt_tokens, "{:?}", second.usage);
    let (again, third) = desk.write(&first);
    assert_eq!((again, third.usage.prefilled_tokens), (text, 0), "regenerate");
}

#[test]
fn a_full_context_ends_the_answer() {
    let mut request = ask("why?", schema(), 3);
    request.max_tokens = 59;
    let (text, completion) = desk(60).write(&request);
    assert_eq!(completion.finish_reason, FinishReason::ContextFull);
    assert_eq!(completion.usage.prompt_tokens + completion.usage.completion_tokens, 60);
    assert!(structure(schema()).read(&text).is_err());
}
