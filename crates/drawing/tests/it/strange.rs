//! Texts that try to be something else, and texts of all kinds and lengths.

use proptest::prelude::*;
use tutor::tools::{Branch, Leaf, MindMap, Twig};

/// Texts that mean something to one of the programs that drawings go to.
pub const ATTACKS: &[&str] = &[
    "</text><script>alert(1)</script>",
    "<svg onload=alert(1)>",
    "<image href=\"file:///etc/passwd\"/>",
    "javascript:alert(1)",
    "%%{init: {'theme':'forest'}}%%",
    "%% not a comment",
    "::icon(fa fa-book)",
    ":::urgent",
    "fa:fa-book",
    "mindmap",
    "root((x))",
    "---\ntitle: x\n---",
    "\"] n2[\"",
    "`**bold**`",
    "\"`x`\"",
    "$$\\frac{1}{2}$$",
    "&lt;b&gt; &#x41; &amp; &nbsp;",
    "#quot; #9829;",
    "]]><![CDATA[",
    "<!-- x -->",
    "<?xml version=\"1.0\"?>",
    "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>",
    "a\u{2028}b\u{2029}c\u{85}d",
    "a\u{0}b\u{7}c\u{1b}[31md",
    "a\u{202e}fdp.exe\u{202c}b\u{2066}c\u{2069}",
    "\u{feff}\u{200b}\u{2060}",
    "\u{fffe}\u{ffff}\u{fdd0}",
    "url(#a)",
    "1. one",
    "- item",
    "+ item",
    "# heading",
    "> quote",
    "_a_ *b* ~c~",
    "https://example.org www.example.org a@example.org",
    "\\n<br/>",
    "{{x}} [y](z) (w)",
    "   ",
    "e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}",
];

/// Characters of many kinds: narrow, wide, joined, from right to left, invisible, forbidden.
fn any_char() -> impl Strategy<Value = char> {
    prop_oneof![
        6 => proptest::char::range('a', 'z'),
        2 => Just(' '),
        2 => proptest::sample::select("WMilñÁçß—…0123456789.,;:!?()[]{}<>&\"'`$%#@*_~^|\\/+-=".chars().collect::<Vec<_>>()),
        1 => proptest::char::range('\u{590}', '\u{6ff}'),
        1 => proptest::char::range('\u{4e00}', '\u{9fff}'),
        1 => proptest::char::range('\u{1f300}', '\u{1faff}'),
        1 => proptest::char::range('\u{900}', '\u{97f}'),
        1 => proptest::sample::select(vec!['\u{200d}', '\u{200c}', '\u{301}', '\u{fe0f}', '\u{202e}', '\u{2028}', '\0', '\n', '→', 'α', '₂']),
        1 => any::<char>(),
    ]
}

/// A text of 1 to `most` characters: ordinary, one long word, or an attack.
pub fn label(most: usize) -> impl Strategy<Value = String> {
    prop_oneof![
        5 => proptest::collection::vec(any_char(), 1..=most).prop_map(|chars| chars.into_iter().collect()),
        1 => proptest::collection::vec(proptest::sample::select(vec!['W', 'm', '漢', '😀', 'i']), most..=most)
            .prop_map(|chars| chars.into_iter().collect()),
        1 => proptest::sample::select(ATTACKS).prop_map(str::to_owned),
    ]
}

/// A mind map of any size that the tool allows.
pub fn mind_map() -> impl Strategy<Value = MindMap> {
    let twig = label(60).prop_map(|label| Twig { label });
    let leaf =
        (label(60), proptest::collection::vec(twig, 0..=3)).prop_map(|(label, children)| Leaf { label, children });
    let branch =
        (label(40), proptest::collection::vec(leaf, 0..=5)).prop_map(|(label, children)| Branch { label, children });
    (label(40), proptest::collection::vec(branch, 2..=7)).prop_map(|(label, children)| MindMap { label, children })
}

/// A mind map with `text` in every place.
pub fn full_of(text: &str) -> MindMap {
    let twigs = vec![Twig { label: text.to_owned() }; 2];
    let leaf = Leaf { label: text.to_owned(), children: twigs };
    let branch = Branch { label: text.to_owned(), children: vec![leaf; 2] };
    MindMap { label: text.to_owned(), children: vec![branch; 3] }
}
