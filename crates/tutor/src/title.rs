//! A short title for a conversation, from its first question.

/// A title is at most so many characters, the ellipsis included.
const MAX_CHARS: usize = 48;

/// A title from `text`: its first line with anything in it, spaces joined, cut between words.
pub fn title_from(text: &str) -> String {
    let line = text.lines().map(str::trim).find(|line| line.chars().any(char::is_alphanumeric));
    let line = line.unwrap_or_else(|| text.trim());
    let words: Vec<&str> = line.split_whitespace().collect();
    let joined = words.join(" ");
    let joined = joined.trim_start_matches(['#', '*', '>', '-', ' ']);
    if joined.chars().count() <= MAX_CHARS {
        return joined.to_owned();
    }
    let head: String = joined.chars().take(MAX_CHARS - 1).collect();
    // Between words, unless the first word alone is longer than a title.
    let cut = match head.rfind(' ') {
        Some(space) if space > MAX_CHARS / 2 => &head[..space],
        _ => &head,
    };
    format!("{}…", cut.trim_end_matches([' ', ',', '.', ';', ':']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, title: &str) {
        assert_eq!(title_from(text), title);
        assert!(title.chars().count() <= MAX_CHARS);
    }

    #[test]
    fn short_questions_stay_whole() {
        check("¿Cuánto es 2+2?", "¿Cuánto es 2+2?");
        check("  two   spaces\tand a tab ", "two spaces and a tab");
        check("", "");
    }

    #[test]
    fn the_first_line_with_words_counts() {
        check("\n---\n# Fracciones\nmás", "Fracciones");
        check("???", "???");
    }

    #[test]
    fn long_questions_are_cut_between_words() {
        check(
            "Explain to me please why the sum of the angles of a triangle is 180 degrees",
            "Explain to me please why the sum of the angles…",
        );
        check(&"a".repeat(60), &format!("{}…", "a".repeat(47)));
        check(&"ñ".repeat(48), &"ñ".repeat(48));
    }
}
