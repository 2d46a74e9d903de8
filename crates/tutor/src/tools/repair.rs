//! Formulas that lost their backslashes.
//!
//! In JSON `\f`, `\t`, `\b`, `\r` and `\n` are control characters, and models that write `\frac` or `\times` into a JSON text forget
//! to double the backslash. The result is valid JSON with a form feed in it, so no schema notices.

/// What follows the letter of the control character in commands that school texts use.
const COMMANDS: [(char, char, &[&str]); 5] = [
    ('\u{c}', 'f', &["rac", "orall", "lat"]),
    ('\u{8}', 'b', &["eta", "ar", "inom", "egin", "ullet", "ig"]),
    ('\t', 't', &["imes", "ext", "an", "heta", "au", "o", "riangle", "frac"]),
    ('\r', 'r', &["ightarrow", "ho", "ight", "angle"]),
    // Not `ne`, `nu` and `ni`: a line may begin with `e`, `u` or `i`.
    ('\n', 'n', &["eq", "abla", "otin", "eg"]),
];

/// Puts the backslash and its letter back where a control character stands in the place of a LaTeX command.
pub(super) fn backslashes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        let word = &text[at + c.len_utf8()..];
        let word = &word[..word.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(word.len())];
        match COMMANDS.iter().find(|(control, _, ends)| *control == c && ends.contains(&word)) {
            Some((_, letter, _)) => out.extend(['\\', *letter]),
            // Other control characters say nothing to a reader.
            None if c.is_control() && c != '\n' => out.push(' '),
            None => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::backslashes;

    #[test]
    fn commands_come_back_and_lines_stay() {
        for (text, expected) in [
            ("$\u{c}rac{1}{2}$", r"$\frac{1}{2}$"),
            ("\u{c}rac{1}{2}", r"\frac{1}{2}"),
            ("$3 \times 4$ \u{8}eta", r"$3 \times 4$ \beta"),
            ("$a \neq b$\nnew line", "$a \\neq b$\nnew line"),
            ("$x \rightarrow 2$", r"$x \rightarrow 2$"),
            ("a\tb\u{1}c", "a b c"),
            ("$5\ny $6\te doy", "$5\ny $6 e doy"),
            ("plain", "plain"),
        ] {
            assert_eq!(backslashes(text), expected, "{text:?}");
        }
    }
}
