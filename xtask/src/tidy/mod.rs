//! Rules of the code base that no compiler checks. Each returns the sentences of what it found wrong.

mod arrows;
mod commands;
mod documents;
mod files;
mod licences;
mod page;
mod sources;
mod spdx;

use std::path::Path;

use anyhow::{Result, bail};

use crate::workspace::Metadata;
use sources::Sources;

/// What is wrong, one sentence each.
type Faults = Vec<String>;

/// Checks every rule, prints the result of each, and fails when one is broken.
pub fn run(root: &Path) -> Result<()> {
    let faults = check(root)?;
    let mut broken = 0;
    for (rule, faults) in faults {
        println!("{} {rule}", if faults.is_empty() { "ok  " } else { "FAIL" });
        for fault in &faults {
            println!("     {fault}");
        }
        broken += faults.len();
    }
    if broken == 0 { Ok(()) } else { bail!("tidy found {broken} fault(s)") }
}

/// Every rule by name with its faults.
fn check(root: &Path) -> Result<Vec<(&'static str, Faults)>> {
    let metadata = Metadata::load(root, None)?;
    let linux = Metadata::load(root, Some("x86_64-unknown-linux-gnu"))?;
    let sources = Sources::read(root)?;
    Ok(vec![
        ("each crate uses only those below it", arrows::between_crates(&metadata)),
        ("each outside library stays in its crate", arrows::to_the_outside(&metadata)),
        ("nothing in the program opens connections by itself", arrows::without_network(&linux)),
        ("each crate follows the workspace's lints", arrows::lints(&metadata)),
        ("licences of Rust packages", licences::rust(&metadata)),
        ("licences of npm packages", licences::npm(&sources)),
        ("only ui/src/lib/backend speaks to Tauri", page::tauri_imports(&sources)),
        ("the page brings nothing from outside", page::remote_content(&sources)),
        ("commands, permissions, bindings and web-host agree", commands::agree(&sources)),
        ("files fit in the head", files::length(&sources)),
        ("nothing is left unfinished", files::words(&sources)),
        ("what is committed stays small", files::bytes(&sources)),
        ("documents name paths that exist", documents::paths(root, &sources)),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rules hold for this very tree, so that `cargo test` alone finds a broken one.
    #[test]
    fn this_tree_is_tidy() {
        let faults = check(&crate::workspace::root()).expect("the tree can be read");
        let broken: Vec<_> = faults.into_iter().filter(|(_, faults)| !faults.is_empty()).collect();
        assert!(broken.is_empty(), "{broken:#?}");
    }
}
