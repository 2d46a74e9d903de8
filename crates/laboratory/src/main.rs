//! What `cargo xtask tools`, `corpus` and `guided-cost` run: many answers of the demo model, other people's schemas, and what
//! holding an answer to a form costs. A program of its own, so that xtask stays quick to build.

mod corpus;
mod cost;
mod numbers;
mod tools;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "laboratory", about = "Runs over many answers and many schemas")]
struct Cli {
    #[command(subcommand)]
    run: Run,
}

#[derive(Debug, Subcommand)]
enum Run {
    /// Have the demo model make every tool's results, and check them all.
    Tools(tools::Options),
    /// Hold a public corpus of JSON Schemas against the grammars.
    Corpus(corpus::Options),
    /// Measure what holding an answer to a form costs beside a step of the model.
    GuidedCost(cost::Options),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().run {
        Run::Tools(options) => tools::run(&options),
        Run::Corpus(options) => corpus::run(&options),
        Run::GuidedCost(options) => cost::run(&options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
