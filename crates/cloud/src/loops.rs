//! Noticing that a model repeats itself without end.
//!
//! A model that has fallen into a loop writes until its limit: minutes of a server that others wait for. What tells a loop
//! from a table, a ruled line or laughter is its length, so each kind of repetition has a length that no text that somebody
//! wants to read comes near.

use std::collections::VecDeque;

/// White space in a row that no JSON has between its values, however deep it is indented.
const JSON_BLANK: usize = 64;
/// White space in a row that no text has.
const TEXT_BLANK: usize = 400;
/// Characters that one short piece (`SHORT` characters at most), again and again, may fill.
const SHORT_SPAN: usize = 200;
/// The same for a longer piece.
const LONG_SPAN: usize = 480;
/// The same for a short piece without a letter or digit: ruled lines, dots to write on.
const SHORT_RULE: usize = 600;
/// The same for a longer piece without a letter or digit: an empty table to fill in.
const LONG_RULE: usize = 2000;
/// Characters of a short piece.
const SHORT: usize = 4;
/// Up to this many characters a piece must come [`OFTEN`] times, a longer one [`SELDOM`] times.
const MEDIUM: usize = 40;
const OFTEN: usize = 8;
const SELDOM: usize = 5;
/// The longest piece whose repetition is noticed, in characters.
const LONGEST: usize = 400;

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Text for people.
    Text,
    /// One JSON value, perhaps with words around it.
    Json,
}

/// Watches an answer while it grows. What it finds does not depend on how the answer is cut into pieces.
#[derive(Debug)]
pub struct Loops {
    form: Form,
    /// The last [`LONGEST`] characters, the latest at the end.
    last: VecDeque<char>,
    /// At `p - 1`: for how many characters in a row each was the one `p` characters before it.
    runs: Vec<usize>,
    blank: usize,
    /// Characters since the last letter or digit.
    bare: usize,
    json: Json,
    found: bool,
}

/// Where in a JSON text the latest character stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Json {
    /// Before its first bracket.
    Before,
    /// Between strings.
    Outside,
    /// In a string.
    Inside,
    /// In a string, after a backslash.
    Escaped,
}

impl Loops {
    /// A watch over an answer of which nothing has come.
    pub fn new(form: Form) -> Self {
        Self {
            form,
            last: VecDeque::with_capacity(LONGEST),
            runs: vec![0; LONGEST],
            blank: 0,
            bare: 0,
            json: Json::Before,
            found: false,
        }
    }

    /// Takes the next piece and says whether the answer has fallen into a loop; once it has, it stays so.
    pub fn push(&mut self, text: &str) -> bool {
        for character in text.chars() {
            if self.found {
                break;
            }
            self.found = self.takes(character);
        }
        self.found
    }

    fn takes(&mut self, character: char) -> bool {
        self.blank = if character.is_whitespace() { self.blank + 1 } else { 0 };
        self.bare = if character.is_alphanumeric() { 0 } else { self.bare + 1 };
        self.json = self.json.after(character);
        let between_values = self.form == Form::Json && matches!(self.json, Json::Before | Json::Outside);
        if self.blank > if between_values { JSON_BLANK } else { TEXT_BLANK } {
            return true;
        }
        let mut looped = false;
        for (before, (earlier, run)) in self.last.iter().rev().zip(&mut self.runs).enumerate() {
            let period = before + 1;
            *run = if *earlier == character { *run + 1 } else { 0 };
            // The piece is the last `period` characters, this one included.
            looped |= *run > 0 && *run + period > most(period, self.bare < period);
        }
        if self.last.len() == LONGEST {
            self.last.pop_front();
        }
        self.last.push_back(character);
        looped
    }
}

/// Characters that repetitions of a piece of `period` characters may fill.
fn most(period: usize, has_letters: bool) -> usize {
    match (period <= SHORT, has_letters) {
        (true, true) => SHORT_SPAN,
        (true, false) => SHORT_RULE,
        (false, false) => LONG_RULE,
        (false, true) => LONG_SPAN.max(period * if period <= MEDIUM { OFTEN } else { SELDOM }),
    }
}

