//! Documents speak of paths; the paths have to exist.

use std::path::Path;

use super::{Faults, Sources};

/// Beginnings by which a word in backticks is known as a path of this project.
const FOLDERS: &[&str] =
    &["crates/", "src-tauri/", "ui/", "xtask/", "tests/", "models/", "docs/", "fuzz/", ".ci/", ".cargo/"];

/// What is made by building, and files that a person brings along.
const MADE: &[&str] = &["ui/dist", "ui/node_modules", "src-tauri/gen"];

/// Every path in backticks or in a link of a Markdown file exists.
pub fn paths(root: &Path, sources: &Sources) -> Faults {
    let mut faults = Faults::new();
    for (path, text) in sources.under("", &[".md"]) {
        for (idx, line) in text.lines().enumerate() {
            let folder = Path::new(path).parent().unwrap_or(Path::new(""));
            let named = mentions(line).filter(|name| !MADE.iter().any(|made| name.starts_with(made)));
            let missing = named.filter(|name| !root.join(name).exists() && !root.join(folder).join(name).exists());
            faults.extend(missing.map(|name| format!("{path}:{}: `{name}` does not exist", idx + 1)));
            let linked = links(line).filter(|link| !root.join(folder).join(link).exists());
            faults.extend(linked.map(|link| format!("{path}:{}: the link to `{link}` leads nowhere", idx + 1)));
        }
    }
    faults
}

/// Words in backticks that are paths: known beginning, no blanks, no pattern, no `:line` behind.
fn mentions(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2).filter(|word| {
        FOLDERS.iter().any(|folder| word.starts_with(folder)) && !word.contains([' ', '*', '<', '{', '…', '$'])
    })
}

/// Targets of Markdown links within the repository.
fn links(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| rest.split(')').next()).filter_map(|target| {
        let file = target.split('#').next().unwrap_or("");
        (!file.is_empty() && !target.contains("://") && !file.contains([' ', '\\', '`'])).then_some(file)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_paths_and_links_are_found() {
        let text = "See `xtask/src/main.rs`, `crates/none/src/lib.rs`, `ui/dist` and `crates/*/src`.\n\
                    [good](xtask/src/main.rs) [bad](docs/none.md) [far](https://example.org/x) [here](#part)";
        let faults = paths(&crate::workspace::root(), &Sources::of(&[("README.md", text)]));
        assert_eq!(
            faults,
            [
                "README.md:1: `crates/none/src/lib.rs` does not exist",
                "README.md:2: the link to `docs/none.md` leads nowhere"
            ]
        );
    }
}
