//! `cargo xtask live` and `cargo xtask load`: the client of a school's server against real ones.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::bench::peer;
use crate::process::Program;
use crate::workspace::{self, Metadata};

/// Where llama-server comes from.
#[derive(Debug, Args)]
pub struct Options {
    /// A llama-server, built already.
    #[arg(long, value_name = "PATH")]
    server: Option<PathBuf>,
    /// Folder with llama.cpp's source, or with the source package of llama-cpp-python; otherwise that is downloaded.
    #[arg(long, value_name = "DIR", conflicts_with = "server")]
    source: Option<PathBuf>,
}

/// Which server is loaded, and how much.
#[derive(Debug, Args)]
pub struct Load {
    /// The server's address, e.g. `aula.school.local:8000`; its token stands in `AULA_SCHOOL_TOKEN`.
    address: String,
    /// The model as the server calls it.
    model: String,
    /// Laptops.
    #[arg(long, default_value_t = 40)]
    laptops: u16,
    /// Seconds during which new questions are asked.
    #[arg(long, default_value_t = 60)]
    seconds: u32,
}

/// Serves the demo model with a real llama-server and asks it everything that Aula asks.
pub fn run(options: &Options) -> Result<()> {
    let root = workspace::root();
    let server = match &options.server {
        Some(program) => std::path::absolute(program)?,
        None => {
            let folder = Metadata::load(&root, None)?.target_directory.join("peers");
            peer::server(options.source.as_deref(), &folder)?
        }
    };
    Program::cargo()
        .args(["test", "--package", "cloud", "--test", "live", "--", "--nocapture"])
        .dir(&root)
        .env("AULA_LLAMA_SERVER", server)
        .run()
}

/// Many laptops ask one server.
pub fn load(options: &Load) -> Result<()> {
    Program::cargo()
        .args(["run", "--quiet", "--release", "--package", "cloud", "--example", "load", "--"])
        .args([&options.address, &options.model, &options.laptops.to_string(), &options.seconds.to_string()])
        .dir(&workspace::root())
        .run()
}
