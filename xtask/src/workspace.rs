//! Where things lie, and what cargo knows about the workspace.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::process::Program;

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

/// What `cargo metadata` says, as far as it is used here.
#[derive(Debug, Deserialize)]
pub struct Metadata {
    /// Workspace members and everything they depend on.
    pub packages: Vec<Package>,
    /// Ids of the members.
    pub workspace_members: Vec<String>,
    /// The folder that cargo builds into.
    pub target_directory: PathBuf,
    /// Who depends on whom once features are chosen.
    pub resolve: Option<Resolve>,
}

/// A package.
#[derive(Debug, Deserialize)]
pub struct Package {
    /// Cargo's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// SPDX expression.
    pub license: Option<String>,
    /// Where its manifest lies.
    pub manifest_path: PathBuf,
    /// The dependencies that its manifest names.
    pub dependencies: Vec<Dependency>,
}

/// A line in a manifest.
#[derive(Debug, Deserialize)]
pub struct Dependency {
    /// Name of the package.
    pub name: String,
    /// None for a normal one, else `dev` or `build`.
    pub kind: Option<String>,
}

/// The graph after resolution.
#[derive(Debug, Deserialize)]
pub struct Resolve {
    /// One entry for each package.
    pub nodes: Vec<Node>,
}

/// A package in the graph.
#[derive(Debug, Deserialize)]
pub struct Node {
    /// Cargo's id.
    pub id: String,
    /// What it uses.
    pub deps: Vec<NodeDep>,
}

/// An edge of the graph.
#[derive(Debug, Deserialize)]
pub struct NodeDep {
    /// Cargo's id of the package used.
    pub pkg: String,
    /// In which ways it is used.
    pub dep_kinds: Vec<DepKind>,
}

/// One way of being used.
#[derive(Debug, Deserialize)]
pub struct DepKind {
    /// None for a normal dependency, else `dev` or `build`.
    pub kind: Option<String>,
}

impl Metadata {
    /// Asks cargo. With `platform` the graph is that of one target, otherwise of all targets together.
    pub fn load(root: &Path, platform: Option<&str>) -> Result<Self> {
        let mut program = Program::cargo().args(["metadata", "--format-version", "1", "--locked"]).dir(root);
        if let Some(platform) = platform {
            program = program.args(["--filter-platform", platform]);
        }
        serde_json::from_str(&program.output()?).context("could not read what `cargo metadata` printed")
    }

    /// The workspace's own packages.
    pub fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| self.workspace_members.contains(&package.id))
    }

    /// An executable that `cargo build` makes.
    pub fn binary(&self, name: &str, release: bool) -> PathBuf {
        let profile = if release { "release" } else { "debug" };
        self.target_directory.join(profile).join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
    }
}
