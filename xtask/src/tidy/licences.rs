//! Under which licences third-party packages may come.

use serde_json::Value;

use super::{Faults, Sources, spdx};
use crate::workspace::Metadata;

/// Licences that may be part of the program.
const ALLOWED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "OFL-1.1",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Rust packages without an allowed licence in their manifest, each with the reason why it may come all the same.
const RUST_EXCEPTIONS: &[(&str, &str)] = &[(
    "webpki-root-certs",
    "rustls-platform-verifier uses it on WebAssembly alone; no system that Aula runs on has it",
)];

/// Every package that cargo knows of, on whatever system it is used.
pub fn rust(metadata: &Metadata) -> Faults {
    let mut faults = Faults::new();
    for package in &metadata.packages {
        if RUST_EXCEPTIONS.iter().any(|(name, _)| *name == package.name) {
            continue;
        }
        match package.license.as_deref() {
            Some(licence) if is_allowed(licence) => {}
            Some(licence) => faults.push(format!("{} {}: `{licence}`", package.name, package.version)),
            None => faults.push(format!("{} {}: no licence", package.name, package.version)),
        }
    }
    faults
}

/// Every npm package that becomes part of the page.
pub fn npm(sources: &Sources) -> Faults {
    let Some(text) = sources.text("ui/package-lock.json") else {
        return vec!["ui/package-lock.json is missing".to_owned()];
    };
    let Ok(lock) = serde_json::from_str::<Value>(text) else {
        return vec!["ui/package-lock.json is not JSON".to_owned()];
    };
    let packages = lock["packages"].as_object().into_iter().flatten();
    packages
        .filter(|(path, data)| !path.is_empty() && data["dev"] != true && data["devOptional"] != true)
        .filter_map(|(path, data)| match data["license"].as_str() {
            Some(licence) if is_allowed(licence) => None,
            Some(licence) => Some(format!("{path}: `{licence}`")),
            None => Some(format!("{path}: no licence")),
        })
        .collect()
}

fn is_allowed(licence: &str) -> bool {
    spdx::fulfilled(licence, &|name| ALLOWED.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn npm_packages_of_the_page_count_and_build_tools_do_not() {
        let lock = r#"{"packages": {"": {}, "node_modules/a": {"license": "MIT"}, "node_modules/b": {"license": "GPL-3.0"},
            "node_modules/c": {"license": "GPL-3.0", "dev": true}, "node_modules/d": {}}}"#;
        let faults = npm(&Sources::of(&[("ui/package-lock.json", lock)]));
        assert_eq!(faults, ["node_modules/b: `GPL-3.0`", "node_modules/d: no licence"]);
        assert_eq!(npm(&Sources::of(&[])).len(), 1);
    }

    #[test]
    fn copyleft_is_not_on_the_list() {
        for licence in ["GPL-3.0-or-later", "AGPL-3.0", "LGPL-2.1-only"] {
            assert!(!is_allowed(licence), "{licence}");
        }
        assert!(is_allowed("MIT OR Apache-2.0"));
    }
}
