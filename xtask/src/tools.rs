//! The tools that have to be there already: Rust, Node.js and npm, each new enough.

use std::fmt;

use anyhow::{Result, bail};

use crate::process::Program;

/// Major, minor, patch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32, pub u32);

impl Version {
    /// The first `a.b` or `a.b.c` in what a program prints about itself.
    pub fn find(text: &str) -> Option<Self> {
        text.split(|c: char| !(c.is_ascii_digit() || c == '.')).find_map(|word| {
            let mut parts = word.split('.').map(str::parse::<u32>);
            match (parts.next(), parts.next(), parts.next()) {
                (Some(Ok(major)), Some(Ok(minor)), patch) => {
                    Some(Self(major, minor, patch.and_then(std::result::Result::ok).unwrap_or(0)))
                }
                _ => None,
            }
        })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// A tool, which versions do, and where it comes from.
struct Tool {
    name: &'static str,
    program: &'static str,
    /// Whether this version does.
    accepts: fn(Version) -> bool,
    needed: &'static str,
    remedy: &'static str,
}

const NODE: Tool = Tool {
    name: "Node.js",
    program: "node",
    // What the page's build tool (Vite 8) accepts.
    accepts: |v| (v.0 == 20 && v >= Version(20, 19, 0)) || (v.0 == 22 && v >= Version(22, 12, 0)) || v.0 >= 23,
    needed: "20.19 or a newer 20, 22.12 or newer",
    remedy: "install it from https://nodejs.org/ (or `nvm install 22`)",
};

const NPM: Tool = Tool {
    name: "npm",
    program: "npm",
    accepts: |v| v >= Version(9, 0, 0),
    needed: "9 or newer",
    remedy: "it comes with Node.js from https://nodejs.org/ (or `npm install --global npm@11`)",
};

/// Checks Rust against the workspace's `rust-version`, and Node.js and npm where a page is to be built.
/// The error names every tool that is missing or too old, what was found, what is needed and where to get it.
pub fn check(rust_needed: &str, with_node: bool) -> Result<()> {
    let mut faults = Vec::new();
    let found = Program::new("rustc").arg("--version").output().ok();
    faults.extend(rust_fault(found.as_deref(), rust_needed));
    if with_node {
        for tool in [&NODE, &NPM] {
            let found = Program::new(tool.program).arg("--version").output().ok();
            faults.extend(fault(tool, found.as_deref()));
        }
    }
    if faults.is_empty() { Ok(()) } else { bail!("{}", faults.join("\n")) }
}

fn rust_fault(found: Option<&str>, needed: &str) -> Option<String> {
    let remedy = "run `rustup update stable`, or install Rust from https://rustup.rs/";
    let least = Version::find(needed)?;
    match found.map(Version::find) {
        None => Some(format!("Rust is missing: Aula needs {needed} or newer; {remedy}")),
        Some(Some(version)) if version >= least => None,
        Some(Some(version)) => Some(format!("Rust {version} is too old: Aula needs {needed} or newer; {remedy}")),
        Some(None) => Some(format!("Rust does not tell its version: Aula needs {needed} or newer; {remedy}")),
    }
}

fn fault(tool: &Tool, found: Option<&str>) -> Option<String> {
    let Tool { name, needed, remedy, .. } = tool;
    match found.map(Version::find) {
        None => Some(format!("{name} is missing: Aula needs {needed}; {remedy}")),
        Some(Some(version)) if (tool.accepts)(version) => None,
        Some(Some(version)) => Some(format!("{name} {version} does not do: Aula needs {needed}; {remedy}")),
        Some(None) => Some(format!("{name} does not tell its version: Aula needs {needed}; {remedy}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_versions() {
        for (text, version) in [
            ("rustc 1.95.0 (59807616e 2026-04-14)", Some(Version(1, 95, 0))),
            ("v20.20.2", Some(Version(20, 20, 2))),
            ("11.19.1\n", Some(Version(11, 19, 1))),
            ("1.92", Some(Version(1, 92, 0))),
            ("rustc 1.97.0-nightly", Some(Version(1, 97, 0))),
            ("no version", None),
        ] {
            assert_eq!(Version::find(text), version, "{text}");
        }
    }

    #[test]
    fn node_versions_that_vite_accepts() {
        for (text, good) in
            [("v18.20.4", false), ("v20.18.3", false), ("v20.19.0", true), ("v21.7.0", false), ("v22.11.0", false)]
                .into_iter()
                .chain([("v22.12.0", true), ("v24.1.0", true)])
        {
            assert_eq!(fault(&NODE, Some(text)).is_none(), good, "{text}");
        }
    }

    #[test]
    fn each_sentence_says_what_was_found_what_is_needed_and_the_remedy() {
        let old = fault(&NODE, Some("v18.20.4")).expect("too old");
        assert!(old.contains("Node.js 18.20.4") && old.contains("20.19") && old.contains("https://"), "{old}");
        let absent = fault(&NPM, None).expect("missing");
        assert!(absent.starts_with("npm is missing"), "{absent}");
        let rust = rust_fault(Some("rustc 1.80.1 (x)"), "1.92").expect("too old");
        assert!(rust.contains("1.80.1") && rust.contains("1.92") && rust.contains("rustup update"), "{rust}");
        assert_eq!(rust_fault(Some("rustc 1.92.0"), "1.92"), None);
    }
}
