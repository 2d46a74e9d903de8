//! The stages: what each does, what it needs, and how long it may take on two cores from an empty target folder.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::Bench;
use super::count::Counter;
use crate::process::Program;
use crate::workspace::Metadata;
use crate::{emulate, page, system, tidy, tools};

/// One stage.
pub struct Stage {
    /// Its name for `--stage`.
    pub name: &'static str,
    /// Its budget in minutes. All of them together stay within 50.
    pub minutes: u64,
    /// What it does.
    pub about: &'static str,
    /// Stages whose failure makes this one pointless.
    pub needs: &'static [&'static str],
    /// Does it.
    pub action: fn(&mut Bench) -> Result<()>,
}

/// So many times its budget a stage may take before it is stopped.
pub const PATIENCE: u64 = 3;

/// The WebDriver front end of Tauri; the version that the window tests were written against.
const TAURI_DRIVER: &str = "2.1.0";

/// All stages in the order in which they run: quick ones first, then what compiles, then what starts programs.
pub const STAGES: &[Stage] = &[
    Stage {
        name: "machine",
        minutes: 2,
        about: "Rust, Node.js, npm and the system's libraries are there",
        needs: &[],
        action: machine,
    },
    Stage { name: "fmt", minutes: 1, about: "rustfmt changes nothing", needs: &[], action: fmt },
    Stage {
        name: "ui-install",
        minutes: 1,
        about: "npm packages as locked",
        needs: &["machine"],
        action: |bench| page::install(&bench.root.join("ui")),
    },
    Stage {
        name: "ui-check",
        minutes: 1,
        about: "svelte-check without warnings",
        needs: &["ui-install"],
        action: |bench| npm_run(bench, "check", Counter::None),
    },
    Stage {
        name: "ui-test",
        minutes: 1,
        about: "vitest",
        needs: &["ui-install"],
        action: |bench| npm_run(bench, "test", Counter::Vitest),
    },
    Stage {
        name: "ui-build",
        minutes: 1,
        about: "the page as it ships",
        needs: &["ui-install"],
        action: |bench| npm_run(bench, "build", Counter::None),
    },
    Stage { name: "tidy", minutes: 1, about: "the rules of the code base", needs: &["machine"], action: tidy_stage },
    Stage { name: "clippy", minutes: 7, about: "clippy, warnings denied", needs: &["machine"], action: clippy },
    Stage { name: "build", minutes: 12, about: "every program and test", needs: &["machine"], action: build },
    Stage { name: "rust-tests", minutes: 7, about: "all Rust tests", needs: &["machine"], action: rust_tests },
    Stage {
        name: "emulate",
        minutes: 2,
        about: "the kernels' tests on emulated ARM processors",
        needs: &["machine"],
        action: emulated_tests,
    },
    Stage {
        name: "page",
        minutes: 8,
        about: "the page in Chromium, with axe",
        needs: &["machine", "ui-build", "build"],
        action: page_tests,
    },
    Stage {
        name: "window",
        minutes: 4,
        about: "the real window",
        needs: &["machine", "ui-build", "build"],
        action: window_tests,
    },
    Stage {
        name: "offline",
        minutes: 1,
        about: "without a network from the first start, and no name looked up",
        needs: &["machine", "ui-build", "build"],
        action: offline_tests,
    },
];

fn machine(_: &mut Bench) -> Result<()> {
    tools::check(env!("CARGO_PKG_RUST_VERSION"), true)?;
    system::ensure(system::Purpose::Test)
}

fn fmt(bench: &mut Bench) -> Result<()> {
    let program = Program::cargo().args(["fmt", "--all", "--check"]).dir(&bench.root);
    bench.watch(program, Counter::None)
}

fn npm_run(bench: &mut Bench, script: &str, counter: Counter) -> Result<()> {
    let program = page::npm(&bench.root.join("ui")).args(["run", script]);
    bench.watch(program, counter)
}

fn tidy_stage(bench: &mut Bench) -> Result<()> {
    tidy::run(&bench.root)
}

fn clippy(bench: &mut Bench) -> Result<()> {
    let program = bench.cargo("clippy").args(["--workspace", "--all-targets"]).args(bench.features());
    bench.watch(program.args(["--", "--deny", "warnings"]), Counter::None)?;
    // What this processor does not compile would otherwise break unseen.
    for target in emulate::installed_targets() {
        let program = bench.cargo("clippy").args(["--package", "kernels", "--all-targets", "--target", target]);
        bench.watch(program.args(["--", "--deny", "warnings"]), Counter::None)?;
    }
    Ok(())
}

/// Programs and tests in one call, so that both see the same features and no crate is compiled twice.
fn build(bench: &mut Bench) -> Result<()> {
    let program = bench.cargo("build").args(["--workspace", "--bins", "--tests", "--examples"]).args(bench.features());
    bench.watch(program, Counter::None)
}

fn rust_tests(bench: &mut Bench) -> Result<()> {
    let program = bench.cargo("test").args(["--workspace", "--no-fail-fast"]).args(bench.features());
    bench.watch(program, Counter::Cargo)
}

