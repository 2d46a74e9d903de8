//! Who may use whom, read from `cargo metadata`.

use std::collections::{BTreeSet, HashMap};

use super::Faults;
use crate::workspace::{Dependency, Metadata, Package};

/// Each crate of the workspace and the crates below it that it may use. `errors` is open to all,
/// `test-support` to all tests. An arrow more needs a reason in `ARCHITECTURE.md`.
const ARROWS: &[(&str, &[&str])] = &[
    ("aula-desktop", &["api"]),
    // `generation`: its scripted engine reads requests.
    ("web-host", &["api", "generation"]),
    ("cli", &["api"]),
    // `engine`: api injects the worker's command and offers the laboratory commands; `generation`: plain data.
    // `network`: api keeps the count of connections and opens the gate when a person asks.
    // `cloud`: api hands it keys and consents; the router decides, and knows no key.
    (
        "api",
        &[
            "tutor",
            "router",
            "catalog",
            "store",
            "hardware",
            "engine",
            "generation",
            "network",
            "cloud",
            "drawing",
            "sheets",
        ],
    ),
    ("drawing", &["tutor"]),
    ("sheets", &["tutor"]),
    // `tutor`: tests ask a real server for every tool's result.
    ("cloud", &["generation", "network", "tutor"]),
    ("tutor", &["generation"]),
    ("router", &["engine", "generation"]),
    ("engine", &["gemma4", "hardware", "generation"]),
    // `gemma4`: looking into a model file takes the one parser.
    ("catalog", &["hardware", "gemma4", "network"]),
    ("gemma4", &["kernels"]),
    ("kernels", &[]),
    ("hardware", &[]),
    ("network", &[]),
    ("store", &[]),
    ("generation", &[]),
    ("errors", &[]),
    ("test-support", &["generation"]),
    // Runs over many answers and schemas, through the real thing; no part of what people get.
    ("laboratory", &["engine", "tutor", "generation"]),
    // `engine`, `tutor`, `generation`, `cloud`: corpora and loads are run through the real thing.
    ("xtask", &["gemma4", "engine", "tutor", "generation", "cloud", "network"]),
];

/// Outside libraries that only some crates may name, tests included.
const OWNED: &[(&str, &[&str])] = &[
    ("tauri", &["aula-desktop"]),
    ("tauri-build", &["aula-desktop"]),
    ("tauri-specta", &["aula-desktop"]),
    ("specta-typescript", &["aula-desktop"]),
    // `tutor`, `drawing`: what tools make and how it is drawn crosses to the page as it is.
    ("specta", &["aula-desktop", "api", "tutor", "drawing"]),
    ("sqlx", &["store"]),
    ("axum", &["web-host"]),
    ("tower-http", &["web-host"]),
    ("candle-core", &["gemma4", "engine", "test-support"]),
    ("candle-nn", &["gemma4"]),
    ("candle-transformers", &["engine"]),
    ("tokenizers", &["gemma4"]),
    ("memmap2", &["gemma4"]),
    // `catalog`: which disks there are to copy models from.
    ("sysinfo", &["hardware", "engine", "catalog"]),
    ("clap", &["cli", "web-host", "laboratory", "xtask"]),
    ("llguidance", &["engine"]),
    ("toktrie", &["engine"]),
    ("schemars", &["tutor"]),
    ("jsonschema", &["generation"]),
    ("keyring", &["api"]),
    ("image", &["api"]),
    ("typst", &["sheets"]),
    ("typst-layout", &["sheets"]),
    ("typst-pdf", &["sheets"]),
    ("lopdf", &["sheets"]),
    ("resvg", &["drawing"]),
    ("reqwest", &["network"]),
    ("rustls", &["network"]),
    ("hyper", &["network"]),
    // Addresses and the layout of the shared cache; its own clients are features that stay off.
    ("hf-hub", &["catalog"]),
];

/// Libraries that open connections, and those that make them secure. In the programs that people get only [`GATE`] may
/// bring them along: there every connection is allowed by a person and counted.
const CONNECTING: &[&str] = &[
    "attohttpc",
    "curl",
    "h2",
    "hickory-resolver",
    "hyper",
    "hyper-util",
    "isahc",
    "native-tls",
    "openssl",
    "quinn",
    "reqwest",
    "rustls",
    "tungstenite",
    "ureq",
];

/// The one crate that opens connections.
const GATE: &str = "network";

