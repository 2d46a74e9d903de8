//! Sheets to print.

use sheets::Header;
use tutor::Language;
use tutor::tools::{ChoiceItem, OpenItem, Sheet};

/// Texts that mean something to typst, Markdown or LaTeX.
pub const ATTACKS: &[&str] = &[
    "#import \"@preview/x:1.0.0\": *",
    "#read(\"/etc/passwd\")",
    "#panic()",
    "$",
    "$#panic()$",
    "$ x $",
    "@ref",
    "<label>",
    "\\",
    "*bold* _it_",
    "= Heading",
    "- list",
    "1. list",
    "```typ #panic()```",
    "// comment",
    "/* comment",
    "https://example.org",
    "[link](javascript:alert(1))",
    "<script>alert(1)</script>",
    "&lt;b&gt;",
    "$\\undefined{x}$",
    "$\\frac{1}{$",
    "$x^{$",
    "$\\left( x$",
    "$<script>alert(1)</script>$",
    "$[a](javascript:b)$",
    "a\u{202e}b\u{2028}c\u{0}d",
    "漢字 שלום 😀",
];

pub fn header(language: Language, answers: bool) -> Header {
    Header { language, grade: 7, answers }
}

pub fn choice(prompt: &str, options: [&str; 4], explanation: &str, answer: u8) -> ChoiceItem {
    ChoiceItem {
        prompt: prompt.into(),
        options: options.map(Into::into).to_vec(),
        explanation: explanation.into(),
        answer,
    }
}

pub fn open(prompt: &str, lines: u8, answer: &str) -> OpenItem {
    OpenItem { prompt: prompt.into(), lines, answer: answer.into() }
}

/// An ordinary sheet with formulas.
pub fn fractions() -> Sheet {
    Sheet {
        title: "Fracciones".into(),
        instructions: "Marca una sola letra.".into(),
        choice: vec![choice(
            r"¿Cuánto es $\frac{1}{2} + \frac{1}{4}$?",
            [r"$\frac{3}{4}$", r"$\frac{2}{6}$", "1", "Nada"],
            "Primero el denominador común.",
            0,
        )],
        open: vec![open("Explica qué es un entero.", 3, "Todas sus partes juntas.")],
    }
}

/// A sheet as long as sheets may be.
pub fn longest() -> Sheet {
    let text = |most: usize| "Una palabra tras otra, y sigue. ".chars().cycle().take(most).collect::<String>();
    let options = ["A", "B", "C", "D"].map(|letter| letter.to_owned() + &text(59));
    let item = choice(&text(160), options.each_ref().map(String::as_str), &text(280), 3);
    Sheet {
        title: text(60).as_str().into(),
        instructions: text(160).as_str().into(),
        choice: vec![item; 10],
        open: vec![open(&text(160), 10, &text(280)); 10],
    }
}

/// A sheet with `text` in every place.
pub fn full_of(text: &str) -> Sheet {
    Sheet {
        title: text.into(),
        instructions: text.into(),
        choice: vec![choice(text, [text; 4], text, 2)],
        open: vec![open(text, 1, text)],
    }
}
