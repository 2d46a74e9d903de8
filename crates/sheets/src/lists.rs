//! The other tools' results as Markdown.

use tutor::Language;
use tutor::tools::{Flashcards, MindMap, Practice, Quiz};

use crate::rich::escape;
use crate::words::{LETTERS, Words};

/// A quiz: the questions first, the answers with their explanations at the end.
pub fn quiz_markdown(quiz: &Quiz, language: Language) -> String {
    let words = Words::of(language);
    let mut out = format!("# {}\n\n", escape(&quiz.title.text));
    for (idx, question) in quiz.questions.iter().enumerate() {
        out.push_str(&format!("{}. {}\n\n", idx + 1, escape(&question.prompt.text)));
        for (letter, option) in LETTERS.iter().zip(&question.options) {
            out.push_str(&format!("   - **{letter}** {}\n", escape(&option.text)));
        }
        out.push_str(&format!("\n   {}: {}\n\n", words.hint, escape(&question.hint.text)));
    }
    out.push_str(&format!("## {}\n\n", words.answers));
    for (idx, question) in quiz.questions.iter().enumerate() {
        let letter = LETTERS.get(usize::from(question.answer)).copied().unwrap_or_default();
        out.push_str(&format!("{}. **{letter}** {}\n", idx + 1, escape(&question.explanation.text)));
    }
    out
}

/// Cards as a table of two columns.
pub fn flashcards_markdown(cards: &Flashcards, language: Language) -> String {
    let words = Words::of(language);
    let mut out = format!("# {}\n\n| {} | {} |\n| --- | --- |\n", escape(&cards.title.text), words.front, words.back);
    for card in &cards.cards {
        out.push_str(&format!("| {} | {} |\n", escape(&card.front.text), escape(&card.back.text)));
    }
    out
}

/// A mind map as a nested list.
pub fn mind_map_markdown(map: &MindMap) -> String {
    let mut out = format!("# {}\n\n", escape(&map.label));
    for branch in &map.children {
        out.push_str(&format!("- **{}**\n", escape(&branch.label)));
        for leaf in &branch.children {
            out.push_str(&format!("  - {}\n", escape(&leaf.label)));
            for twig in &leaf.children {
                out.push_str(&format!("    - {}\n", escape(&twig.label)));
            }
        }
    }
    out
}

/// Exercises: statements and hints first, the ways and answers at the end.
pub fn practice_markdown(practice: &Practice, language: Language) -> String {
    let words = Words::of(language);
    let mut out = format!("# {}\n\n", escape(&practice.title.text));
    for (idx, exercise) in practice.exercises.iter().enumerate() {
        out.push_str(&format!("{}. {}\n\n", idx + 1, escape(&exercise.prompt.text)));
        out.push_str(&format!("   {}: {}\n\n", words.hint, escape(&exercise.hint.text)));
    }
    out.push_str(&format!("## {}\n\n", words.answers));
    for (idx, exercise) in practice.exercises.iter().enumerate() {
        out.push_str(&format!("{}. **{}**\n\n", idx + 1, escape(&exercise.answer.text)));
        out.push_str(&format!("   {}:\n\n", words.steps));
        for step in &exercise.steps {
            out.push_str(&format!("   - {}\n", escape(&step.text)));
        }
        out.push('\n');
    }
    out
}