/// The programs that people get.
const SHIPPED: &[&str] = &["aula-desktop", "cli"];

/// Every arrow between crates of the workspace is in [`ARROWS`].
pub fn between_crates(metadata: &Metadata) -> Faults {
    let members: BTreeSet<_> = metadata.members().map(|package| package.name.as_str()).collect();
    let mut faults = Faults::new();
    for package in metadata.members() {
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == package.name) else {
            faults.push(format!("`{}` is not in the table of xtask/src/tidy/arrows.rs", package.name));
            continue;
        };
        for used in package.dependencies.iter().filter(|used| members.contains(used.name.as_str())) {
            if !arrow_is_allowed(package, used, allowed) {
                faults.push(format!("`{}` may not use `{}`", package.name, used.name));
            }
        }
    }
    faults
}

fn arrow_is_allowed(package: &Package, used: &Dependency, allowed: &[&str]) -> bool {
    let for_tests = used.kind.as_deref() == Some("dev");
    match used.name.as_str() {
        "errors" => true,
        "test-support" => for_tests,
        // A crate may name itself for its tests, to switch on one of its own features.
        name => allowed.contains(&name) || (for_tests && name == package.name),
    }
}

/// Every outside library in [`OWNED`] is named by its owners only.
pub fn to_the_outside(metadata: &Metadata) -> Faults {
    let mut faults = Faults::new();
    for package in metadata.members() {
        for used in &package.dependencies {
            if let Some((_, owners)) = OWNED.iter().find(|(name, _)| *name == used.name)
                && !owners.contains(&package.name.as_str())
            {
                faults.push(format!("`{}` uses `{}`, which belongs to {}", package.name, used.name, owners.join(", ")));
            }
        }
    }
    faults
}

/// No library of [`CONNECTING`] is reachable from a program that people get but through [`GATE`].
pub fn without_network(metadata: &Metadata) -> Faults {
    let Some(resolve) = &metadata.resolve else { return vec!["cargo gave no dependency graph".to_owned()] };
    let names: HashMap<_, _> = metadata.packages.iter().map(|package| (package.id.as_str(), package)).collect();
    let nodes: HashMap<_, _> = resolve.nodes.iter().map(|node| (node.id.as_str(), node)).collect();
    let mut waiting: Vec<_> =
        metadata.members().filter(|package| SHIPPED.contains(&package.name.as_str())).map(|p| p.id.as_str()).collect();
    let mut seen: BTreeSet<&str> = waiting.iter().copied().collect();
    let mut faults = Faults::new();
    while let Some(id) = waiting.pop() {
        if let Some(package) = names.get(id)
            && CONNECTING.contains(&package.name.as_str())
        {
            faults.push(format!("`{}` {} is part of the program past `{GATE}`", package.name, package.version));
        }
        if names.get(id).is_some_and(|package| package.name == GATE) {
            continue;
        }
        for dep in nodes.get(id).into_iter().flat_map(|node| &node.deps) {
            // What only builds or tests use does not get into the program.
            if dep.dep_kinds.iter().any(|kind| kind.kind.is_none()) && seen.insert(&dep.pkg) {
                waiting.push(&dep.pkg);
            }
        }
    }
    faults
}

/// Every manifest takes the workspace's lints.
pub fn lints(metadata: &Metadata) -> Faults {
    let takes_lints = |package: &&Package| {
        let text = std::fs::read_to_string(&package.manifest_path).unwrap_or_default();
        !manifest_takes_lints(&text)
    };
    metadata.members().filter(takes_lints).map(|p| format!("`{}` lacks `[lints] workspace = true`", p.name)).collect()
}

