//! Rules for single files: length, words, bytes.

use super::{Faults, Sources};

/// Lines that a file of code may have.
const MOST_LINES: usize = 450;

/// Longer files, each with its reason.
const LONGER: &[(&str, &str)] = &[(
    "models/demo/generate.py",
    "sentence frames in three languages: a list to look things up in, not code to follow",
)];

/// Code written by hand.
const CODE: &[&str] = &[".rs", ".ts", ".svelte", ".mjs", ".css", ".py"];

/// Files of code that are made by a program.
const GENERATED: &[&str] = &["ui/src/lib/backend/bindings.ts"];

/// Words that mark something as unfinished. Written apart, so that this file does not contain them.
const UNFINISHED: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X:"),
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
    concat!("Lorem", " ipsum"),
];

/// Folders and files with their greatest size in bytes.
const SIZES: &[(&str, u64)] = &[("tests/golden/", 12 << 20), ("models/", 9 << 20), ("", 64 << 20)];

/// No file of code is longer than [`MOST_LINES`], except those of [`LONGER`], which have to be.
pub fn length(sources: &Sources) -> Faults {
    let mut faults = Faults::new();
    for (path, text) in sources.under("", CODE).filter(|(path, _)| !GENERATED.contains(path)) {
        let lines = text.lines().count();
        let excused = LONGER.iter().any(|(name, _)| *name == path);
        if lines > MOST_LINES && !excused {
            faults.push(format!("{path} has {lines} lines; {MOST_LINES} are the most"));
        } else if lines <= MOST_LINES && excused {
            faults.push(format!("{path} needs no exception any more"));
        }
    }
    faults
}

/// Nothing is left unfinished.
pub fn words(sources: &Sources) -> Faults {
    let mut faults = Faults::new();
    for file in &sources.files {
        let Some(text) = file.text.as_deref().filter(|_| !is_data(&file.path)) else { continue };
        for (idx, line) in text.lines().enumerate() {
            for word in UNFINISHED {
                if line.contains(word) {
                    faults.push(format!("{}:{}: `{word}`", file.path, idx + 1));
                }
            }
        }
    }
    faults
}

/// Lock files and fixtures are not prose, and their bytes are not ours to choose.
fn is_data(path: &str) -> bool {
    path.ends_with("package-lock.json") || path == "Cargo.lock" || path.starts_with("tests/golden/")
}

/// Fixtures, models and the whole stay within their sizes.
pub fn bytes(sources: &Sources) -> Faults {
    let mut faults = Faults::new();
    for (folder, most) in SIZES {
        let sum: u64 = sources.files.iter().filter(|file| file.path.starts_with(folder)).map(|file| file.bytes).sum();
        if sum > *most {
            let name = if folder.is_empty() { "the repository" } else { folder };
            faults.push(format!("{name} holds {sum} bytes; {most} are the most"));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_file_is_a_fault() {
        let long = "x\n".repeat(MOST_LINES + 1);
        let sources = Sources::of(&[("a.rs", &long), ("b.rs", "x"), ("c.txt", &long), (GENERATED[0], &long)]);
        assert_eq!(length(&sources).len(), 1);
    }

    #[test]
    fn unfinished_things_are_found() {
        let text = format!("fine\n// {}: later\n", UNFINISHED[0]);
        let sources = Sources::of(&[("a.rs", &text), ("b.md", "fine"), ("tests/golden/a.json", &text)]);
        assert_eq!(words(&sources).len(), 1);
        assert!(words(&sources)[0].starts_with("a.rs:2"));
    }

    #[test]
    fn too_many_bytes_are_a_fault() {
        let mut sources = Sources::of(&[("tests/golden/a.bin", "x")]);
        assert_eq!(bytes(&sources), Faults::new());
        sources.files[0].bytes = (12 << 20) + 1;
        assert_eq!(bytes(&sources).len(), 1);
    }
}
