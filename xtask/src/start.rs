//! `cargo xtask run`: from a fresh clone to the window, or to the terminal tutor where there is no display.

use anyhow::{Result, bail};
use clap::Args;

use crate::display::{self, Display};
use crate::process::Program;
use crate::workspace::{self, Metadata};
use crate::{page, system, tools};

/// What to start, and how it is built.
#[derive(Debug, Args)]
pub struct Options {
    /// Build with all optimisations: slower to build, faster to answer.
    #[arg(long)]
    release: bool,
    /// Start the terminal tutor even where there is a display.
    #[arg(long)]
    terminal: bool,
    /// Passed on to Aula.
    #[arg(last = true)]
    arguments: Vec<String>,
}

/// Installs what is missing, builds, and starts Aula.
pub fn run(options: Options) -> Result<()> {
    let display = if options.terminal { Display::Unnamed } else { display::find() };
    let window = display == Display::There;
    tools::check(env!("CARGO_PKG_RUST_VERSION"), window)?;
    let root = workspace::root();
    if !window {
        if !options.terminal {
            println!("{}, so this is the tutor in the terminal.", why_no_window(&display));
        }
        return build_and_start("aula", &["chat"], &[], &options);
    }
    system::ensure(system::Purpose::Run)?;
    page::install(&root.join("ui"))?;
    page::build(&root)?;
    build_and_start("aula-desktop", &[], &["--features", "aula-desktop/custom-protocol"], &options)
}

/// The first half of a sentence.
fn why_no_window(display: &Display) -> String {
    match display {
        Display::Silent(name) => format!("The display {name} does not answer"),
        _ => "There is no display here (DISPLAY and WAYLAND_DISPLAY are empty)".to_owned(),
    }
}

/// `first` stands before the arguments that the person gave.
fn build_and_start(binary: &str, first: &[&str], features: &[&str], options: &Options) -> Result<()> {
    let root = workspace::root();
    let profile: &[&str] = if options.release { &["--release"] } else { &[] };
    // The features of the whole workspace, as the tests use them: what both need is compiled once.
    Program::cargo()
        .args(["build", "--locked", "--workspace", "--bin", binary])
        .args(features)
        .args(profile)
        .dir(&root)
        .run()?;
    let executable = Metadata::load(&root, None)?.binary(binary, options.release);
    if !executable.is_file() {
        bail!("`{}` was built but is not there", executable.display());
    }
    Program::at(&executable).args(first).args(&options.arguments).run()
}
