//! `cargo xtask dist`: the packages that people install.

mod notices;
mod programs;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::process::Program;
use crate::workspace::{self, Metadata};
use crate::{page, system, tools};

/// What is made, and whether it is tried.
#[derive(Debug, Args)]
pub struct Options {
    /// Also install the .deb in a clean Debian root and try it there (needs root and the network).
    #[arg(long)]
    check: bool,
    /// Build nothing: check the packages that were made before.
    #[arg(long, requires = "check")]
    no_build: bool,
}

/// Builds the page, the programs and this system's packages into `dist` inside the target folder.
pub fn run(options: &Options) -> Result<()> {
    let root = workspace::root();
    let purpose = if options.check { system::Purpose::CheckPackage } else { system::Purpose::Pack };
    tools::check(env!("CARGO_PKG_RUST_VERSION"), true)?;
    system::ensure(purpose)?;
    let dist = Metadata::load(&root, None)?.target_directory.join("dist");
    if !options.no_build {
        build(&root, &dist)?;
    }
    if options.check { check(&root, &dist) } else { Ok(()) }
}

fn build(root: &Path, dist: &Path) -> Result<()> {
    page::install(&root.join("ui"))?;
    page::build(root)?;
    // Both programs in one call: their common libraries are compiled once, with the same features.
    Program::cargo()
        .args(["build", "--locked", "--release", "--package", "aula-desktop", "--bin", "aula-desktop"])
        .args(["--package", "cli", "--bin", "aula", "--features", "aula-desktop/custom-protocol"])
        .dir(root)
        .run()?;
    let host = programs::host()?;
    let metadata = Metadata::load(root, Some(&host))?;
    let staged = dist.join("staged");
    std::fs::create_dir_all(&staged).with_context(|| format!("could not create `{}`", staged.display()))?;
    let config = stage(root, &staged, &metadata, &host)?;

    let kinds = bundles(std::env::consts::OS)?;
    let bundled = metadata.target_directory.join("release/bundle");
    for (folder, _) in kinds {
        remove(&bundled.join(folder))?;
    }
    let names: Vec<_> = kinds.iter().map(|(kind, _)| *kind).collect();
    // `tauri bundle` packs what was built: the same programs in every package.
    page::npm(&root.join("ui"))
        .args(["run", "tauri", "--", "bundle", "--ci", "--no-sign", "--no-binary-patching", "--bundles"])
        .arg(names.join(","))
        .arg("--config")
        .arg(&config)
        .run()?;
    collect(&bundled, kinds, dist)
}

/// Puts beside each other what the packages hold besides the window, and writes the configuration that names it.
fn stage(root: &Path, staged: &Path, metadata: &Metadata, host: &str) -> Result<PathBuf> {
    // Tauri looks for a further program under its name with the target behind, and installs it without.
    let program = metadata.binary("aula", true);
    let external = staged.join("aula");
    let named = staged.join(format!("aula-{host}{}", std::env::consts::EXE_SUFFIX));
    std::fs::copy(&program, &named).with_context(|| format!("could not copy `{}`", program.display()))?;

    let third_party = staged.join("THIRD-PARTY.txt");
    let text = notices::collect(root, metadata)?;
    std::fs::write(&third_party, text).with_context(|| format!("could not write `{}`", third_party.display()))?;

    let mut bundle = json!({
        "externalBin": [external],
        "resources": { third_party.to_string_lossy(): "THIRD-PARTY.txt" },
    });
    if cfg!(target_os = "linux") {
        let glibc = programs::needed_glibc(&[&program, &metadata.binary("aula-desktop", true)])?;
        bundle["linux"] = linux(&glibc);
    }
    let config = staged.join("tauri.dist.json");
    std::fs::write(&config, serde_json::to_vec_pretty(&json!({ "bundle": bundle }))?)
        .with_context(|| format!("could not write `{}`", config.display()))?;
    Ok(config)
}