impl Json {
    fn after(self, character: char) -> Self {
        match (self, character) {
            (Self::Before, '{' | '[') => Self::Outside,
            (Self::Outside, '"') => Self::Inside,
            (Self::Inside, '\\') => Self::Escaped,
            (Self::Inside, '"') => Self::Outside,
            (Self::Escaped, _) => Self::Inside,
            _ => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    /// After how many characters a loop is noticed.
    fn noticed(form: Form, text: &str) -> Option<usize> {
        let mut loops = Loops::new(form);
        text.chars().position(|character| loops.push(character.encode_utf8(&mut [0; 4])))
    }

    #[test]
    fn white_space_between_values_is_noticed_within_64_characters() {
        for blank in [" ", "\n", "\t", " \n", "\n  \n "] {
            let text = format!("{{\"title\": \"x\",{}", blank.repeat(200));
            let at = noticed(Form::Json, &text).expect(blank);
            assert!(at <= 14 + 65, "{blank:?}: {at}");
        }
        // In a string it takes longer: it may be what somebody wants to write there.
        let inside = noticed(Form::Json, &format!("{{\"title\": \"{}", " ".repeat(900))).expect("a loop");
        assert!((200..=420).contains(&inside), "{inside}");
        // An escaped quote does not end a string, quotes before the first bracket begin none.
        let text = format!("He said \" {{\"a\\\"b\": 1,{}", " ".repeat(70));
        assert!(noticed(Form::Json, &text).is_some());
    }

    #[test]
    fn loops_that_models_fall_into_are_noticed() {
        for unit in ["ja", "0", "la la ", "\\n", "n\u{303}"] {
            let at = noticed(Form::Text, &format!("Once upon a time {}", unit.repeat(400))).expect(unit);
            assert!(at <= 17 + SHORT_SPAN + SHORT, "{unit}: {at}");
        }
        assert!(noticed(Form::Text, &"🌀".repeat(SHORT_RULE + SHORT)).is_some());
        let sentence = "La fotosíntesis es el proceso por el cual las plantas producen su alimento. ";
        assert!(noticed(Form::Text, &sentence.repeat(8)).is_some());
        assert_eq!(noticed(Form::Text, &sentence.repeat(3)), None, "three times may be meant");
        let item = r#"{"label":"Agua","children":[]},"#;
        assert!(noticed(Form::Json, &format!("{{\"children\":[{}", item.repeat(20))).is_some());
        let paragraph: String = (0..60).map(|word| format!("word{word} ")).collect();
        assert!(paragraph.len() < LONGEST + 40 && noticed(Form::Text, &paragraph[..390].repeat(6)).is_some());
    }

    #[test]
    fn what_people_want_to_read_is_none() {
        let table = format!("| a | b |\n|{}|{}|\n{}", "-".repeat(80), "-".repeat(80), "| | |\n".repeat(30));
        let code = (0..40).map(|line| format!("        self.values[{line}] = 0;\n")).collect::<String>();
        let art = format!("{}\n{}\n", "=".repeat(120), "#".repeat(200));
        let lines = format!("{}\n", "_".repeat(60)).repeat(20);
        let thirds = format!("1/3 = 0.{}…", "3".repeat(60));
        for text in [&table, &code, &art, &lines, &thirds, "ha ha ha ha ha ha ha ha ha ha ha ha", "jajajajajajajaja"] {
            assert_eq!(noticed(Form::Text, text), None, "{text}");
        }
        let deep = (0..12).fold(json!([1, 2]), |inner, depth| json!({"level": depth, "inner": inner}));
        let deep = serde_json::to_string_pretty(&deep).expect("JSON");
        assert_eq!(noticed(Form::Json, &deep), None);
        let blanks = json!({"open": [{"text": format!("Name: {}", "_".repeat(300))}]}).to_string();
        assert_eq!(noticed(Form::Json, &blanks), None);
    }

    fn word() -> impl Strategy<Value = String> {
        "[a-zñáé]{1,9}"
    }

    /// Text with tables, lists, code, laughter and rules in it.
    fn text() -> impl Strategy<Value = String> {
        let words = || prop::collection::vec(word(), 1..8).prop_map(|words| words.join(" "));
        let block = prop_oneof![
            words().prop_map(|words| format!("{words}.\n\n")),
            prop::collection::vec(words(), 2..6).prop_map(|cells| format!("| {} |\n", cells.join(" | "))),
            (3usize..120).prop_map(|dashes| format!("|{}|\n", "-".repeat(dashes))),
            (words(), 1usize..30).prop_map(|(words, times)| format!("{words}: {}\n", "ha ".repeat(times))),
            (1usize..9, words()).prop_map(|(depth, code)| format!("{}{code};\n", "    ".repeat(depth))),
            (10usize..200).prop_map(|blanks| format!("{}\n", "_".repeat(blanks))),
            (1u32..99, 1u32..99).prop_map(|(a, b)| format!("{a} × {b} = {}\n", a * b)),
        ];
        prop::collection::vec(block, 1..40).prop_map(|blocks| blocks.concat())
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::from),
            (0..400_i64).prop_map(Value::from),
            prop::collection::vec(word(), 0..8).prop_map(|words| Value::from(words.join(" "))),
        ];
        leaf.prop_recursive(5, 60, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::vec((word(), inner), 0..6)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_text_is_taken_for_a_loop(text in text()) {
            prop_assert_eq!(noticed(Form::Text, &text), None);
        }

        #[test]
        fn no_json_is_taken_for_a_loop(value in value()) {
            prop_assert_eq!(noticed(Form::Json, &serde_json::to_string_pretty(&value).expect("JSON")), None);
            prop_assert_eq!(noticed(Form::Json, &value.to_string()), None);
        }

        #[test]
        fn every_endless_repetition_is_noticed(before in text(), unit in "[a-z][ -~\n]{0,150}") {
            let text = format!("{before}{}", unit.repeat(1600 / unit.len() + 1));
            prop_assert!(noticed(Form::Text, &text).is_some());
        }

        #[test]
        fn how_it_is_cut_changes_nothing(text in text(), unit in "[a-z ]{1,30}", size in 1usize..50) {
            let text = format!("{text}{}", unit.repeat(600 / unit.len() + 1));
            let mut loops = Loops::new(Form::Text);
            let characters: Vec<char> = text.chars().collect();
            let at = characters.chunks(size).position(|piece| loops.push(&piece.iter().collect::<String>()));
            prop_assert_eq!(at, noticed(Form::Text, &text).map(|at| at / size));
        }
    }
}
