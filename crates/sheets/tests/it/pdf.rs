//! PDF, read back.

use lopdf::{Document, Object};
use proptest::prelude::*;
use sheets::pdf;
use tutor::Language;
use tutor::tools::Sheet;

use crate::samples::{ATTACKS, fractions, full_of, header, longest};

/// The words of a file without white space, and how many pages it has.
fn read(bytes: &[u8]) -> (String, usize) {
    let document = Document::load_mem(bytes).expect("a PDF");
    let pages: Vec<u32> = document.get_pages().keys().copied().collect();
    let text = document.extract_text(&pages).expect("text");
    (text.split_whitespace().collect(), pages.len())
}

/// Everything in a file that could hold words: streams, unpacked, and strings in both encodings.
fn everything(bytes: &[u8]) -> String {
    fn strings(object: &Object, out: &mut String) {
        match object {
            Object::String(bytes, _) => match bytes.strip_prefix(&[0xfe, 0xff]) {
                Some(wide) => {
                    let units: Vec<u16> =
                        wide.chunks_exact(2).map(|unit| u16::from_be_bytes([unit[0], unit[1]])).collect();
                    out.push_str(&String::from_utf16_lossy(&units));
                }
                None => out.push_str(&String::from_utf8_lossy(bytes)),
            },
            Object::Array(items) => items.iter().for_each(|item| strings(item, out)),
            Object::Dictionary(items) => items.iter().for_each(|(_, item)| strings(item, out)),
            Object::Stream(stream) => {
                stream.dict.iter().for_each(|(_, item)| strings(item, out));
                let content = stream.decompressed_content().unwrap_or_else(|_| stream.content.clone());
                out.push_str(&String::from_utf8_lossy(&content));
            }
            _ => {}
        }
        out.push('\n');
    }
    let document = Document::load_mem(bytes).expect("a PDF");
    let mut out = String::new();
    document.objects.values().for_each(|object| strings(object, &mut out));
    strings(&Object::Dictionary(document.trailer.clone()), &mut out);
    out
}

fn without_spaces(text: &str) -> String {
    text.split_whitespace().collect()
}

#[test]
fn a_student_gets_questions_and_no_answers() {
    let bytes = pdf(&fractions(), &header(Language::Es, false)).expect("set");
    let (text, pages) = read(&bytes);
    assert_eq!(pages, 1);
    for word in [
        "Fracciones",
        "Grado 7",
        "Nombre:",
        "Fecha:",
        "Nota:",
        "Marca una sola letra.",
        "Nada",
        "Explica qué es un entero.",
    ] {
        assert!(text.contains(&without_spaces(word)), "{word} in {text}");
    }
    let all = everything(&bytes);
    for secret in
        ["denominador común", "denominadorcomún", "Todas sus partes", "Respuesta", "punto", "Para quien enseña"]
    {
        assert!(!text.contains(&without_spaces(secret)) && !all.contains(secret), "{secret}");
    }
}

#[test]
fn whoever_teaches_gets_answers_explanations_and_points() {
    let (text, _) = read(&pdf(&fractions(), &header(Language::Es, true)).expect("set"));
    for word in [
        "Respuesta: A.",
        "Primero el denominador común.",
        "Todas sus partes juntas.",
        "1 punto",
        "2 puntos",
        "Total: 3 puntos",
    ] {
        assert!(text.contains(&without_spaces(word)), "{word} in {text}");
    }
    assert!(!text.contains("Nombre:"));
}

#[test]
fn each_language_has_its_own_words() {
    for (language, words) in [
        (Language::Es, ["Nombre:", "Grado 7"]),
        (Language::En, ["Name:", "Grade 7"]),
        (Language::Pt, ["Nome:", "7.º ano"]),
    ] {
        let (text, _) = read(&pdf(&fractions(), &header(language, false)).expect("set"));
        for word in words {
            assert!(text.contains(&without_spaces(word)), "{word} in {text}");
        }
    }
}

