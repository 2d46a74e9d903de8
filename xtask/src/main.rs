//! The project's commands, `cargo xtask run`, `cargo xtask test` and `cargo xtask dist`, and the tasks behind them.

mod bench;
mod display;
mod dist;
mod emulate;
mod laboratory;
mod live;
mod page;
mod process;
mod start;
mod synth_model;
mod system;
mod testing;
mod tidy;
mod tools;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "Builds, starts, tests and packs Aula")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Install what is missing, build Aula and start it.
    Run(start::Options),
    /// Install what is missing and run every test.
    Test(testing::Options),
    /// Build the packages that people install.
    Dist(dist::Options),
    /// Measure Aula and llama.cpp in turn on the same model file.
    Bench(Box<bench::Options>),
    /// Compile the kernels' tests for 64-bit ARM and run them in QEMU.
    Emulate,
    /// Check the rules of the code base: who uses whom, licences, bindings, permissions, documents.
    Tidy,
    /// Have the demo model make every tool's results many times, and check them all.
    Tools(laboratory::Options),
    /// Hold a public corpus of JSON Schemas against the grammars that answers are held to.
    Corpus(laboratory::Options),
    /// Measure what holding an answer to a form costs beside a step of the model.
    GuidedCost(laboratory::Options),
    /// Ask a real llama-server with the demo model everything that Aula asks a school's server.
    Live(live::Options),
    /// Have many simulated laptops ask one school server, and tell how each fared.
    Load(live::Load),
    /// Write a model file with random weights in a published mix of quantizations.
    SynthModel(synth_model::Options),
}

fn main() -> ExitCode {
    let result = match Cli::parse().task {
        Task::Run(options) => start::run(options),
        Task::Test(options) => testing::run(&options),
        Task::Dist(options) => dist::run(&options),
        Task::Bench(options) => bench::run(&options),
        Task::Emulate => emulate::run(),
        Task::Tidy => tidy::run(&workspace::root()),
        Task::Tools(options) => laboratory::run("tools", &options),
        Task::Corpus(options) => laboratory::run("corpus", &options),
        Task::GuidedCost(options) => laboratory::run("guided-cost", &options),
        Task::Live(options) => live::run(&options),
        Task::Load(options) => live::load(&options),
        Task::SynthModel(options) => synth_model::run(&options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
