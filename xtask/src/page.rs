//! The page: its npm packages and its build.

use std::path::Path;
use std::time::SystemTime;

use anyhow::Result;

use crate::process::Program;

/// `npm ci` in `folder`, unless what is installed is newer than the lock file.
pub fn install(folder: &Path) -> Result<()> {
    let installed = modified(&folder.join("node_modules/.package-lock.json"));
    let locked = modified(&folder.join("package-lock.json"));
    if installed.is_some() && installed >= locked {
        return Ok(());
    }
    npm(folder).args(["ci", "--no-audit", "--no-fund"]).run()
}

/// Builds the page into `ui/dist`.
pub fn build(root: &Path) -> Result<()> {
    npm(&root.join("ui")).args(["run", "build"]).run()
}

/// npm, working on `folder`.
pub fn npm(folder: &Path) -> Program {
    Program::new("npm").dir(folder)
}

fn modified(file: &Path) -> Option<SystemTime> {
    file.metadata().and_then(|data| data.modified()).ok()
}
