//! The licences of everything of others that is part of the packages, in one text.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::workspace::Metadata;

/// Beginnings of the names of files that hold terms, in small letters.
const TERMS: &[&str] = &["license", "licence", "copying", "notice", "unlicense", "copyright"];

/// The programs in the packages.
const PROGRAMS: &[&str] = &["aula-desktop", "cli"];

/// A library: its name with its version, its licence by its SPDX expression, and the terms that came with it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Library {
    name: String,
    licence: String,
    terms: Vec<String>,
}

/// The list of all libraries, and then each text once with the libraries that it belongs to.
pub fn collect(root: &Path, metadata: &Metadata) -> Result<String> {
    let mut libraries = of_programs(metadata)?;
    libraries.extend(of_page(root)?);
    libraries.sort();
    Ok(write(&libraries))
}

/// Rust packages that are linked into the programs.
fn of_programs(metadata: &Metadata) -> Result<Vec<Library>> {
    let used = reachable(metadata)?;
    let outside = metadata
        .packages
        .iter()
        .filter(|package| used.contains(package.id.as_str()) && !metadata.workspace_members.contains(&package.id));
    outside
        .map(|package| {
            let folder = package.manifest_path.parent().context("a manifest without a folder")?;
            Ok(Library {
                name: format!("{} {}", package.name, package.version),
                licence: package.license.clone().unwrap_or_else(|| "see below".to_owned()),
                terms: terms_in(folder)?,
            })
        })
        .collect()
}

/// Ids of all packages that the programs use at run time.
fn reachable(metadata: &Metadata) -> Result<BTreeSet<&str>> {
    let resolve = metadata.resolve.as_ref().context("cargo gave no dependency graph")?;
    let nodes: HashMap<_, _> = resolve.nodes.iter().map(|node| (node.id.as_str(), node)).collect();
    let programs = metadata.members().filter(|package| PROGRAMS.contains(&package.name.as_str()));
    let mut waiting: Vec<_> = programs.map(|package| package.id.as_str()).collect();
    let mut seen: BTreeSet<&str> = waiting.iter().copied().collect();
    while let Some(id) = waiting.pop() {
        for dep in nodes.get(id).into_iter().flat_map(|node| &node.deps) {
            if dep.dep_kinds.iter().any(|kind| kind.kind.is_none()) && seen.insert(&dep.pkg) {
                waiting.push(&dep.pkg);
            }
        }
    }
    Ok(seen)
}

/// npm packages that become part of the page. Svelte is a build tool whose run-time part becomes one too.
fn of_page(root: &Path) -> Result<Vec<Library>> {
    let ui = root.join("ui");
    let text = std::fs::read_to_string(ui.join("package-lock.json")).context("could not read ui/package-lock.json")?;
    let lock: Value = serde_json::from_str(&text).context("ui/package-lock.json is not JSON")?;
    let Some(packages) = lock["packages"].as_object() else { bail!("ui/package-lock.json names no packages") };
    let shipped = packages.iter().filter(|(path, data)| {
        let builds_only = data["dev"] == true || data["devOptional"] == true;
        path.as_str() == "node_modules/svelte" || !(path.is_empty() || builds_only)
    });
    shipped
        .map(|(path, data)| {
            let name = path.rsplit("node_modules/").next().unwrap_or(path);
            Ok(Library {
                name: format!("{name} {}", data["version"].as_str().unwrap_or("")),
                licence: data["license"].as_str().unwrap_or("see below").to_owned(),
                terms: terms_in(&ui.join(path))?,
            })
        })
        .collect()
}

/// The files with terms in a package's folder.
fn terms_in(folder: &Path) -> Result<Vec<String>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("could not read `{}`", folder.display()))?;
    let mut files: Vec<_> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
            path.is_file() && TERMS.iter().any(|beginning| name.starts_with(beginning))
        })
        .collect();
    files.sort();
    let read = |path: &std::path::PathBuf| {
        let bytes = std::fs::read(path).with_context(|| format!("could not read `{}`", path.display()))?;
        Ok(String::from_utf8_lossy(&bytes).replace("\r\n", "\n").trim().to_owned())
    };
    files.iter().map(read).filter(|text| !text.as_ref().is_ok_and(|text: &String| text.is_empty())).collect()
}

fn write(libraries: &[Library]) -> String {
    let rule = "-".repeat(78);
    let mut text = String::from("Aula contains these libraries of others, under these licences.\n\n");
    let mut texts: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for library in libraries {
        let _ = writeln!(text, "{}: {}", library.name, library.licence);
        for terms in &library.terms {
            texts.entry(terms).or_default().push(&library.name);
        }
    }
    for (terms, names) in texts {
        let _ = write!(text, "\n{rule}\n{}\n{rule}\n\n{terms}\n", names.join(", "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_stands_once_with_all_its_libraries() {
        let library = |name: &str, terms: &[&str]| Library {
            name: name.to_owned(),
            licence: "MIT".to_owned(),
            terms: terms.iter().map(|text| (*text).to_owned()).collect(),
        };
        let text = write(&[library("a 1.0.0", &["shared terms"]), library("b 2.0.0", &["shared terms", "own terms"])]);
        assert!(text.contains("a 1.0.0: MIT\nb 2.0.0: MIT\n"), "{text}");
        assert_eq!(text.matches("shared terms").count(), 1);
        assert!(text.contains("a 1.0.0, b 2.0.0\n"), "{text}");
        assert!(text.contains("own terms"));
    }

    #[test]
    fn the_licences_of_this_project_are_found_as_terms() {
        let found = terms_in(&crate::workspace::root()).expect("readable");
        assert_eq!(found.len(), 2);
        assert!(found.iter().any(|text| text.starts_with("MIT License")));
    }
}
