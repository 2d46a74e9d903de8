//! Folders of the system, written down as text.

use tempfile::TempDir;

/// A folder with the files that `text` names: on each line a path, a space, and what the file contains. `#` begins a remark.
pub(crate) fn unpack(text: &str) -> TempDir {
    let root = tempfile::tempdir().expect("a folder");
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let (path, content) = line.split_once(' ').expect("a path and a content");
        let path = root.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, format!("{content}\n")).expect("a file");
    }
    root
}
