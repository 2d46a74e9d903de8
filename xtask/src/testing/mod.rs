//! `cargo xtask test`: every check of the project, stage by stage, each against its budget of time.

mod count;
mod report;
mod stages;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::Args;

use crate::process::{Ended, Program};
use crate::workspace::{self, Metadata};
use count::{Counter, Tally};
use report::{Outcome, Row};
use stages::{STAGES, Stage};

/// Which stages to run.
#[derive(Debug, Args)]
pub struct Options {
    /// Run this stage and what it needs; may be given several times. Without it all stages run.
    #[arg(long = "stage", value_name = "NAME")]
    stages: Vec<String>,
    /// Print the stages with their budgets and stop.
    #[arg(long)]
    list: bool,
}

/// What a stage gets to work with.
struct Bench {
    root: PathBuf,
    /// When the stage is stopped.
    limit: Duration,
    tally: Tally,
    /// Why the stage cannot be done on this machine.
    skipped: Option<String>,
}

impl Bench {
    /// Runs one program of the stage; its failure is the stage's failure.
    fn watch(&mut self, program: Program, counter: Counter) -> Result<()> {
        let line = program.line().to_owned();
        let tally = &mut self.tally;
        // Colours would only get in the way of reading the results.
        let program = program.env("NO_COLOR", "1");
        match program.watch(self.limit, &mut |text| tally.read(counter, text))? {
            Ended::Well if counter != Counter::None && self.tally.total() == 0 => bail!("`{line}` ran no test"),
            Ended::Well => Ok(()),
            Ended::Badly(how) => bail!("`{line}` ended with {how}"),
            Ended::TooLate(limit) => bail!("`{line}` was stopped after {} s", limit.as_secs()),
        }
    }

    /// Says that the stage cannot be done on this machine, and why.
    fn skip(&mut self, why: String) {
        println!("skipped: {why}");
        self.skipped = Some(why);
    }

    /// The root package's feature that builds the page in, once there is a page. Every cargo stage uses the
    /// same features, so that nothing is compiled twice.
    fn features(&self) -> Vec<&'static str> {
        let page = self.root.join("ui/dist/index.html");
        if page.is_file() { vec!["--features", "aula-desktop/custom-protocol"] } else { Vec::new() }
    }

    /// cargo, reproducible: the lock file as it is, and in CI without the by-products of incremental builds.
    fn cargo(&self, task: &str) -> Program {
        let program = Program::cargo().args([task, "--locked"]).dir(&self.root);
        if in_ci() { program.env("CARGO_INCREMENTAL", "0") } else { program }
    }

    fn metadata(&self) -> Result<Metadata> {
        Metadata::load(&self.root, None)
    }
}

/// Whether this runs in continuous integration.
fn in_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| !value.is_empty())
}

/// Runs the stages asked for and prints what became of each.
pub fn run(options: &Options) -> Result<()> {
    if options.list {
        for stage in STAGES {
            println!("{:<14} {:>3} min  {}", stage.name, stage.minutes, stage.about);
        }
        return Ok(());
    }
    let chosen = choose(&options.stages)?;
    let start = Instant::now();
    let mut rows: Vec<Row> = Vec::new();
    for stage in STAGES.iter().filter(|stage| chosen.contains(stage.name)) {
        rows.push(run_stage(stage, &rows));
    }
    let (text, failed) = report::report(&rows, start.elapsed());
    println!("\n{text}");
    if failed == 0 { Ok(()) } else { bail!("the test run failed") }
}

fn run_stage(stage: &Stage, earlier: &[Row]) -> Row {
    println!("\n=== {}: {} ===", stage.name, stage.about);
    let row = |seconds, outcome| Row { name: stage.name, minutes: stage.minutes, seconds, outcome };
    if let Some(cause) = earlier.iter().find(|row| stage.needs.contains(&row.name) && !row.outcome.is_good()) {
        println!("not run, because `{}` failed", cause.name);
        return row(0, Outcome::NotRun { because: cause.name });
    }
    let limit = Duration::from_secs(60 * stage.minutes * stages::PATIENCE);
    let mut bench = Bench { root: workspace::root(), limit, tally: Tally::default(), skipped: None };
    let start = Instant::now();
    let result = (stage.action)(&mut bench);
    let outcome = match result {
        Ok(()) if bench.skipped.is_some() => Outcome::Skipped { why: bench.skipped.unwrap_or_default() },
        Ok(()) if bench.tally.failed == 0 => Outcome::Good { tally: bench.tally },
        Ok(()) => Outcome::Failed { tally: bench.tally, why: "tests failed".to_owned() },
        Err(error) => Outcome::Failed { tally: bench.tally, why: format!("{error:#}") },
    };
    row(start.elapsed().as_secs(), outcome)
}

/// The stages named together with all that they need; every stage when none is named.
fn choose(names: &[String]) -> Result<BTreeSet<&'static str>> {
    if names.is_empty() {
        return Ok(STAGES.iter().map(|stage| stage.name).collect());
    }
    let mut chosen = BTreeSet::new();
    for name in names {
        let Some(stage) = STAGES.iter().find(|stage| stage.name == name) else {
            let known: Vec<_> = STAGES.iter().map(|stage| stage.name).collect();
            bail!("there is no stage `{name}`; the stages are {}", known.join(", "));
        };
        add_with_needs(stage, &mut chosen);
    }
    Ok(chosen)
}

fn add_with_needs(stage: &Stage, chosen: &mut BTreeSet<&'static str>) {
    if chosen.insert(stage.name) {
        for needed in STAGES.iter().filter(|other| stage.needs.contains(&other.name)) {
            add_with_needs(needed, chosen);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_brings_what_it_needs() {
        let chosen = choose(&["window".to_owned()]).expect("known");
        for name in ["machine", "ui-install", "ui-build", "build", "window"] {
            assert!(chosen.contains(name), "{name} is missing in {chosen:?}");
        }
        assert!(!chosen.contains("clippy"));
        assert!(choose(&["windows".to_owned()]).is_err());
        assert_eq!(choose(&[]).expect("all").len(), STAGES.len());
    }

    #[test]
    fn what_is_needed_comes_before() {
        for (idx, stage) in STAGES.iter().enumerate() {
            for needed in stage.needs {
                let position = STAGES.iter().position(|other| other.name == *needed);
                assert!(position.is_some_and(|position| position < idx), "{} needs {needed}", stage.name);
            }
        }
    }

    #[test]
    fn the_budgets_add_up_to_50_minutes_at_most() {
        let sum: u64 = STAGES.iter().map(|stage| stage.minutes).sum();
        assert!(sum <= 50, "{sum} minutes");
    }

    #[test]
    fn a_stage_whose_need_failed_is_not_run_and_not_green() {
        let broken = Row {
            name: "build",
            minutes: 1,
            seconds: 1,
            outcome: Outcome::Failed { tally: Tally::default(), why: "x".to_owned() },
        };
        let window = STAGES.iter().find(|stage| stage.name == "window").expect("there is one");
        let row = run_stage(window, &[broken]);
        assert!(matches!(row.outcome, Outcome::NotRun { because: "build" }));
        assert!(!row.outcome.is_good());
    }
}
