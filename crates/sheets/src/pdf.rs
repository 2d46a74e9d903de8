//! A sheet as PDF.

use tutor::tools::Sheet;
use typst::diag::SourceDiagnostic;
use typst::foundations::{Array, Dict, IntoValue, Smart, Value};
use typst_layout::PagedDocument;
use typst_pdf::PdfOptions;

use crate::Header;
use crate::formula::Math;
use crate::rich::{Part, clean, parts};
use crate::words::{CHOICE_POINTS, LETTERS, OPEN_POINTS, Words};
use crate::world::Sheetland;

/// Why there is no PDF.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The sheet could not be set. A fault of the program.
    #[error("the sheet cannot be set: {0}")]
    Typeset(String),
}

impl errors::Explain for Error {
    fn code(&self) -> errors::ErrorCode {
        errors::ErrorCode::Internal
    }

    fn hint(&self) -> Option<String> {
        Some("Save it as Markdown instead.".to_owned())
    }
}

/// `sheet` on A4 pages. Answers, explanations and points are part of the file only where `header` says so.
///
/// # Errors
/// If it cannot be set.
pub fn pdf(sheet: &Sheet, header: &Header) -> Result<Vec<u8>, Error> {
    // A formula that cannot be set is no reason to have no sheet.
    set(values(sheet, header, parts)).or_else(|_| set(values(sheet, header, |text| vec![Part::Words(clean(text))])))
}

fn set(values: Dict) -> Result<Vec<u8>, Error> {
    let world = Sheetland::new(values).ok_or_else(|| Error::Typeset("no source".to_owned()))?;
    let document = typst::compile::<PagedDocument>(&world).output.map_err(|errors| typeset(&errors))?;
    let options = PdfOptions { creator: Smart::Custom(Some("Aula".to_owned())), ..PdfOptions::default() };
    let bytes = typst_pdf::pdf(&document, &options).map_err(|errors| typeset(&errors));
    // What typst remembers of this sheet is of no use for the next.
    typst::comemo::evict(0);
    bytes
}

fn typeset(errors: &[SourceDiagnostic]) -> Error {
    let messages: Vec<&str> = errors.iter().map(|error| error.message.as_str()).collect();
    Error::Typeset(messages.join("; "))
}

/// What the source gets.
fn values(sheet: &Sheet, header: &Header, parts: fn(&str) -> Vec<Part>) -> Dict {
    let text = |text: &str| rich(&parts(text));
    let words = Words::of(header.language);
    let total = sheet.choice.len() as u32 * CHOICE_POINTS + sheet.open.len() as u32 * OPEN_POINTS;
    let choice: Array = sheet
        .choice
        .iter()
        .map(|item| {
            let mut entry = Dict::new();
            put(&mut entry, "prompt", text(&item.prompt.text));
            put(
                &mut entry,
                "options",
                item.options
                    .iter()
                    .take(LETTERS.len())
                    .map(|option| text(&option.text).into_value())
                    .collect::<Array>(),
            );
            if header.answers {
                put(&mut entry, "points", words.points_of(CHOICE_POINTS));
                put(&mut entry, "answer", LETTERS.get(usize::from(item.answer)).copied().unwrap_or_default());
                put(&mut entry, "explanation", text(&item.explanation.text));
            }
            entry.into_value()
        })
        .collect();
    let open: Array = sheet
        .open
        .iter()
        .map(|item| {
            let mut entry = Dict::new();
            put(&mut entry, "prompt", text(&item.prompt.text));
            put(&mut entry, "lines", i64::from(item.lines.clamp(1, 10)));
            if header.answers {
                put(&mut entry, "points", words.points_of(OPEN_POINTS));
                put(&mut entry, "answer", text(&item.answer.text));
            }
            entry.into_value()
        })
        .collect();
    let mut values = Dict::new();
    put(&mut values, "lang", words.code);
    put(&mut values, "name", clean(&sheet.title.text));
    put(&mut values, "title", text(&sheet.title.text));
    put(&mut values, "instructions", text(&sheet.instructions.text));
    put(&mut values, "grade", words.grade(header.grade));
    put(&mut values, "teacher", header.answers);
    put(&mut values, "total", words.points_of(total));
    put(&mut values, "choice", choice);
    put(&mut values, "open", open);
    let mut said = Dict::new();
    for (key, word) in [
        ("name", words.name),
        ("date", words.date),
        ("mark", words.mark),
        ("teacher", words.teacher),
        ("answer", words.answer),
        ("total", words.total),
    ] {
        put(&mut said, key, word);
    }
    put(&mut values, "words", said);
    values
}

fn put(dict: &mut Dict, key: &str, value: impl IntoValue) {
    dict.insert(key.into(), value.into_value());
}

/// Words and formulas as the source takes them.
fn rich(parts: &[Part]) -> Array {
    let value = |part: &Part| {
        let mut value = Dict::new();
        match part {
            Part::Words(words) => {
                put(&mut value, "kind", "text");
                put(&mut value, "text", words.as_str());
            }
            Part::Formula(math, source) => {
                put(&mut value, "kind", "formula");
                put(&mut value, "source", source.as_str());
                put(&mut value, "high", math.is_high());
                put(&mut value, "body", formula(math));
            }
        }
        value.into_value()
    };
    parts.iter().map(value).collect()
}

fn formula(math: &Math) -> Value {
    let mut value = Dict::new();
    let kind = match math {
        Math::Row(items) => {
            put(&mut value, "items", items.iter().map(formula).collect::<Array>());
            "row"
        }
        Math::Symbol(c) => {
            put(&mut value, "text", c.to_string());
            "symbol"
        }
        Math::Words(words) => {
            put(&mut value, "text", words.as_str());
            "words"
        }
        Math::Name(name) => {
            put(&mut value, "text", name.as_str());
            "name"
        }
        Math::Space(width) => {
            put(&mut value, "width", i64::from(*width));
            "space"
        }
        Math::Fraction(both) => {
            put(&mut value, "upper", formula(&both[0]));
            put(&mut value, "lower", formula(&both[1]));
            "fraction"
        }
        Math::Root { of, index } => {
            put(&mut value, "of", formula(of));
            if let Some(index) = index {
                put(&mut value, "index", formula(index));
            }
            "root"
        }
        Math::Scripts { base, upper, lower } => {
            put(&mut value, "base", formula(base));
            for (name, part) in [("upper", upper), ("lower", lower)] {
                if let Some(part) = part {
                    put(&mut value, name, formula(part));
                }
            }
            "scripts"
        }
        Math::Fenced(open, of, close) => {
            put(&mut value, "of", formula(of));
            for (name, fence) in [("open", open), ("close", close)] {
                put(&mut value, name, fence.map_or_else(String::new, |c| c.to_string()));
            }
            "fenced"
        }
        Math::Overline(of) => {
            put(&mut value, "of", formula(of));
            "overline"
        }
    };
    put(&mut value, "kind", kind);
    value.into_value()
}
