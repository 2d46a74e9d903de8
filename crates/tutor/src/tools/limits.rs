//! How long a result may get, and how far a growing one is.

use super::Task;
use generation::DEFAULT_CONTEXT_LEN;
use serde_json::Value;

/// Room that is left for the task itself in the default context length.
const PROMPT_TOKENS: usize = 1024;

/// A tool's text has about so many characters in a token with the demo model's vocabulary of 2048 pieces, which cuts words
/// finest; Gemma's own of 262 144 needs about half as many tokens. Measured on results of the demo model, rounded down.
const CHARS_PER_TOKEN: usize = 2;

impl Task {
    /// The reply cap in tokens: what the longest text of the result's form takes with the finest vocabulary there is, as far as
    /// the default context length has room for it beside the task.
    ///
    /// The bounds of a form are about twice what its texts need, so a result that reaches this cap has lost its way.
    pub fn max_tokens(&self) -> usize {
        let longest = longest(&self.structure().schema).div_ceil(CHARS_PER_TOKEN);
        longest.clamp(256, DEFAULT_CONTEXT_LEN - PROMPT_TOKENS)
    }

    /// How far a growing result is: the whole items in it, and how many there will be, where that is known.
    ///
    /// Items are what the lists of the outermost object hold: questions, exercises, main ideas, shapes, cards, lines.
    pub fn progress(&self, partial: &str) -> (usize, Option<usize>) {
        let of = match self {
            Self::Quiz { count, .. } | Self::Flashcards { count, .. } | Self::Sheet { count, .. } => Some(*count),
            Self::Practice { .. } => Some(Self::EXERCISES),
            Self::MindMap { .. } | Self::Illustration { .. } | Self::Reading { .. } => None,
        };
        (whole_items(partial), of.map(usize::from))
    }
}

/// Characters of the longest compact JSON text that `schema` allows, escapes apart.
fn longest(schema: &Value) -> usize {
    let number = |name: &str| schema[name].as_i64();
    let count = |name: &str| schema[name].as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
    if let Some(words) = schema["enum"].as_array() {
        return words.iter().map(|word| word.to_string().chars().count()).max().unwrap_or(0);
    }
    match schema["type"].as_str() {
        Some("object") => {
            let fields = schema["properties"].as_object();
            // `"name":value,` for each; the last one's comma and the braces make one more.
            1 + fields.map_or(1, |all| all.iter().map(|(name, part)| name.len() + 4 + longest(part)).sum())
        }
        Some("array") => 2 + count("maxItems") * (longest(&schema["items"]) + 1),
        Some("string") => 2 + count("maxLength"),
        Some("integer") => {
            let digits = |bound: Option<i64>| bound.map_or(0, |n| n.to_string().len());
            digits(number("minimum")).max(digits(number("maximum")))
        }
        _ => "false".len(),
    }
}

