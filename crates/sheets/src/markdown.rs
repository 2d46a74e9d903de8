//! A sheet as Markdown.

use tutor::tools::Sheet;

use crate::Header;
use crate::rich::escape;
use crate::words::{CHOICE_POINTS, LETTERS, OPEN_POINTS, Words};

/// `sheet` as Markdown; answers, explanations and points stand in it only where `header` says so.
pub fn markdown(sheet: &Sheet, header: &Header) -> String {
    let words = Words::of(header.language);
    let mut out = format!("# {}\n\n{}", escape(&sheet.title.text), words.grade(header.grade));
    if header.answers {
        let total = sheet.choice.len() as u32 * CHOICE_POINTS + sheet.open.len() as u32 * OPEN_POINTS;
        out.push_str(&format!(" · {} · {}: {}\n\n", words.teacher, words.total, words.points_of(total)));
    } else {
        let line = "\\_".repeat(12);
        out.push_str(&format!("\n\n{}: {line} {}: {line} {}: {line}\n\n", words.name, words.date, words.mark));
    }
    out.push_str(&format!("{}\n\n", escape(&sheet.instructions.text)));
    let mut number = 0;
    for item in &sheet.choice {
        number += 1;
        out.push_str(&format!("{number}. {}", escape(&item.prompt.text)));
        if header.answers {
            out.push_str(&format!(" ({})", words.points_of(CHOICE_POINTS)));
        }
        out.push_str("\n\n");
        for (letter, option) in LETTERS.iter().zip(&item.options) {
            out.push_str(&format!("   - **{letter}** {}\n", escape(&option.text)));
        }
        out.push('\n');
        if header.answers {
            let letter = LETTERS.get(usize::from(item.answer)).copied().unwrap_or_default();
            out.push_str(&format!("   **{}: {letter}**\n\n", words.answer));
            out.push_str(&format!("   {}: {}\n\n", words.explanation, escape(&item.explanation.text)));
        }
    }
    for item in &sheet.open {
        number += 1;
        out.push_str(&format!("{number}. {}", escape(&item.prompt.text)));
        if header.answers {
            out.push_str(&format!(
                " ({})\n\n   **{}:** {}\n\n",
                words.points_of(OPEN_POINTS),
                words.answer,
                escape(&item.answer.text)
            ));
        } else {
            out.push_str("\n\n");
            for _ in 0..item.lines.clamp(1, 10) {
                out.push_str(&format!("   {}\n\n", "\\_".repeat(40)));
            }
        }
    }
    out
}
