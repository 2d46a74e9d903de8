//! What the terminal shows: failures, sizes, aligned lines.

use std::io::{self, IsTerminal as _, Write as _};

use errors::{ErrorCode, Explain};

/// A command that failed: what is printed on stderr before the program ends with exit code 1.
#[derive(Debug, PartialEq, Eq)]
pub struct Failure {
    /// One line: what happened, with its causes.
    message: String,
    /// One line: what to do next.
    hint: String,
}

impl<E: Explain> From<E> for Failure {
    fn from(error: E) -> Self {
        let hint = error.hint().unwrap_or_else(|| general_hint(error.code()).to_owned());
        Self { message: errors::chain(&error), hint }
    }
}

/// What to do about an error that knows no remedy of its own.
fn general_hint(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::InvalidRequest | ErrorCode::NotFound => "See what the command takes with `--help`",
        ErrorCode::OutOfMemory => "Close other programs, or choose a smaller model",
        ErrorCode::DiskFull | ErrorCode::Io => "Check the disk and the folder's permissions, then repeat",
        ErrorCode::ModelFileDamaged | ErrorCode::ModelUnsupported | ErrorCode::ModelMissing => {
            "See what the file is with `aula models inspect FILE`"
        }
        ErrorCode::PromptTooLong => "Ask with fewer words, or give more room with `--context`",
        ErrorCode::DeviceUnavailable => "Compute on the processor with `--device cpu`",
        ErrorCode::StoreNewer => "Install the newer version of Aula",
        ErrorCode::AlreadyOpen => "Close the other Aula window first",
        ErrorCode::NetworkClosed => "Allow the network for this with `--allow-network`",
        ErrorCode::Offline | ErrorCode::ServerRefused => "Repeat later; what has arrived is kept",
        ErrorCode::NameNotFound | ErrorCode::CaptivePortal => "Check the network and the server's name, then repeat",
        ErrorCode::UntrustedServer => "Check this computer's date, and whether the school's certificate is installed",
        ErrorCode::ServerSilent
        | ErrorCode::TooSlow
        | ErrorCode::Truncated
        | ErrorCode::AnswerTooLarge
        | ErrorCode::BadAnswer
        | ErrorCode::AnswerLooped
        | ErrorCode::ServerBusy
        | ErrorCode::QuotaExceeded => "Repeat later, or do it on this computer",
        ErrorCode::ResultCut => "Repeat with a shorter topic",
        ErrorCode::KeyMissing
        | ErrorCode::KeyRejected
        | ErrorCode::KeyRestricted
        | ErrorCode::RegionBlocked
        | ErrorCode::ModelNotServed
        | ErrorCode::AdultOnly
        | ErrorCode::ConsentNeeded
        | ErrorCode::EngineOff
        | ErrorCode::NoVision => "See Settings, `Who answers`, in the window",
        ErrorCode::ContentBlocked => "Put it in other words",
        ErrorCode::ImageUnreadable => "Give a JPEG, PNG or WebP file",
        ErrorCode::TransferCorrupt => "Copy it again from another disk or server",
        ErrorCode::SourceGone => "Plug the disk in again, then repeat; the copy goes on where it stopped",
        ErrorCode::Locked | ErrorCode::WrongPin => "Give the profile's PIN in the window",
        ErrorCode::QueueFull | ErrorCode::ModelLoading => "Wait a moment, then repeat",
        ErrorCode::WorkerCrashed | ErrorCode::WorkerHung | ErrorCode::StoreDamaged | ErrorCode::Internal => {
            "Repeat the command; if it fails again, please report this defect"
        }
    }
}

impl Failure {
    /// A failure of this program's own making.
    pub fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { message: message.into(), hint: hint.into() }
    }

    /// The same with something else to do next.
    #[must_use]
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: hint.into(), ..self }
    }

    /// What happened, on one line.
    pub fn message(&self) -> String {
        one_line(&self.message)
    }

    /// The lines `error: …` and `hint: …`.
    pub fn lines(&self) -> String {
        format!("error: {}\nhint: {}\n", self.message(), one_line(&self.hint))
    }
}