/// What the two Linux packages need beyond `tauri.conf.json`; Tauri itself adds WebKitGTK and GTK.
fn linux(glibc: &str) -> Value {
    json!({
        "deb": { "depends": [format!("libc6 (>= {glibc})")] },
        "rpm": { "depends": [format!("libc.so.6(GLIBC_{glibc})(64bit)")] },
    })
}

/// A kind of package by Tauri's name, which is also its folder's, and the ending of its file.
type Kind = (&'static str, &'static str);

/// The packages of a system.
fn bundles(system: &str) -> Result<&'static [Kind]> {
    match system {
        "linux" => Ok(&[("deb", ".deb"), ("rpm", ".rpm")]),
        "windows" => Ok(&[("nsis", ".exe"), ("msi", ".msi")]),
        "macos" => Ok(&[("dmg", ".dmg")]),
        other => bail!("there are no packages for {other}"),
    }
}

/// Moves the packages into `dist` and prints and keeps the size and SHA-256 of each.
fn collect(bundled: &Path, kinds: &[Kind], dist: &Path) -> Result<()> {
    let mut sums = String::new();
    println!();
    for (folder, ending) in kinds {
        let made = files_with(&bundled.join(folder), ending)?;
        ensure!(!made.is_empty(), "no {ending} was made");
        for old in files_with(dist, ending)? {
            std::fs::remove_file(&old).with_context(|| format!("could not remove `{}`", old.display()))?;
        }
        for file in made {
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let bytes = std::fs::read(&file).with_context(|| format!("could not read `{}`", file.display()))?;
            let sum: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
            let to = dist.join(&name);
            std::fs::write(&to, &bytes).with_context(|| format!("could not write `{}`", to.display()))?;
            println!("{}\n  {} bytes, SHA-256 {sum}", to.display(), bytes.len());
            sums.push_str(&format!("{sum}  {name}\n"));
        }
    }
    let list = dist.join("SHA256SUMS");
    std::fs::write(&list, sums).with_context(|| format!("could not write `{}`", list.display()))
}

/// Files in `folder` whose names end with `ending`, sorted; none where there is no such folder.
fn files_with(folder: &Path, ending: &str) -> Result<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let entries = std::fs::read_dir(folder).with_context(|| format!("could not read `{}`", folder.display()))?;
    let mut files: Vec<_> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_file() && path.to_string_lossy().ends_with(ending))
        .collect();
    files.sort();
    Ok(files)
}

fn remove(folder: &Path) -> Result<()> {
    if folder.exists() {
        std::fs::remove_dir_all(folder).with_context(|| format!("could not remove `{}`", folder.display()))?;
    }
    Ok(())
}

/// Installs the .deb in a Debian root that holds nothing else, without and with the network where each belongs.
fn check(root: &Path, dist: &Path) -> Result<()> {
    ensure!(cfg!(target_os = "linux"), "only the .deb has a check so far, and it runs on Debian");
    let packages = files_with(dist, ".deb")?;
    let [package] = packages.as_slice() else { bail!("`{}` does not hold one .deb", dist.display()) };
    Program::new("bash").arg(root.join("packaging/check-deb.sh")).arg(package).arg(dist.join("clean")).run()?;
    for package in files_with(dist, ".rpm")? {
        Program::new("bash").arg(root.join("packaging/check-rpm.sh")).arg(package).run()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_package_asks_for_the_c_library_in_its_own_words() {
        let config = linux("2.34");
        assert_eq!(config["deb"]["depends"][0], "libc6 (>= 2.34)");
        assert_eq!(config["rpm"]["depends"][0], "libc.so.6(GLIBC_2.34)(64bit)");
    }

    #[test]
    fn every_system_of_the_configuration_has_its_packages() {
        let text = std::fs::read_to_string(workspace::root().join("tauri.conf.json")).expect("readable");
        let config: Value = serde_json::from_str(&text).expect("JSON");
        let configured: Vec<_> = config["bundle"]["targets"].as_array().expect("a list").clone();
        for system in ["linux", "windows", "macos"] {
            for (kind, _) in bundles(system).expect("known") {
                assert!(configured.iter().any(|target| target == kind), "{kind} is not configured");
            }
        }
        assert!(bundles("plan9").is_err());
    }
}
