//! What of an answer is meant to be read.
//!
//! Servers differ in where they put a model's thoughts and in what they leave around a result: tags in the text, fields of
//! their own, fences of code, words before and after.

use generation::{Misfit, Structure};
use serde_json::Value;

/// Thoughts in the text: what opens them, what closes them, and whether they may stand anywhere or only at the beginning.
const THOUGHTS: &[(&str, &str, bool)] = &[("<|channel>", "<channel|>", true), ("<think>", "</think>", false)];
/// What is left of an empty thought where a server drops control tokens from the text.
const EMPTY_THOUGHT: &str = "thought\n";
/// Control tokens that a server may leave at the end of a turn.
const CONTROL: &[&str] = &["<turn|>", "<|turn>", "<end_of_turn>"];
/// Brackets at which a value is looked for; a text with more of them is no result with words around it.
const MOST_ATTEMPTS: usize = 64;

/// The text in a message's `content`, in each of the shapes that servers give it: a text, nothing, or parts. Parts that are
/// thoughts or pictures are left out.
pub fn text_of(content: &Value) -> String {
    let part = |part: &Value| match part {
        Value::String(text) => text.clone(),
        Value::Object(fields) => {
            let kind = fields.get("type").and_then(Value::as_str).unwrap_or("text");
            let text = fields.get("text").and_then(Value::as_str).unwrap_or_default();
            if matches!(kind, "text" | "output_text") { text.to_owned() } else { String::new() }
        }
        _ => String::new(),
    };
    match content {
        Value::Array(parts) => parts.iter().map(part).collect(),
        other => part(other),
    }
}

/// Takes thoughts and control tokens out of a text that comes in pieces. What it gives does not depend on the pieces.
#[derive(Debug, Default)]
pub struct Visible {
    /// What came and is not decided yet.
    held: String,
    /// The end of the thought that is being passed over.
    until: Option<&'static str>,
    /// Whether anything but white space was given.
    begun: bool,
}

impl Visible {
    /// Takes the next piece and gives what may be read by now; perhaps nothing.
    pub fn push(&mut self, piece: &str) -> String {
        self.held.push_str(piece);
        let mut out = String::new();
        while self.step(&mut out, false) {}
        out
    }

    /// What was held back, now that nothing more comes.
    pub fn end(mut self) -> String {
        let mut out = String::new();
        while self.step(&mut out, true) {}
        out
    }

    /// Decides about the beginning of what is held; says whether there may be more to decide.
    fn step(&mut self, out: &mut String, is_end: bool) -> bool {
        if let Some(end) = self.until {
            let Some(at) = self.held.find(end) else {
                // Only what may be the beginning of its end is kept. A thought that never ends is no answer.
                let keep = if is_end { 0 } else { overlap(&self.held, end) };
                self.held.drain(..self.held.len() - keep);
                return false;
            };
            self.held.drain(..at + end.len());
            self.until = None;
            return true;
        }
        if self.begun {
            return self.step_within(out, is_end);
        }
        // White space before the answer is none of it.
        let blank = self.held.len() - self.held.trim_start().len();
        self.held.drain(..blank);
        if self.held.is_empty() {
            return false;
        }
        for (open, close, _) in THOUGHTS {
            if self.held.starts_with(open) {
                self.held.drain(..open.len());
                self.until = Some(close);
                return true;
            }
        }
        if self.held.starts_with(EMPTY_THOUGHT) {
            self.held.drain(..EMPTY_THOUGHT.len());
            return true;
        }
        let mut openings = THOUGHTS.iter().map(|(open, ..)| *open).chain([EMPTY_THOUGHT]);
        if !is_end && openings.any(|open| open.starts_with(self.held.as_str())) {
            return false;
        }
        self.begun = true;
        true
    }

