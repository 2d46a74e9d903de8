//! What comes from an OpenAI-compatible server: pieces of a streamed answer, whole answers, errors in either's place.
//!
//! No field is required and none is trusted to have its type: servers leave out what others call mandatory.

use serde_json::Value;

use super::failure::{self, Said};
use crate::answer::text_of;

/// A piece of an answer, or a whole one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Piece {
    /// Text for people, thoughts perhaps still in it.
    pub text: String,
    /// What the server itself says are thoughts.
    pub thoughts: String,
    /// Why the answer ended, where this is its end.
    pub finish: Option<Finish>,
    /// Counts of tokens, where they are given.
    pub counts: Option<Counts>,
}

/// Why an answer ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finish {
    /// The model ended it.
    Stop,
    /// A limit was reached.
    Length,
    /// The service's filter stopped it.
    Filtered,
    /// The server gave up, in its own word.
    Aborted(String),
}

/// Counts of tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Of the question.
    pub prompt: usize,
    /// Of these, known from before.
    pub cached: usize,
    /// Of the answer.
    pub completion: usize,
}

/// What one event, or a body without events, holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Read {
    /// A piece; perhaps with nothing in it.
    Piece(Piece),
    /// The stream says that it is over.
    Done,
    /// An error.
    Error(Said),
    /// JSON of another kind: a sign of life, or what only this server knows.
    Other,
    /// No JSON.
    Nonsense(String),
}

/// Reads the data of one event, or a body without events.
pub fn read(data: &str) -> Read {
    let data = data.trim();
    if data.is_empty() {
        return Read::Piece(Piece::default());
    }
    if data == "[DONE]" {
        return Read::Done;
    }
    match serde_json::from_str::<Value>(data) {
        Ok(value) => read_value(&value),
        Err(error) => Read::Nonsense(error.to_string()),
    }
}

fn read_value(value: &Value) -> Read {
    if let Some(said) = failure::said(value) {
        return Read::Error(said);
    }
    let Some(fields) = value.as_object() else { return Read::Other };
    let mut piece = Piece { counts: fields.get("usage").and_then(counts), ..Piece::default() };
    let choices = fields.get("choices").and_then(Value::as_array);
    if choices.is_none() && piece.counts.is_none() && !is_chunk(value) {
        return Read::Other;
    }
    // One answer was asked for; whoever sends more has the first under index 0.
    let first = choices.into_iter().flatten().find(|choice| choice["index"].as_u64().is_none_or(|index| index == 0));
    if let Some(choice) = first {
        let said = ["delta", "message"].into_iter().map(|name| &choice[name]).find(|said| said.is_object());
        if let Some(said) = said {
            piece.text = text_of(&said["content"]);
            piece.thoughts = ["reasoning_content", "reasoning", "thinking"]
                .into_iter()
                .map(|name| text_of(&said[name]))
                .find(|thoughts| !thoughts.is_empty())
                .unwrap_or_default();
            // A refusal takes the place of the content.
            if piece.text.is_empty() && piece.thoughts.is_empty() {
                piece.text = text_of(&said["refusal"]);
            }
        } else {
            piece.text = text_of(&choice["text"]);
        }
        piece.finish = choice["finish_reason"].as_str().filter(|reason| !reason.is_empty()).map(finish);
    }
    Read::Piece(piece)
}

/// Whether `value` says of itself that it belongs to a chat.
fn is_chunk(value: &Value) -> bool {
    value["object"].as_str().is_some_and(|object| object.starts_with("chat.completion"))
}

fn finish(reason: &str) -> Finish {
    match reason {
        "length" | "max_tokens" | "max_output_tokens" | "model_length" => Finish::Length,
        "content_filter" | "safety" => Finish::Filtered,
        "abort" | "aborted" | "error" | "cancelled" => Finish::Aborted(reason.to_owned()),
        _ => Finish::Stop,
    }
}