fn emulated_tests(bench: &mut Bench) -> Result<()> {
    match emulate::Emulation::find() {
        Ok(emulation) => {
            let programs = emulation.programs(&bench.root)?;
            programs.into_iter().try_for_each(|program| bench.watch(program, Counter::Cargo))
        }
        Err(why) => {
            bench.skip(why);
            Ok(())
        }
    }
}

fn page_tests(bench: &mut Bench) -> Result<()> {
    let metadata = bench.metadata()?;
    let tests = bench.root.join("tests/e2e");
    page::install(&tests)?;
    let chromium = system::chromium().context("Chromium is missing")?;
    let program = node_tests(bench, &metadata.target_directory, &tests, "page")?
        .env("AULA_E2E_CHROMIUM", chromium)
        .env("AULA_E2E_WEB_HOST", metadata.binary("web-host", false));
    bench.watch(program, Counter::Node)
}

fn window_tests(bench: &mut Bench) -> Result<()> {
    let metadata = bench.metadata()?;
    let driver = tauri_driver(bench, &metadata.target_directory)?;
    let endless = endless_model(bench, &metadata)?;
    let tests = bench.root.join("tests/e2e");
    page::install(&tests)?;
    let program = node_tests(bench, &metadata.target_directory, &tests, "window")?
        .env("AULA_E2E_ENDLESS_MODEL", endless)
        .env("AULA_E2E_TAURI_DRIVER", driver)
        .env("AULA_E2E_APP", metadata.binary("aula-desktop", false));
    bench.watch(program, Counter::Node)
}

/// The window's tests in a network namespace of their own, which has no route. Root may make one at once, others
/// where the system lets them be root in a namespace of users.
fn offline_tests(bench: &mut Bench) -> Result<()> {
    ensure!(cfg!(target_os = "linux"), "cutting the network is known on Linux only");
    let metadata = bench.metadata()?;
    let driver = tauri_driver(bench, &metadata.target_directory)?;
    let tests = bench.root.join("tests/e2e");
    page::install(&tests)?;
    let cut: &[&str] = if system::is_root() { &["--net"] } else { &["--map-root-user", "--net"] };
    Program::new("unshare").args(cut).arg("true").output().context(
        "this system lets nobody but root cut the network for a test: allow namespaces of users, or start as root",
    )?;
    let runner = Program::new("unshare").args(cut).arg("node");
    let program = node_tests_by(runner, bench, &metadata.target_directory, &tests, "offline")?
        .env("AULA_E2E_TAURI_DRIVER", driver)
        .env("AULA_E2E_APP", metadata.binary("aula-desktop", false))
        .env("AULA_E2E_AULA", metadata.binary("aula", false));
    bench.watch(program, Counter::Node)
}

/// Node's test runner on every test file of `tests/e2e/<folder>`, one file after the other.
fn node_tests(bench: &Bench, target: &Path, tests: &Path, folder: &str) -> Result<Program> {
    node_tests_by(Program::new("node"), bench, target, tests, folder)
}

/// The same with a command line that ends with Node.
fn node_tests_by(node: Program, bench: &Bench, target: &Path, tests: &Path, folder: &str) -> Result<Program> {
    let entries =
        std::fs::read_dir(tests.join(folder)).with_context(|| format!("could not read tests/e2e/{folder}"))?;
    let mut files: Vec<_> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.ends_with(".test.mjs"))
        .map(|name| format!("{folder}/{name}"))
        .collect();
    files.sort();
    // Without a file Node would look for tests by itself.
    ensure!(!files.is_empty(), "there is no test in tests/e2e/{folder}");
    Ok(node
        .args(["--test", "--test-reporter=spec", "--test-concurrency=1"])
        .args(files)
        .dir(tests)
        .env("AULA_E2E_ROOT", &bench.root)
        .env("AULA_E2E_OUT", target.join("e2e")))
}

/// A small model with random weights that never ends by itself: it writes nonsense, and tests have the time to interfere.
fn endless_model(bench: &mut Bench, metadata: &Metadata) -> Result<PathBuf> {
    let folder = metadata.target_directory.join("e2e");
    std::fs::create_dir_all(&folder).with_context(|| format!("could not create `{}`", folder.display()))?;
    let file = folder.join("endless.gguf");
    let program = Program::at(&metadata.binary("synth-model", false))
        .args(["tiny", "ggml-q4_0"])
        .arg(&file)
        .args(["1", "endless"]);
    bench.watch(program, Counter::None)?;
    Ok(file)
}

/// tauri-driver: our own copy in the target folder, built once.
fn tauri_driver(bench: &mut Bench, target: &Path) -> Result<PathBuf> {
    let folder = target.join("tools");
    let file = folder.join(format!("bin/tauri-driver{}", std::env::consts::EXE_SUFFIX));
    if !file.is_file() {
        let program = Program::cargo()
            .args(["install", "tauri-driver", "--version", &format!("={TAURI_DRIVER}"), "--locked", "--root"])
            .arg(&folder)
            .arg("--target-dir")
            .arg(folder.join("build"))
            .dir(&bench.root);
        bench.watch(program, Counter::None)?;
    }
    Ok(file)
}