    /// The same after the answer's first character.
    fn step_within(&mut self, out: &mut String, is_end: bool) -> bool {
        let anywhere = THOUGHTS.iter().filter(|(.., anywhere)| *anywhere);
        let tags = anywhere.map(|(open, close, _)| (*open, Some(*close))).chain(CONTROL.iter().map(|tag| (*tag, None)));
        let next = tags.clone().filter_map(|(tag, close)| Some((self.held.find(tag)?, tag, close))).min();
        if let Some((at, tag, close)) = next {
            out.push_str(&self.held[..at]);
            self.held.drain(..at + tag.len());
            self.until = close;
            return true;
        }
        let keep = if is_end { 0 } else { tags.map(|(tag, _)| overlap(&self.held, tag)).max().unwrap_or(0) };
        let give = self.held.len() - keep;
        out.push_str(&self.held[..give]);
        self.held.drain(..give);
        false
    }
}

/// Bytes at the end of `text` that may be the beginning of `tag`.
fn overlap(text: &str, tag: &str) -> usize {
    (1..tag.len()).rev().find(|&bytes| text.ends_with(&tag[..bytes])).unwrap_or(0)
}

/// The result that an answer holds: the first whole JSON value of its form, wherever thoughts, fences or words around it
/// put it. In `thoughts` it is looked for last, because some servers put all of an answer there.
///
/// # Errors
/// If there is none: what is wrong with the first value of the answer itself.
pub fn result(structure: &Structure, content: &str, thoughts: &str) -> Result<Value, Misfit> {
    let misfit = match value_in(structure, content) {
        Ok(value) => return Ok(value),
        Err(misfit) => misfit,
    };
    if thoughts.trim().is_empty() { Err(misfit) } else { value_in(structure, thoughts).map_err(|_| misfit) }
}