/// Causes from below may hold line breaks; the contract is one line.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Why stdout could not be written: mostly a reader such as `head` that has seen enough.
#[derive(Debug)]
pub enum OutputError {
    /// Nobody reads any more: not a failure.
    Closed,
    /// A failure.
    Failed(io::Error),
}

/// Writes to stdout at once, so that a person sees each token as it comes.
pub fn print(text: &str) -> Result<(), OutputError> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => OutputError::Closed,
        _ => OutputError::Failed(error),
    })
}

/// Writes a piece of an answer. A terminal obeys control characters, and nobody has checked what a model writes: there
/// they are shown as `�`. A file or a pipe gets the text as it is.
pub fn print_answer(text: &str) -> Result<(), OutputError> {
    if io::stdout().is_terminal() { print(&harmless(text)) } else { print(text) }
}

/// `text` without control characters other than line ends and tabs.
fn harmless(text: &str) -> String {
    let shown = |c: char| if c.is_control() && c != '\n' && c != '\t' { char::REPLACEMENT_CHARACTER } else { c };
    text.chars().map(shown).collect()
}

/// Prints a whole result. A reader that went away is not a failure.
///
/// # Errors
/// If stdout cannot be written, e.g. to a full disk.
pub fn print_all(text: &str) -> Result<(), Failure> {
    match print(text) {
        Ok(()) | Err(OutputError::Closed) => Ok(()),
        Err(OutputError::Failed(error)) => Err(output_failure(&error)),
    }
}

/// The failure for an output that cannot be written.
pub fn output_failure(error: &io::Error) -> Failure {
    Failure::new(
        format!("could not write the output: {error}"),
        "check where the output goes and whether the disk is full",
    )
}

/// Prints `value` as indented JSON.
///
/// # Errors
/// If stdout cannot be written.
pub fn print_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    match serde_json::to_string_pretty(value) {
        Ok(text) => print_all(&(text + "\n")),
        Err(error) => {
            Err(Failure::new(format!("could not write the result as JSON: {error}"), "please report this defect"))
        }
    }
}

/// A line for the person, apart from the result: stderr. Failing to show it is no failure.
pub fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Shows `text` on stderr in place of the status line before it; an empty text takes the line away.
pub fn status_line(text: &str) {
    let mut stderr = io::stderr().lock();
    // Back to the line's beginning, and erase it: what every terminal since the VT100 understands.
    let _ = write!(stderr, "\r\x1b[K{text}");
    let _ = stderr.flush();
}

/// `bytes` for people, in units of 10⁹ or 10⁶.
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.2} GB", bytes as f64 / 1e9),
    }
}

/// Rows as aligned columns, two spaces apart, no spaces at the end of a line.
pub fn columns(rows: &[Vec<String>]) -> String {
    let n_columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |index: usize| rows.iter().filter_map(|row| row.get(index)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..n_columns).map(|index| width(index).unwrap_or(0)).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let padding = width - cell.chars().count();
            line.push_str(cell);
            line.push_str(&" ".repeat(padding + 2));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn sizes() {
        let sizes: Vec<_> = [0, 999, 1500, 3_349_516, 330_300_000, 3_349_516_256].map(size).into();
        assert_eq!(sizes, ["0 B", "999 B", "1.5 kB", "3.3 MB", "330.3 MB", "3.35 GB"]);
    }

    #[test]
    fn a_terminal_is_not_given_orders() {
        assert_eq!(harmless("a\tb\nñ \x1b[2J\u{9b}31m\r\x07"), "a\tb\nñ \u{fffd}[2J\u{fffd}31m\u{fffd}\u{fffd}");
    }

    #[test]
    fn a_failure_is_one_line_and_one_hint() {
        let failure = Failure::new("first\nsecond", "do this");
        expect![[r#"
            error: first second
            hint: do this
        "#]]
        .assert_eq(&failure.lines());
    }

    #[test]
    fn columns_are_aligned() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        expect![[r#"
            id    name          size
            demo  Demostración
        "#]]
        .assert_eq(&columns(&[row(["id", "name", "size"]), row(["demo", "Demostración", ""])]));
    }
}