fn counts(usage: &Value) -> Option<Counts> {
    let number = |value: &Value| value.as_u64().and_then(|number| usize::try_from(number).ok());
    let (prompt, completion) = (number(&usage["prompt_tokens"]), number(&usage["completion_tokens"]));
    if prompt.is_none() && completion.is_none() {
        return None;
    }
    let prompt = prompt.unwrap_or(0);
    let cached = number(&usage["prompt_tokens_details"]["cached_tokens"]).unwrap_or(0).min(prompt);
    Some(Counts { prompt, cached, completion: completion.unwrap_or(0) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn piece(value: &Value) -> Piece {
        match read(&value.to_string()) {
            Read::Piece(piece) => piece,
            other => panic!("{value}: {other:?}"),
        }
    }

    #[test]
    fn streamed_and_whole_answers_are_read_alike() {
        let delta = |delta: Value| json!({"choices": [{"index": 0, "delta": delta, "finish_reason": null}]});
        for (value, text, thoughts) in [
            (delta(json!({"role": "assistant", "content": null})), "", ""),
            (delta(json!({"content": "a"})), "a", ""),
            (delta(json!({"content": [{"type": "text", "text": "a"}]})), "a", ""),
            (delta(json!({"content": "", "reasoning_content": "t"})), "", "t"),
            (delta(json!({"content": null, "reasoning": "t", "reasoning_content": null})), "", "t"),
            (delta(json!({"content": "a", "thinking": "t", "tool_calls": null})), "a", "t"),
            (json!({"choices": [{"message": {"content": "whole"}}], "x": {"y": 1}}), "whole", ""),
            (json!({"choices": [{"text": "old"}]}), "old", ""),
            (json!({"choices": [{"message": {"content": null, "refusal": "I will not"}}]}), "I will not", ""),
            (
                json!({"choices": [{"index": 1, "delta": {"content": "b"}}, {"index": 0, "delta": {"content": "a"}}]}),
                "a",
                "",
            ),
            (json!({"choices": [], "usage": {"prompt_tokens": 3}}), "", ""),
            (json!({"object": "chat.completion.chunk"}), "", ""),
            (json!({"choices": [{}]}), "", ""),
            (json!({"choices": [{"delta": 7, "finish_reason": 7, "index": "x"}]}), "", ""),
        ] {
            let piece = piece(&value);
            assert_eq!((piece.text.as_str(), piece.thoughts.as_str()), (text, thoughts), "{value}");
        }
    }

    #[test]
    fn ends_and_counts() {
        let end = |reason: &str| piece(&json!({"choices": [{"delta": {}, "finish_reason": reason}]})).finish;
        assert_eq!(end("stop"), Some(Finish::Stop));
        assert_eq!(end("eos_token"), Some(Finish::Stop));
        assert_eq!(end("length"), Some(Finish::Length));
        assert_eq!(end("content_filter"), Some(Finish::Filtered));
        assert_eq!(end("abort"), Some(Finish::Aborted("abort".to_owned())));
        assert_eq!(end(""), None);
        let usage = json!({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 4,
                           "prompt_tokens_details": {"cached_tokens": 9}}});
        assert_eq!(piece(&usage).counts, Some(Counts { prompt: 3, cached: 3, completion: 4 }));
        assert_eq!(piece(&json!({"choices": [], "usage": null})).counts, None);
        assert_eq!(piece(&json!({"choices": [], "usage": {"prompt_tokens": -3}})).counts, None);
    }

    #[test]
    fn errors_ends_and_nonsense_are_told_apart() {
        assert_eq!(read(" [DONE] "), Read::Done);
        assert_eq!(read(""), Read::Piece(Piece::default()));
        assert!(matches!(read(r#"{"error": {"message": "no", "code": 500}}"#), Read::Error(_)));
        for text in ["hello", "{", "<html></html>", "{\"choices\": ["] {
            assert!(matches!(read(text), Read::Nonsense(_)), "{text}");
        }
        for text in ["[]", "7", "{}", r#"{"models": []}"#, r#"{"type": "ping"}"#] {
            assert_eq!(read(text), Read::Other, "{text}");
        }
    }
}