fn value_in(structure: &Structure, text: &str) -> Result<Value, Misfit> {
    let mut visible = Visible::default();
    let mut bare = visible.push(text);
    bare.push_str(&visible.end());
    // A thought whose beginning stood in the prompt has only its end here.
    let mut rest = THOUGHTS
        .iter()
        .fold(bare.as_str(), |text, (_, close, _)| text.rsplit_once(close).map_or(text, |(_, after)| after));
    let bracket = match structure.schema.get("type").and_then(Value::as_str) {
        Some("object") => '{',
        Some("array") => '[',
        // Numbers and words are their own beginning.
        _ => return structure.read(rest.trim_start()),
    };
    let mut first = None;
    for _ in 0..MOST_ATTEMPTS {
        let Some(at) = rest.find(bracket) else { break };
        let mut values = serde_json::Deserializer::from_str(&rest[at..]).into_iter::<Value>();
        let consumed = match values.next() {
            Some(Ok(value)) => match structure.check(&value) {
                Ok(()) => return Ok(value),
                Err(misfit) => {
                    first.get_or_insert(misfit);
                    values.byte_offset()
                }
            },
            // A bracket in the words before the value; or a value that is cut, whose parts are no results.
            Some(Err(error)) if error.is_eof() => {
                first.get_or_insert(Misfit::NotJson(error.to_string()));
                break;
            }
            Some(Err(error)) => {
                first.get_or_insert(Misfit::NotJson(error.to_string()));
                bracket.len_utf8()
            }
            None => break,
        };
        rest = &rest[at + consumed..];
    }
    Err(first.unwrap_or_else(|| Misfit::NotJson("it holds no JSON".to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn pair() -> Structure {
        Structure {
            name: "pair".to_owned(),
            schema: json!({"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "string"}},
                           "required": ["a", "b"], "additionalProperties": false}),
        }
    }

    fn visible(pieces: &[&str]) -> String {
        let mut visible = Visible::default();
        let mut text: String = pieces.iter().map(|piece| visible.push(piece)).collect();
        text.push_str(&visible.end());
        text
    }

    #[test]
    fn content_has_many_shapes() {
        let parts = json!([{"type": "text", "text": "a"}, {"type": "thinking", "text": "no"}, {"type": "output_text", "text": "b"},
                           {"type": "image_url", "image_url": {"url": "x"}}, "c", {"text": "d"}, 5, null]);
        for (content, text) in
            [(json!("x"), "x"), (json!(""), ""), (json!(null), ""), (parts, "abcd"), (json!([]), ""), (json!(7), "")]
        {
            assert_eq!(text_of(&content), text, "{content}");
        }
    }

    #[test]
    fn thoughts_are_not_read() {
        for (text, expected) in [
            ("<|channel>thought\nI think\n<channel|>Hello", "Hello"),
            ("\n <think>hm</think>\n\nHello", "Hello"),
            ("<think></think><|channel>thought\n<channel|>Hello", "Hello"),
            ("thought\nHello", "Hello"),
            ("thoughtful answers", "thoughtful answers"),
            ("Hello<|channel>thought\nno<channel|> there", "Hello there"),
            ("Hello<turn|>", "Hello"),
            ("<think>never ends", ""),
            ("The tag <think> opens a thought.", "The tag <think> opens a thought."),
            ("a < b and <b", "a < b and <b"),
            ("  indented", "indented"),
            ("", ""),
        ] {
            assert_eq!(visible(&[text]), expected, "{text}");
        }
    }

    #[test]
    fn results_are_found_wherever_they_stand() {
        let value = json!({"a": 1, "b": "}{"});
        let text = value.to_string();
        for answer in [
            text.clone(),
            format!("```json\n{text}\n```"),
            format!("```\n{text}```\nI hope this helps {{really}}"),
            format!("Sure, {{here}} it is: {text}"),
            format!("<|channel>thought\n{{\"a\": 2, \"b\": \"\"}}\n<channel|>{text}"),
            format!("so it is 1 {{\"a\": 5, \"b\": \"\"}} </think> {text}"),
            format!("{{\"type\": \"object\"}}\n{text}"),
            format!("{text}{text}"),
            format!("\u{feff}{text}"),
        ] {
            assert_eq!(result(&pair(), &answer, ""), Ok(value.clone()), "{answer}");
        }
        assert_eq!(result(&pair(), "", &format!("I write {text}")), Ok(value.clone()));
        assert_eq!(result(&pair(), &text, r#"{"a": 9, "b": ""}"#), Ok(value), "thoughts come last");
    }

    #[test]
    fn what_is_no_result_says_why() {
        for (answer, thoughts) in [("", ""), ("no", "no"), ("{\"a\": 1", ""), ("{\"a\": 1, \"b\": \"{\\\"a\\\":", "")] {
            assert!(matches!(result(&pair(), answer, thoughts), Err(Misfit::NotJson(_))), "{answer}");
        }
        let nested = "{\"x\": {\"a\": 1, \"b\": \"\"}}";
        assert!(matches!(result(&pair(), nested, ""), Err(Misfit::OtherForm { .. })), "a part is no result");
        let cut = "{\"x\": {\"a\": 1, \"b\": \"\"}, ";
        assert!(matches!(result(&pair(), cut, ""), Err(Misfit::NotJson(_))), "a part of a cut value is no result");
        let many = "{".repeat(100_000);
        assert!(result(&pair(), &many, &many).is_err());
    }

    proptest! {
        #[test]
        fn the_pieces_do_not_matter(
            parts in prop::collection::vec(prop_oneof![
                Just("<|channel>".to_owned()), Just("<channel|>".to_owned()), Just("<think>".to_owned()),
                Just("</think>".to_owned()), Just("<turn|>".to_owned()), Just("thought\n".to_owned()), "[a-zñ <|>{}\n]{0,9}",
            ], 0..8),
            size in 1usize..9,
        ) {
            let whole = parts.concat();
            let characters: Vec<char> = whole.chars().collect();
            let pieces: Vec<String> = characters.chunks(size).map(|piece| piece.iter().collect()).collect();
            let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
            prop_assert_eq!(visible(&pieces), visible(&[&whole]));
        }

        #[test]
        fn nothing_that_is_no_tag_is_lost(text in "[a-zA-Z0-9 .,{}\n]{0,80}") {
            prop_assume!(!text.trim_start().starts_with("thought\n"));
            prop_assert_eq!(visible(&[&text]), text.trim_start());
        }
    }
}
