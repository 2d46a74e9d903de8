//! The `aula` command: the whole tutor without a window, for terminals, lab administrators and tests.
//!
//! Exit codes: 0 done, 1 the operation failed (one line `error: …` and a line `hint: …` on stderr), 2 wrong usage.

mod args;
mod ask;
mod chat;
mod doctor;
mod interrupts;
mod lab;
mod make;
mod models;
mod output;
mod preferred;
mod profile;
mod session;
mod setup;
mod texts;
mod transfer;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Aula, Command};
use output::{Failure, note};

fn main() -> ExitCode {
    // Must stay the first line: the model and the look for graphics cards live in this same program, started again with a
    // hidden argument.
    api::run_hidden_task_if_asked();

    let command = Aula::parse().command;
    log();
    match run(command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            note(failure.lines().trim_end());
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<(), Failure> {
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| Failure::new(format!("could not start: {error}"), "Close other programs and repeat"))?;
    let done = runtime.block_on(async {
        match command {
            Command::Ask(args) => ask::run(args).await,
            Command::Chat(args) => chat::run(args).await,
            Command::Make(args) => make::run(args).await,
            Command::Doctor(args) => doctor::run(args).await,
            Command::Models(command) => models::run(command).await,
            Command::Profile(command) => profile::run(command).await,
            Command::Setup(args) => setup::run(args).await,
            Command::Bench(args) => lab::bench(args),
            Command::Logits(args) => lab::logits(args),
            Command::Tokenize(args) => lab::tokenize(args),
        }
    });
    // A thread that still waits for a line of stdin must not keep the program from ending.
    runtime.shutdown_background();
    done
}

/// Sends the log to stderr where the variable `AULA_LOG` asks for it, e.g. `AULA_LOG=info`; otherwise there is none.
fn log() {
    if let Ok(filter) = tracing_subscriber::EnvFilter::try_from_env("AULA_LOG") {
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    }
}
