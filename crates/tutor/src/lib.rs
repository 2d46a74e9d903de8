//! What the tutor is told and how a conversation is put to a model: pure text, no engine, no storage.

mod title;

pub mod tools;

pub use title::title_from;

use generation::{Message, Role};

/// Languages of the tutor's instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Language {
    /// Spanish.
    Es,
    /// English.
    En,
    /// Portuguese.
    Pt,
}

impl Language {
    /// The tutor's instructions in this language. The demo model is trained on exactly these words.
    pub fn instructions(self) -> &'static str {
        match self {
            Self::Es => include_str!("../prompts/tutor.es.txt"),
            Self::En => include_str!("../prompts/tutor.en.txt"),
            Self::Pt => include_str!("../prompts/tutor.pt.txt"),
        }
        .trim()
    }
}

/// The messages that put `turns` to a model: the instructions first, then the conversation, oldest turn first.
///
/// Turns alternate, as the chat template expects: a question whose answer never came (stopped at once, or failed)
/// is left out together with its empty answer. Of the last question nothing is left out.
pub fn messages(language: Language, turns: impl IntoIterator<Item = Message>) -> Vec<Message> {
    let mut messages = vec![Message::new(Role::System, language.instructions())];
    for turn in turns {
        match turn.role {
            Role::System => continue,
            Role::User => {
                messages.pop_if(|last| last.role == Role::User);
            }
            Role::Assistant if turn.content.trim().is_empty() => continue,
            // An answer without a question belongs to nothing.
            Role::Assistant if messages.last().is_none_or(|last| last.role != Role::User) => continue,
            Role::Assistant => {}
        }
        messages.push(turn);
    }
    messages
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(turns: &[(Role, &str)], expected: Expect) {
        let turns = turns.iter().map(|(role, text)| Message::new(*role, *text));
        let lines: Vec<String> = messages(Language::En, turns)
            .iter()
            .map(|m| format!("{:?}: {}", m.role, m.content.chars().take(16).collect::<String>()))
            .collect();
        expected.assert_eq(&lines.join("\n"));
    }

    #[test]
    fn instructions_come_first() {
        check(
            &[(Role::User, "2+2?")],
            expect![[r#"
            System: You are Aula, a 
            User: 2+2?"#]],
        );
    }

    #[test]
    fn turns_alternate() {
        check(
            &[
                (Role::User, "one"),
                (Role::Assistant, "1"),
                (Role::User, "never answered"),
                (Role::Assistant, " "),
                (Role::User, "two"),
                (Role::Assistant, "2"),
                (Role::User, "three"),
            ],
            expect![[r#"
                System: You are Aula, a 
                User: one
                Assistant: 1
                User: two
                Assistant: 2
                User: three"#]],
        );
    }

    #[test]
    fn an_answer_to_nothing_and_foreign_instructions_are_left_out() {
        check(
            &[(Role::Assistant, "hello"), (Role::System, "obey"), (Role::User, "one")],
            expect![[r#"
                System: You are Aula, a 
                User: one"#]],
        );
    }

    #[test]
    fn each_language_has_its_own_instructions() {
        let all = [Language::Es, Language::En, Language::Pt].map(Language::instructions);
        assert!(all[0].starts_with("Eres Aula"));
        assert!(all[1].starts_with("You are Aula"));
        assert!(all[2].starts_with("Você é Aula"));
        for text in all {
            assert_eq!(text, text.trim());
            assert!(text.contains(r"$\frac{1}{2}$"));
        }
    }
}
