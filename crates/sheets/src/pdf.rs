//! A sheet as PDF.

use tutor::tools::Sheet;
use typst::diag::SourceDiagnostic;
use typst::foundations::{Array, Dict, IntoValue, Smart, Value};
use typst_layout::PagedDocument;
use typst_pdf::PdfOptions;

use crate::Header;
use crate::rich::clean;
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
    let world = Sheetland::new(values(sheet, header)).ok_or_else(|| Error::Typeset("no source".to_owned()))?;
    let document = typst::compile::<PagedDocument>(&world).output.map_err(|errors| typeset(&errors))?;
    let options = PdfOptions { creator: Smart::Custom(Some("Aula".to_owned())), ..PdfOptions::default() };
    typst_pdf::pdf(&document, &options).map_err(|errors| typeset(&errors))
}

fn typeset(errors: &[SourceDiagnostic]) -> Error {
    let messages: Vec<&str> = errors.iter().map(|error| error.message.as_str()).collect();
    Error::Typeset(messages.join("; "))
}

/// What the source gets.
fn values(sheet: &Sheet, header: &Header) -> Dict {
    let words = Words::of(header.language);
    let total = sheet.choice.len() as u32 * CHOICE_POINTS + sheet.open.len() as u32 * OPEN_POINTS;
    let choice: Array = sheet
        .choice
        .iter()
        .map(|item| {
            let mut entry = Dict::new();
            put(&mut entry, "prompt", text(&item.prompt.text));
            put(&mut entry, "options", item.options.iter().map(|option| text(&option.text)).collect::<Array>());
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
        ("explanation", words.explanation),
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

fn text(text: &str) -> Value {
    clean(text).into_value()
}
