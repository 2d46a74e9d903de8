//! Files of what tools made.

use crate::convert;
use crate::dto::{Creation, ExportFormat, Language, ToolInput};
use crate::failure::{Refusal, Reply};
use errors::{ErrorCode, Explain};
use sheets::Header;
use std::io::Write;
use std::path::{Path, PathBuf};
use tutor::tools::Content;

/// Pixels per unit of a drawing.
const SCALE: f32 = 2.0;
/// A suggested name has at most so many characters before its ending.
const MOST_NAME_CHARS: usize = 60;

/// A file could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the file could not be written")]
struct NotWritten(#[source] std::io::Error);

impl Explain for NotWritten {
    fn code(&self) -> ErrorCode {
        match errors::io_code(&self.0) {
            ErrorCode::DiskFull => ErrorCode::DiskFull,
            _ => ErrorCode::Io,
        }
    }

    fn hint(&self) -> Option<String> {
        Some("Choose another folder, or make room on the disk.".to_owned())
    }
}

/// The file's bytes.
pub(super) fn bytes(creation: &Creation, format: ExportFormat, language: Language) -> Reply<Vec<u8>> {
    let language = convert::language(language);
    let header = |answers| {
        let grade = if let ToolInput::Sheet { grade, .. } = creation.input { grade } else { 1 };
        Header { language, grade, answers }
    };
    let drawn = match &creation.content {
        Content::MindMap(map) => Some(drawing::mind_map(map)),
        Content::Illustration(scene) => Some(drawing::illustration(scene)),
        _ => None,
    };
    Ok(match (format, drawn, &creation.content) {
        (ExportFormat::Svg, Some(drawn), _) => drawing::svg(&drawn, drawing::Theme::Light).into_bytes(),
        (ExportFormat::Png, Some(drawn), _) => drawing::png(&drawn, drawing::Theme::Light, SCALE)?,
        (ExportFormat::StudentPdf, _, Content::Sheet(sheet)) => sheets::pdf(sheet, &header(false))?,
        (ExportFormat::TeacherPdf, _, Content::Sheet(sheet)) => sheets::pdf(sheet, &header(true))?,
        (ExportFormat::Markdown, _, content) => match content {
            Content::Sheet(sheet) => sheets::markdown(sheet, &header(true)),
            Content::Quiz(quiz) => sheets::quiz_markdown(quiz, language),
            Content::Practice(practice) => sheets::practice_markdown(practice, language),
            Content::Flashcards(cards) => sheets::flashcards_markdown(cards, language),
            Content::MindMap(map) => sheets::mind_map_markdown(map),
            Content::Illustration(_) | Content::Reading(_) => return Err(Refusal::NoSuchFormat.into()),
        }
        .into_bytes(),
        _ => return Err(Refusal::NoSuchFormat.into()),
    })
}

/// What the file is called unless the person says otherwise: the title without signs that some systems refuse.
pub(super) fn suggested_name(creation: &Creation, format: ExportFormat) -> String {
    let title: String =
        creation.summary.title.chars().map(|c| if c.is_alphanumeric() || "-_".contains(c) { c } else { ' ' }).collect();
    let words = title.split_whitespace().collect::<Vec<_>>().join(" ");
    let name: String = words.chars().take(MOST_NAME_CHARS).collect();
    let name = if name.trim().is_empty() { creation.summary.tool.name() } else { name.trim() };
    format!("{name}.{}", ending(format))
}

fn ending(format: ExportFormat) -> &'static str {
    match format {
        ExportFormat::Svg => "svg",
        ExportFormat::Png => "png",
        ExportFormat::Markdown => "md",
        ExportFormat::StudentPdf | ExportFormat::TeacherPdf => "pdf",
    }
}

/// Writes the whole file or nothing: what was there under that name stays until the new one is complete.
pub(super) fn write(path: &Path, format: ExportFormat, bytes: &[u8]) -> Reply<()> {
    let path = if path.extension().is_some() { path.to_owned() } else { path.with_extension(ending(format)) };
    Ok(write_whole(&path, bytes).map_err(NotWritten)?)
}

fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let part = beside(path);
    let written = (|| {
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).open(&part)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        drop(file);
        std::fs::rename(&part, path)
    })();
    if written.is_err() {
        // The first failure is the one to tell; what is left of the file is worth nothing.
        let _ = std::fs::remove_file(&part);
    }
    written
}

/// A name in the same folder that nothing else uses.
fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.part", std::process::id()))
}
