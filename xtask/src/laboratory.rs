//! `cargo xtask tools`, `corpus` and `guided-cost`: runs over many answers and many schemas.
//!
//! The runs are those of `crates/laboratory`, a program of its own, so that this one stays quick to build. It is built as
//! people get it, because some of them take minutes and one measures.

use anyhow::Result;
use clap::Args;

use crate::{process::Program, workspace};

/// Passed on as they are; `--help` shows them.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub struct Options {
    /// Options of the run.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

/// Builds the laboratory and runs the one called `name`.
pub fn run(name: &str, options: &Options) -> Result<()> {
    Program::cargo()
        .args(["run", "--quiet", "--release", "--package", "laboratory", "--manifest-path"])
        .arg(workspace::root().join("Cargo.toml"))
        .args(["--", name])
        .args(&options.rest)
        .run()
}