fn manifest_takes_lints(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).skip_while(|line| *line != "[lints]").skip(1);
    lines.by_ref().take_while(|line| !line.starts_with('[')).any(|line| line == "workspace = true")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A crate with its dependencies as `(name, kind)`.
    type Crate<'a> = (&'a str, &'a [(&'a str, Option<&'a str>)]);

    fn workspace(crates: &[Crate<'_>]) -> Metadata {
        let packages: Vec<_> = crates
            .iter()
            .map(|(name, deps)| {
                let deps: Vec<_> = deps.iter().map(|(name, kind)| json!({"name": name, "kind": kind})).collect();
                json!({"id": name, "name": name, "version": "1.0.0", "license": "MIT",
                       "manifest_path": "none", "dependencies": deps})
            })
            .collect();
        let nodes: Vec<_> = crates
            .iter()
            .map(|(name, deps)| {
                let deps: Vec<_> =
                    deps.iter().map(|(name, kind)| json!({"pkg": name, "dep_kinds": [{"kind": kind}]})).collect();
                json!({"id": name, "deps": deps})
            })
            .collect();
        let names: Vec<_> = crates.iter().map(|(name, _)| name).collect();
        serde_json::from_value(json!({"packages": packages, "workspace_members": names, "target_directory": "target",
                                      "resolve": {"nodes": nodes}}))
        .expect("well-formed")
    }

    #[test]
    fn an_arrow_upwards_or_across_is_a_fault() {
        let good = workspace(&[
            ("engine", &[("gemma4", None), ("errors", None)]),
            ("gemma4", &[("errors", None)]),
            ("errors", &[]),
        ]);
        assert_eq!(between_crates(&good), Faults::new());
        let bad = workspace(&[
            ("gemma4", &[("engine", None)]),
            ("engine", &[]),
            ("store", &[("tutor", None)]),
            ("tutor", &[]),
        ]);
        assert_eq!(between_crates(&bad), ["`gemma4` may not use `engine`", "`store` may not use `tutor`"]);
        assert_eq!(between_crates(&workspace(&[("newcomer", &[])])).len(), 1);
    }

    #[test]
    fn test_support_is_for_tests() {
        let crates = |kind| workspace(&[("store", &[("test-support", kind)]), ("test-support", &[])]);
        assert_eq!(between_crates(&crates(Some("dev"))), Faults::new());
        assert_eq!(between_crates(&crates(None)), ["`store` may not use `test-support`"]);
    }

    #[test]
    fn an_outside_library_has_its_owners() {
        let fault = to_the_outside(&workspace(&[("api", &[("sqlx", None)]), ("store", &[("sqlx", None)])]));
        assert_eq!(fault, ["`api` uses `sqlx`, which belongs to store"]);
    }

    #[test]
    fn a_connecting_library_is_found_at_any_depth_but_not_in_build_tools() {
        let deep = workspace(&[("cli", &[("api", None)]), ("api", &[("reqwest", None)]), ("reqwest", &[])]);
        assert_eq!(without_network(&deep), ["`reqwest` 1.0.0 is part of the program past `network`"]);
        let build = workspace(&[("cli", &[("reqwest", Some("build"))]), ("reqwest", &[])]);
        assert_eq!(without_network(&build), Faults::new());
        let tool = workspace(&[("web-host", &[("reqwest", None)]), ("reqwest", &[])]);
        assert_eq!(without_network(&tool), Faults::new());
    }

    #[test]
    fn connections_are_opened_behind_the_gate_and_nowhere_else() {
        let through: &[Crate<'_>] = &[
            ("cli", &[("catalog", None)]),
            ("catalog", &[("network", None), ("hf-hub", None)]),
            ("network", &[("reqwest", None), ("rustls", None)]),
            ("reqwest", &[("hyper-util", None)]),
            ("rustls", &[]),
            ("hyper-util", &[]),
        ];
        let with = |more: &[Crate<'_>]| workspace(&[through, more].concat());
        let quiet = with(&[("hf-hub", &[])]);
        assert_eq!((without_network(&quiet), to_the_outside(&quiet)), (Faults::new(), Faults::new()));
        // The hub's own clients are a feature of its library: whoever switches it on is found.
        let loud = with(&[("hf-hub", &[("ureq", None)]), ("ureq", &[])]);
        assert_eq!(without_network(&loud), ["`ureq` 1.0.0 is part of the program past `network`"]);
        let again = with(&[("hf-hub", &[("reqwest", None)])]);
        assert_eq!(without_network(&again).len(), 2, "`reqwest` and what it brings");
        let named = workspace(&[("api", &[("reqwest", None)]), ("engine", &[("hf-hub", None)])]);
        let expected =
            ["`api` uses `reqwest`, which belongs to network", "`engine` uses `hf-hub`, which belongs to catalog"];
        assert_eq!(to_the_outside(&named), expected);
    }

    #[test]
    fn lints_have_to_be_taken_over() {
        assert!(manifest_takes_lints("[package]\n\n[lints]\nworkspace = true\n"));
        assert!(!manifest_takes_lints("[package]\n[lints]\n[dependencies]\nworkspace = true\n"));
        assert!(!manifest_takes_lints("[package]\n"));
    }
}
