//! A mind map as text that Mermaid reads.

use tutor::tools::MindMap;

use crate::text::clean;

/// `map` in Mermaid's `mindmap` notation. Characters that could mean something there are replaced by ones that look
/// alike and mean nothing, so that a label can only ever be a label.
pub fn mermaid(map: &MindMap) -> String {
    let mut out = format!("mindmap\n  root(({}))\n", label(&map.label));
    let mut line = |depth: usize, text: &str| {
        out.push_str(&"  ".repeat(depth));
        out.push_str(&label(text));
        out.push('\n');
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

fn label(text: &str) -> String {
    let replaced: String = clean(text).chars().map(harmless).collect();
    let trimmed = replaced.trim();
    if trimmed.is_empty() { "–".to_owned() } else { trimmed.to_owned() }
}

fn harmless(c: char) -> char {
    match c {
        '(' | '[' | '{' => '⟨',
        ')' | ']' | '}' => '⟩',
        '<' => '‹',
        '>' => '›',
        '"' => '”',
        '`' => '’',
        '&' => '＆',
        ';' => ',',
        ':' => '∶',
        '%' => '％',
        '\\' => '∖',
        '|' => '∣',
        '#' => '＃',
        '@' => '＠',
        c => c,
    }
}