#[test]
fn long_sheets_break_over_pages_and_lose_nothing() {
    let sheet = longest();
    for answers in [false, true] {
        let (text, pages) = read(&pdf(&sheet, &header(Language::Pt, answers)).expect("set"));
        assert!(pages > 3, "{pages}");
        let prompt = without_spaces(&sheet.open[0].prompt.text);
        let both = 20 + usize::from(answers) * 20;
        assert!(text.matches(&prompt[..100]).count() >= both, "{}", text.matches(&prompt[..100]).count());
        assert!(text.contains(&format!("1/{pages}")) && text.contains(&format!("{pages}/{pages}")));
    }
}

#[test]
fn formulas_are_set_and_not_spelled() {
    let (text, _) = read(&pdf(&fractions(), &header(Language::Es, false)).expect("set"));
    assert!(!text.contains("frac") && !text.contains('$'), "{text}");
    let (text, _) = read(
        &pdf(
            &full_of(r"$\sqrt{x^2} \leq 3{,}5 \times 10^{-2}$ y $\sin\left(\frac{\pi}{2}\right)$"),
            &header(Language::Es, false),
        )
        .expect("set"),
    );
    assert!(text.contains('≤') && text.contains('×') && text.contains("sin"), "{text}");
    assert!(!text.contains('\\'), "{text}");
}

#[test]
fn attacks_are_printed_as_they_are() {
    for attack in ATTACKS {
        for answers in [false, true] {
            let (text, _) = read(&pdf(&full_of(attack), &header(Language::En, answers)).expect(attack));
            let is_set = attack.starts_with("$ ") || attack.contains("<script>") && attack.starts_with('$');
            let in_fonts = attack.chars().all(|c| c.is_ascii() && !c.is_control());
            if in_fonts && !is_set {
                assert!(text.contains(&without_spaces(attack)), "{attack} in {text}");
            }
        }
    }
}

#[test]
fn nothing_in_a_file_acts() {
    for attack in ATTACKS {
        let bytes = pdf(&full_of(attack), &header(Language::En, true)).expect(attack);
        let raw = String::from_utf8_lossy(&bytes);
        for word in ["/JavaScript", "/URI", "/Launch", "/EmbeddedFile", "/OpenAction", "/AA "] {
            assert!(!raw.contains(word), "{word} for {attack}");
        }
    }
}

#[test]
fn an_empty_sheet_and_empty_texts_are_set() {
    let empty = Sheet { title: "x".into(), instructions: "x".into(), choice: Vec::new(), open: Vec::new() };
    assert_eq!(read(&pdf(&empty, &header(Language::En, false)).expect("set")).1, 1);
    pdf(&full_of(""), &header(Language::En, true)).expect("set");
}

/// Formulas that are nearly right.
fn formula() -> impl Strategy<Value = String> {
    let piece = proptest::sample::select(vec![
        "\\frac",
        "{",
        "}",
        "x",
        "1",
        "^",
        "_",
        "\\sqrt",
        "[",
        "]",
        "\\left(",
        "\\right)",
        "+",
        "-",
        "=",
        " ",
        "\\pi",
        "\\text{a}",
        "'",
        "\\times",
        "(",
        ")",
        "\\sin",
        "|",
        "\\overline",
        "\\,",
        "2.5",
        "\\mathbb{R}",
        ",",
        "\\circ",
    ]);
    proptest::collection::vec(piece, 1..14).prop_map(|pieces| format!("a ${}$ b", pieces.concat()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_formula_keeps_a_sheet_from_being_set(one in formula(), two in formula()) {
        let mut sheet = full_of(&one);
        sheet.instructions = two.as_str().into();
        let (text, _) = read(&pdf(&sheet, &header(Language::Es, true)).expect("set"));
        prop_assert!(text.contains("Grado7"));
    }
}
