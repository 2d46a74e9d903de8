//! Texts of models for paper: words and formulas.

use crate::formula::Math;

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// Words.
    Words(String),
    /// A formula, with its source.
    Formula(Math, String),
}

/// `text` as words and formulas. A formula stands between dollar signs, without spaces inside them; a dollar sign before a
/// figure ends none, so that prices stay prices.
pub(crate) fn parts(text: &str) -> Vec<Part> {
    let text = clean(text).replace("$$", "$");
    let mut parts = Vec::new();
    let mut words = String::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.find('$') {
        let (before, after) = rest.split_at(at);
        words.push_str(before);
        let after = &after[1..];
        if words.ends_with('\\') {
            // An escaped dollar sign.
            words.pop();
            words.push('$');
            rest = after;
            continue;
        }
        match formula(after) {
            Some((math, source)) => {
                if !words.is_empty() {
                    parts.push(Part::Words(std::mem::take(&mut words)));
                }
                rest = &after[source.len() + 1..];
                parts.push(Part::Formula(math, source.to_owned()));
            }
            None => {
                words.push('$');
                rest = after;
            }
        }
    }
    words.push_str(rest);
    if !words.is_empty() || parts.is_empty() {
        parts.push(Part::Words(words));
    }
    parts
}

/// The formula that begins `text`, up to a dollar sign.
fn formula(text: &str) -> Option<(Math, &str)> {
    let end = text.char_indices().find(|(at, c)| *c == '$' && !text[..*at].ends_with('\\'))?.0;
    let source = &text[..end];
    let is_closed = !source.starts_with(' ') && !source.ends_with(' ');
    let is_price = text[end + 1..].starts_with(|c: char| c.is_ascii_digit());
    // Readers of Markdown without formulas would take it for a link.
    let is_link = source.contains("](");
    if !is_closed || is_price || is_link {
        return None;
    }
    Some((Math::read(source)?, source))
}

/// `text` on one line without characters that cannot be seen or that change the direction of what follows.
pub(crate) fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_whitespace() || c.is_control() {
            if !clean.is_empty() && !clean.ends_with(' ') {
                clean.push(' ');
            }
        } else if !is_hidden(c) {
            clean.push(c);
        }
    }
    clean.truncate(clean.trim_end().len());
    clean
}

fn is_hidden(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff0}'..='\u{ffff}' | '\u{e0000}'..='\u{10ffff}')
}

/// `text` as Markdown that shows exactly this text, with its formulas between dollar signs.
pub(crate) fn escape(text: &str) -> String {
    parts(text)
        .iter()
        .enumerate()
        .map(|(idx, part)| match part {
            Part::Words(words) => escape_words(words, idx == 0),
            Part::Formula(_, source) => format!("${}$", source.replace('<', "\\lt ").replace('>', "\\gt ")),
        })
        .collect()
}

fn escape_words(words: &str, begins: bool) -> String {
    let mut out = String::with_capacity(words.len());
    let digits = words.chars().take_while(char::is_ascii_digit).count();
    let mut before = ' ';
    for (at, c) in words.chars().enumerate() {
        let begins_block = begins
            && (at == 0 && matches!(c, '#' | '+' | '-' | '=' | '~' | ':')
                || at == digits && at > 0 && matches!(c, '.' | ')'));
        let begins_link = c == ':' || c == '@' || c == '.' && matches!(before, 'w' | 'W');
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '$' | '~' => out.extend(['\\', c]),
            c if begins_block || begins_link && links(words, at) => out.extend(['\\', c]),
            c => out.push(c),
        }
        before = c;
    }
    out
}

/// Whether the sign at place `at` could be part of an address that a reader of Markdown makes a link of.
fn links(words: &str, at: usize) -> bool {
    words.chars().nth(at + 1).is_some_and(|next| !next.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(text: &str, expected: Expect) {
        expected.assert_eq(&escape(text));
    }

    #[test]
    fn text_is_escaped_where_it_would_mean_something() {
        check("f(x) = 2 + 3, p. ej. 50 %", expect!["f(x) = 2 + 3, p. ej. 50 %"]);
        check("- a", expect![r"\- a"]);
        check("12. a", expect![r"12\. a"]);
        check("# a *b* _c_ `d` |e| [f](g)", expect![r"\# a \*b\* \_c\_ \`d\` \|e\| \[f\](g)"]);
        check("<script>&lt;", expect!["&lt;script&gt;&amp;lt;"]);
        check("https://a.org www.b.org c@d.org", expect![r"https\://a.org www\.b.org c\@d.org"]);
        check("a\u{202e}b\u{2028}c\0d", expect!["ab c d"]);
    }

    #[test]
    fn formulas_stay_formulas_and_prices_prices() {
        check(r"Suma $\frac{1}{2}$ y $x^2$.", expect![r"Suma $\frac{1}{2}$ y $x^2$."]);
        check("cuesta $5 y $10", expect![r"cuesta \$5 y \$10"]);
        check(r"\$5", expect![r"\$5"]);
        check("$a<b$ $[x](y)$", expect![r"$a\lt b$ \$\[x\](y)\$"]);
        check("$$x=1$$", expect!["$x=1$"]);
        check(r"$\input{x}$ $ $ $", expect![r"\$\\input{x}\$ \$ \$ \$"]);
    }
}
