//! What a task says to a model: a system message with the rules, and a user message with what is wanted.
//!
//! The words stand in `prompts/tools/v1`, one file for each tool and language. They name the fields that the result has, so
//! that they also work on a server that knows no schemas, and they hold no example: larger models repeat those. What a person
//! typed, and what a document or an answer says, stands between `<<<` and `>>>` and cannot close them ([`quoted`]).

use super::{About, Level, SheetForm, Task};
use crate::Language;
use generation::{Message, Role};

/// The version of the words in `prompts/tools`: the name of their folder.
pub const PROMPT_VERSION: u32 = 1;

/// Of a text that a drawing is about a model reads at most so many characters, from the beginning: they must fit into the
/// default context length together with the result.
pub const MAX_ABOUT_CHARS: usize = 3000;

/// The three versions of a template.
macro_rules! words {
    ($language:expr, $name:literal) => {
        match $language {
            Language::Es => include_str!(concat!("../../prompts/tools/v1/", $name, ".es.txt")),
            Language::En => include_str!(concat!("../../prompts/tools/v1/", $name, ".en.txt")),
            Language::Pt => include_str!(concat!("../../prompts/tools/v1/", $name, ".pt.txt")),
        }
    };
}

impl Task {
    /// What a model is told, in `language`, which is also the language that it is asked to write: the rules, then the task.
    /// The pictures of [`Task::Reading`] go with the last message.
    pub fn messages(&self, language: Language) -> Vec<Message> {
        let rules = match self {
            Self::Reading { .. } => words!(language, "reading_system"),
            _ => words!(language, "system"),
        };
        vec![Message::new(Role::System, rules.trim()), Message::new(Role::User, self.wanted(language))]
    }

    fn wanted(&self, language: Language) -> String {
        let text = match self {
            Self::Quiz { topic, count, level } => fill(
                words!(language, "quiz"),
                &[
                    ("topic", &quoted(topic)),
                    ("level", level_in_words(*level, language)),
                    ("count", &count.to_string()),
                ],
            ),
            Self::Practice { topic, level, used } => fill(
                words!(language, "practice"),
                &[
                    ("topic", &quoted(topic)),
                    ("level", level_in_words(*level, language)),
                    ("count", &Self::EXERCISES.to_string()),
                    ("used", &used_in_words(used, language)),
                ],
            ),
            Self::MindMap { about } => fill(
                words!(language, "mind_map"),
                &[("about", about_in_words(about, language)), ("data", &quoted_about(about))],
            ),
            Self::Illustration { about } => fill(
                words!(language, "illustration"),
                &[("about", about_in_words(about, language)), ("data", &quoted_about(about))],
            ),
            Self::Flashcards { topic, count } => {
                fill(words!(language, "flashcards"), &[("topic", &quoted(topic)), ("count", &count.to_string())])
            }
            Self::Sheet { topic, grade, count, form } => {
                let choice = form.choice(*count);
                fill(
                    words!(language, "sheet"),
                    &[
                        ("topic", &quoted(topic)),
                        ("grade", &grade.to_string()),
                        ("from", &(grade + 5).to_string()),
                        ("to", &(grade + 6).to_string()),
                        ("choice", &choice.to_string()),
                        ("open", &count.saturating_sub(choice).to_string()),
                    ],
                )
            }
            Self::Reading { handwriting } => fill(
                words!(language, "reading"),
                &[("picture", word(if *handwriting { "handwriting" } else { "photo" }, language))],
            ),
        };
        text.trim().to_owned()
    }
}

impl SheetForm {
    /// Of `count` questions, how many have answers to choose from; the others are open.
    pub fn choice(self, count: u8) -> u8 {
        match self {
            Self::Choice => count,
            Self::Open => 0,
            Self::Mixed => count.div_ceil(2),
        }
    }
}

/// The words for `name` in sentences: a line of `words.*.txt`.
fn word(name: &str, language: Language) -> &'static str {
    let lines = words!(language, "words").lines();
    lines.filter_map(|line| line.split_once(": ")).find(|(key, _)| *key == name).map_or("", |(_, words)| words)
}

fn level_in_words(level: Level, language: Language) -> &'static str {
    let name = match level {
        Level::Easy => "easy",
        Level::Medium => "medium",
        Level::Hard => "hard",
    };
    word(name, language)
}

fn about_in_words(about: &About, language: Language) -> &'static str {
    match about {
        About::Topic(_) => word("topic", language),
        About::Text(_) => word("text", language),
    }
}

fn used_in_words(used: &[String], language: Language) -> String {
    if used.is_empty() {
        return String::new();
    }
    let latest = &used[used.len().saturating_sub(Task::MAX_USED)..];
    let lines: Vec<String> =
        latest.iter().map(|statement| quoted(&head(statement, super::LongText::MAX_CHARS))).collect();
    fill(words!(language, "used"), &[("used", &lines.join("\n"))])
}

fn quoted_about(about: &About) -> String {
    match about {
        About::Topic(topic) => quoted(topic),
        About::Text(text) => quoted_lines(&head(text, MAX_ABOUT_CHARS)),
    }
}

/// The first `most` characters of `text`, cut between words where that is near.
fn head(text: &str, most: usize) -> String {
    let text = text.trim();
    let Some((end, _)) = text.char_indices().nth(most) else { return text.to_owned() };
    let head = &text[..end];
    let cut = head.rfind(char::is_whitespace).filter(|cut| *cut > end / 2).unwrap_or(end);
    head[..cut].trim_end().to_owned()
}

/// `text` as one line of data: no control characters, and nothing in it that closes the quotation.
fn quoted(text: &str) -> String {
    quoted_lines(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// [`quoted`] with its lines kept.
fn quoted_lines(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().filter(|c| *c == '\n' || !c.is_control()) {
        // Three in a row are a mark of ours; a space between the second and the third makes them text.
        if matches!(c, '<' | '>') && out.chars().rev().take_while(|before| *before == c).count() >= 2 {
            out.push(' ');
        }
        out.push(c);
    }
    out.trim().to_owned()
}

/// `template` with each `{name}` replaced; what is put in is not looked at again.
fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        out.push_str(&rest[..open]);
        rest = &rest[open..];
        let known =
            values.iter().find(|(name, _)| rest[1..].strip_prefix(name).is_some_and(|after| after.starts_with('}')));
        match known {
            Some((name, value)) => {
                out.push_str(value);
                rest = &rest[name.len() + 2..];
            }
            None => {
                out.push('{');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}
