//! A mind map as text that Mermaid reads.
//!
//! Every node has a name of ours and its label between quotation marks, where the grammar ends at the next quotation mark
//! only. Around the grammar Mermaid looks for more: comments and settings (`%%`), entities (`&…;`, `#…;`), HTML, formulas
//! (`$$`), icons (`fa:fa-`), and it reads the label itself as Markdown. Characters that begin such a thing are replaced
//! by ones that look alike and mean nothing.

use tutor::tools::MindMap;

use crate::text::clean;

/// `map` in Mermaid's `mindmap` notation.
pub fn mermaid(map: &MindMap) -> String {
    let mut out = format!("mindmap\n  root((\"{}\"))\n", label(&map.label));
    let mut names = 0;
    let mut line = |depth: usize, text: &str| {
        names += 1;
        let (open, close) = if depth == 2 { ("[", "]") } else { ("(", ")") };
        let indent = "  ".repeat(depth);
        out.push_str(&format!("{indent}n{names}{open}\"{}\"{close}\n", label(text)));
    };
    for branch in &map.children {
        line(2, &branch.label);
        for leaf in &branch.children {
            line(3, &leaf.label);
            for twig in &leaf.children {
                line(4, &twig.label);
            }
        }
    }
    out
}

/// `text` as a label that can only ever be a label.
fn label(text: &str) -> String {
    let text = clean(text);
    let mut out = String::with_capacity(text.len());
    let mut before = ' ';
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let after = chars.peek().copied().unwrap_or(' ');
        let harmless = harmless(before, c, after);
        out.push(harmless);
        before = harmless;
    }
    without_list(out)
}

fn harmless(before: char, c: char, after: char) -> char {
    match c {
        '"' => '”',
        '`' => '’',
        '<' => '‹',
        '>' => '›',
        '\\' => '∖',
        '*' => '∗',
        '~' => '∼',
        '|' => '∣',
        '@' => '＠',
        '#' => '＃',
        '{' => '❴',
        '}' => '❵',
        '[' => '❲',
        ']' => '❳',
        '&' if after != ' ' => '＆',
        ':' if after != ' ' => '∶',
        '_' if !(before.is_alphanumeric() && after.is_alphanumeric()) => '＿',
        '%' if before == '%' => '％',
        '$' if before == '$' => '＄',
        '.' if before == 'w' || before == 'W' => '․',
        '-' | '=' if before == c => '–',
        c => c,
    }
}

/// A label that begins like an item of a list (`1.`, `-`, `+`) would become a list.
fn without_list(label: String) -> String {
    let digits = label.chars().take_while(char::is_ascii_digit).count();
    let mut rest = label.chars().skip(digits);
    let replaced = match (digits, rest.next()) {
        (0, Some('-')) => '–',
        (0, Some('+')) => '＋',
        (0, Some('=')) => '＝',
        (1.., Some('.')) if rest.next().is_none_or(|next| next == ' ') => '․',
        (1.., Some(')')) => '❩',
        _ => return label,
    };
    label.chars().enumerate().map(|(at, c)| if at == digits { replaced } else { c }).collect()
}
