//! `cargo xtask synth-model`: a model file with random weights, for tests and measurements without a download.
//!
//! The writing itself is `test-support`'s; it is a program of its own so that this one stays quick to build.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;

use crate::{process::Program, workspace};

/// What to write.
#[derive(Debug, Args)]
pub struct Options {
    /// Which shape: `e2b` and `e4b` are full-size, 3 to 15 GB.
    #[arg(value_parser = ["tiny", "e2b", "e4b"])]
    size: String,
    /// Which published mix of quantizations, e.g. `google-qat-q4_0`, `unsloth-q4_k_m`, `q8_0`, `f32`; a wrong name lists them all.
    mix: String,
    /// The file to write.
    out: PathBuf,
    /// The same seed gives the same bytes.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Builds and runs the writer.
pub fn run(options: &Options) -> Result<()> {
    let out = std::path::absolute(&options.out)
        .with_context(|| format!("cannot tell where `{}` is", options.out.display()))?;
    Program::cargo()
        .args(["run", "--quiet", "--package", "test-support", "--bin", "synth-model", "--manifest-path"])
        .arg(workspace::root().join("Cargo.toml"))
        .arg("--")
        .args([&options.size, &options.mix])
        .arg(out)
        .arg(options.seed.to_string())
        .run()
}
