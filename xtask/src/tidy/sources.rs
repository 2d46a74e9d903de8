//! The files of the project, read once for all rules.

use std::path::Path;

use anyhow::{Context, Result};

/// Folders that hold nothing written by hand.
const SKIPPED: &[&str] = &["target", "node_modules", "dist", "gen", ".git"];

/// A file with its path from the root, written with `/`.
#[derive(Debug)]
pub struct Source {
    /// Path from the root.
    pub path: String,
    /// Size in bytes.
    pub bytes: u64,
    /// Its text; none for what is not UTF-8.
    pub text: Option<String>,
}

/// All files of the project.
#[derive(Debug, Default)]
pub struct Sources {
    /// Sorted by path.
    pub files: Vec<Source>,
}

impl Sources {
    /// Reads the tree below `root`, without what is built or installed there. Where git is at hand, files that
    /// git ignores are left out as well.
    pub fn read(root: &Path) -> Result<Self> {
        let mut sources = Self::default();
        let listed = crate::process::Program::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .dir(root)
            .output();
        match listed {
            Ok(list) => {
                for path in list.split('\0').filter(|path| !path.is_empty()) {
                    // A file that was deleted but is still in the index is none of ours.
                    if root.join(path).is_file() {
                        sources.files.push(read(root, path.to_owned())?);
                    }
                }
            }
            Err(_) => sources.walk(root, root)?,
        }
        sources.files.sort_by(|a, b| a.path.cmp(&b.path));
        sources.files.dedup_by(|a, b| a.path == b.path);
        Ok(sources)
    }

    fn walk(&mut self, root: &Path, folder: &Path) -> Result<()> {
        let entries = std::fs::read_dir(folder).with_context(|| format!("could not read `{}`", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_symlink() || SKIPPED.contains(&name.as_str()) {
                continue;
            }
            if path.is_dir() {
                self.walk(root, &path)?;
            } else if let Ok(inside) = path.strip_prefix(root) {
                self.files.push(read(root, inside.to_string_lossy().replace('\\', "/"))?);
            }
        }
        Ok(())
    }

    /// The text of the file at `path`.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.files.iter().find(|file| file.path == path)?.text.as_deref()
    }

    /// Text files below `folder` (empty for all) with one of these endings.
    pub fn under<'a>(
        &'a self,
        folder: &'a str,
        endings: &'a [&'a str],
    ) -> impl Iterator<Item = (&'a str, &'a str)> + 'a {
        self.files
            .iter()
            .filter(move |file| file.path.starts_with(folder) && endings.iter().any(|end| file.path.ends_with(end)))
            .filter_map(|file| Some((file.path.as_str(), file.text.as_deref()?)))
    }

    /// For tests of the rules: files from memory.
    #[cfg(test)]
    pub fn of(files: &[(&str, &str)]) -> Self {
        let files = files
            .iter()
            .map(|(path, text)| Source {
                path: (*path).to_owned(),
                bytes: text.len() as u64,
                text: Some((*text).to_owned()),
            })
            .collect();
        Self { files }
    }
}

fn read(root: &Path, path: String) -> Result<Source> {
    let bytes = std::fs::read(root.join(&path)).with_context(|| format!("could not read `{path}`"))?;
    Ok(Source { bytes: bytes.len() as u64, text: String::from_utf8(bytes).ok(), path })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_sources_and_skips_what_is_built() {
        let root = crate::workspace::root();
        let mut walked = Sources::default();
        walked.walk(&root.join("xtask"), &root.join("xtask")).expect("readable");
        assert!(walked.text("src/main.rs").is_some_and(|text| text.contains("fn main")));
        let read = Sources::read(&root).expect("readable");
        assert!(read.text("xtask/src/main.rs").is_some());
        assert!(read.files.iter().all(|file| !file.path.contains("node_modules/")));
    }
}
