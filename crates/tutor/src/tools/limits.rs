//! How long a result may get, and how far a growing one is.

use super::Task;
use generation::DEFAULT_CONTEXT_LEN;
use serde_json::Value;

/// Room that is left for the task itself in the default context length.
const PROMPT_TOKENS: usize = 1024;

/// The words of a result have about so many characters in a token with the finest vocabulary there is, the demo model's of
/// 2048 pieces (1.95, measured on 600 of the results that it was trained on). Marks and names of fields it cuts into pieces of 1.35 characters, so
/// they count one each. Gemma's own vocabulary of 262 144 cuts coarser.
const CHARS_PER_TOKEN: usize = 2;

impl Task {
    /// The reply cap in tokens: what the longest text of the result's form takes with the finest vocabulary there is, as far as
    /// the default context length has room for it beside the task.
    ///
    /// The bounds of a form are about twice what its texts need, so a result that reaches this cap has lost its way.
    pub fn max_tokens(&self) -> usize {
        longest(&self.structure().schema).tokens().clamp(256, DEFAULT_CONTEXT_LEN - PROMPT_TOKENS)
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

/// Characters of a compact JSON text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Size {
    /// Marks, names of fields, numbers and words of enumerations.
    marks: usize,
    /// What is written freely, escapes apart.
    words: usize,
}

impl Size {
    const fn marks(marks: usize) -> Self {
        Self { marks, words: 0 }
    }

    fn plus(self, other: Self) -> Self {
        Self { marks: self.marks + other.marks, words: self.words + other.words }
    }

    fn tokens(self) -> usize {
        self.marks + self.words.div_ceil(CHARS_PER_TOKEN)
    }
}

/// The longest compact JSON text that `schema` allows.
fn longest(schema: &Value) -> Size {
    let number = |name: &str| schema[name].as_i64();
    let count = |name: &str| schema[name].as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
    if let Some(words) = schema["enum"].as_array() {
        return Size::marks(words.iter().map(|word| word.to_string().chars().count()).max().unwrap_or(0));
    }
    match schema["type"].as_str() {
        Some("object") => {
            let fields = schema["properties"].as_object().into_iter().flatten();
            // `"name":value,` for each; the last one's comma and the braces make one more.
            fields.fold(Size::marks(1), |sum, (name, part)| sum.plus(Size::marks(name.len() + 4)).plus(longest(part)))
        }
        Some("array") => {
            let (item, most) = (longest(&schema["items"]), count("maxItems"));
            Size { marks: 2 + most * (item.marks + 1), words: most * item.words }
        }
        Some("string") => Size { marks: 2, words: count("maxLength") },
        Some("integer") => {
            let digits = |bound: Option<i64>| bound.map_or(0, |n| n.to_string().len());
            Size::marks(digits(number("minimum")).max(digits(number("maximum"))))
        }
        _ => Size::marks("false".len()),
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
        assert_eq!(longest(&schema), Size { marks: text.len() + 1 - 4, words: 4 });
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
                let size = longest(&task.structure().schema);
                format!(
                    "{name}: {} of {} characters are words, {} tokens",
                    size.words,
                    size.marks + size.words,
                    task.max_tokens()
                )
            })
            .collect();
        expect![[r#"
            quiz 3: 2580 of 3036 characters are words, 1746 tokens
            quiz 5: 4260 of 4996 characters are words, 2866 tokens
            quiz 10: 8460 of 9896 characters are words, 3072 tokens
            practice: 3120 of 3522 characters are words, 1962 tokens
            mind map: 3160 of 4620 characters are words, 3040 tokens
            illustration: 700 of 2297 characters are words, 1947 tokens
            cards 5: 1660 of 1897 characters are words, 1067 tokens
            cards 12: 3900 of 4424 characters are words, 2474 tokens
            sheet 3: 1540 of 1775 characters are words, 1005 tokens
            sheet 10: 5820 of 6770 characters are words, 3072 tokens
            reading: 4800 of 5115 characters are words, 2715 tokens"#]]
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