/// Closed objects that stand in a list of the outermost object.
fn whole_items(partial: &str) -> usize {
    let mut open = Vec::new();
    let (mut in_text, mut escaped, mut items) = (false, false, 0);
    for byte in partial.bytes() {
        if in_text {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_text = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_text = true,
            b'{' | b'[' => open.push(byte),
            b'}' | b']' => {
                items += usize::from(open == b"{[{" && byte == b'}');
                open.pop();
                if open.is_empty() {
                    break; // The value is whole; what follows does not count.
                }
            }
            _ => {}
        }
    }
    items
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::{About, Level, SheetForm};
    use expect_test::expect;
    use serde_json::json;

    fn quiz(count: u8) -> Task {
        Task::Quiz { topic: "fractions".to_owned(), count, level: Level::Easy }
    }

    #[test]
    fn the_longest_text_is_what_the_bounds_add_up_to() {
        let schema = json!({"type": "object", "properties": {
            "a": {"type": "object", "properties": {"text": {"type": "string", "minLength": 1, "maxLength": 4}}},
            "b": {"type": "array", "items": {"type": "integer", "minimum": -10, "maximum": 3}, "maxItems": 2},
            "c": {"type": "boolean"},
            "d": {"type": "string", "enum": ["x", "long"]},
        }});
        let text = r#"{"a":{"text":"abcd"},"b":[-10,-10],"c":false,"d":"long"}"#;
        // A list's last comma is counted too.
        assert_eq!(longest(&schema), text.len() + 1);
    }

    #[test]
    fn the_reply_cap_of_each_task() {
        let topic = || "fractions".to_owned();
        let sheet = |count, form| Task::Sheet { topic: topic(), grade: 7, count, form };
        let about = || About::Topic(topic());
        let tasks = [
            ("quiz 3", quiz(3)),
            ("quiz 5", quiz(5)),
            ("quiz 10", quiz(10)),
            ("practice", Task::Practice { topic: topic(), level: Level::Easy, used: Vec::new() }),
            ("mind map", Task::MindMap { about: about() }),
            ("illustration", Task::Illustration { about: about() }),
            ("cards 5", Task::Flashcards { topic: topic(), count: 5 }),
            ("cards 12", Task::Flashcards { topic: topic(), count: 12 }),
            ("sheet 3", sheet(3, SheetForm::Open)),
            ("sheet 10", sheet(10, SheetForm::Mixed)),
            ("reading", Task::Reading { handwriting: false }),
        ];
        let lines: Vec<String> = tasks
            .iter()
            .map(|(name, task)| {
                format!("{name}: {} characters, {} tokens", longest(&task.structure().schema), task.max_tokens())
            })
            .collect();
        expect![[r#"
            quiz 3: 3036 characters, 1518 tokens
            quiz 5: 4996 characters, 2498 tokens
            quiz 10: 9896 characters, 3072 tokens
            practice: 3522 characters, 1761 tokens
            mind map: 4620 characters, 2310 tokens
            illustration: 2297 characters, 1149 tokens
            cards 5: 1897 characters, 949 tokens
            cards 12: 4424 characters, 2212 tokens
            sheet 3: 1775 characters, 888 tokens
            sheet 10: 6770 characters, 3072 tokens
            reading: 5115 characters, 2558 tokens"#]]
        .assert_eq(&lines.join("\n"));
    }

    #[test]
    fn whole_items_are_counted_while_the_text_grows() {
        let whole = r#"{"title":{"text":"}]\"{"},"questions":[{"prompt":{"text":"a"},"options":[{"text":"1"},{"text":"2"}]},{"prompt":{"text":"b \\"},"options":[{"text":"[{"}]}]} and {"x":[{}]}"#;
        let first = whole.find(r#",{"prompt":{"text":"b"#).expect("the second question");
        let second = whole.find("]} and").expect("the end");
        for end in (0..=whole.len()).filter(|end| whole.is_char_boundary(*end)) {
            let expected = usize::from(end >= first) + usize::from(end >= second);
            assert_eq!(quiz(3).progress(&whole[..end]), (expected, Some(3)), "{}", &whole[..end]);
        }
    }

    #[test]
    fn items_of_all_lists_count_together() {
        let sheet = Task::Sheet { topic: "a b".to_owned(), grade: 1, count: 3, form: SheetForm::Mixed };
        assert_eq!(sheet.progress(r#"{"title":{"text":"a"},"choice":[{"a":[{}]},{}],"open":[{"#), (2, Some(3)));
        assert_eq!(sheet.progress(r#"{"choice":[{},{}],"open":[{}]}"#), (3, Some(3)));
        let map = Task::MindMap { about: About::Topic("a b".to_owned()) };
        assert_eq!(
            map.progress(r#"{"label":"a","children":[{"label":"b","children":[{"label":"c","children":[]}]},{"#),
            (1, None)
        );
        for nothing in ["", "{", "}", "]]}}", "\"", "[[{}]]", "no JSON"] {
            assert_eq!(map.progress(nothing), (0, None), "{nothing}");
        }
    }
}
