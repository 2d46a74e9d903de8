//! `cargo xtask bench`: ours and llama.cpp in turn, on the same file, with the same threads, in the same minutes.
//!
//! Speeds of one program at two times of the day cannot be compared on most machines: memory is shared with neighbours,
//! clocks change. So every round runs each program once, ratios are taken within a round, and a run during which other
//! programs were busy does not count.

mod child;
mod machine;
pub mod peer;
mod reading;
mod rows;
mod stats;
mod table;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::Value;

use crate::process::Program;
use crate::workspace::{self, Metadata};
use child::{Run, Spec};
use machine::{Hogs, Machine};
use peer::{Peer, Source};
use rows::{Facts, Row, Setting, Subject};
use stats::Sample;
use table::{Found, Probe, Report};

/// Processors that other programs may keep busy, on average, during a run that counts.
const MOST_OTHERS: f64 = 0.15;
/// A run that takes longer is given up. A peer whose threads wait for each other on taken processors needs minutes.
const LIMIT: Duration = Duration::from_mins(10);
/// A disturbed run that took longer than this is not repeated.
const LONG: Duration = Duration::from_mins(2);

/// What to measure, and with what.
#[derive(Debug, Args)]
pub struct Options {
    /// The model file.
    #[arg(long, value_name = "FILE", required_unless_present = "list")]
    model: Option<PathBuf>,
    /// Threads of both programs; without it, as many as there are processors.
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// How often each program is run.
    #[arg(long, value_name = "N", default_value_t = 5)]
    rounds: usize,
    /// Rows, or the first words of their names, separated by commas, e.g. `prefill,decode-128`.
    #[arg(long, value_name = "ROWS", value_delimiter = ',')]
    only: Vec<String>,
    /// Print the names of the rows and stop.
    #[arg(long)]
    list: bool,
    /// How often a run is repeated that others disturbed.
    #[arg(long, value_name = "N", default_value_t = 3)]
    retries: usize,
    /// The file to write every number to.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Our program, built already; otherwise a release build is made.
    #[arg(long, value_name = "PATH")]
    aula: Option<PathBuf>,
    /// The peer's `llama-bench`, built already.
    #[arg(long, value_name = "PATH", conflicts_with = "peer_source")]
    peer_bin: Option<PathBuf>,
    /// Folder with llama.cpp's source, or with the source package of llama-cpp-python.
    #[arg(long, value_name = "DIR")]
    peer_source: Option<PathBuf>,
    /// Build the peer with AMX, which laptops do not have.
    #[arg(long)]
    with_amx: bool,
    /// Another build of `llama-bench`, reported beside the peer.
    #[arg(long, value_name = "PATH")]
    beside: Option<PathBuf>,
}

/// Builds what is missing, measures, and prints the table.
pub fn run(options: &Options) -> Result<()> {
    let machine = Machine::look();
    if options.list {
        let anything = Path::new("");
        let peer = Peer { bench: anything.into(), completion: None, batched: None, about: String::new() };
        let facts = Facts { name: String::new(), quantization: String::new(), bytes_per_token: 0 };
        let threads = options.threads.unwrap_or(machine.processors);
        let (aula, data, model) = (anything.into(), anything.into(), anything.into());
        let setting = Setting { aula, data, peer, beside: None, model, facts, threads };
        rows::rows(&setting).iter().for_each(|row| println!("{}", row.name));
        return Ok(());
    }
    let setting = prepare(options, &machine)?;
    let rows: Vec<Row> = rows::rows(&setting).into_iter().filter(|row| row.is_wanted(&options.only)).collect();
    if rows.is_empty() {
        bail!("no row is called `{}`; `--list` shows them all", options.only.join(","));
    }
    let mut bench =
        Bench { machine, options, setting, kernels: String::new(), bandwidth: Vec::new(), found: Vec::new() };
    bench.kernels = bench.warm_up()?;
    bench.found = rows.iter().map(empty).collect();
    for round in 1..=options.rounds {
        bench.round(round, &rows);
        // After each round, so that what was measured survives an interruption.
        bench.finish_round()?;
    }
    println!("\n{}", bench.report().render());
    Ok(())
}

/// Both programs, and what the model is.
fn prepare(options: &Options, machine: &Machine) -> Result<Setting> {
    let root = workspace::root();
    let model = options.model.as_deref().context("a model is needed: `--model FILE`")?;
    let model = std::path::absolute(model).with_context(|| format!("cannot tell where `{}` is", model.display()))?;
    let metadata = Metadata::load(&root, None)?;
    let source = Source {
        program: options.peer_bin.as_deref(),
        source: options.peer_source.as_deref(),
        with_amx: options.with_amx,
    };
    let peer = Peer::get(&source, machine, &metadata.target_directory.join("peers"))?;
    let beside = options.beside.as_deref().map(|program| Source { program: Some(program), ..Source::default() });
    let beside = beside.map(|source| Peer::get(&source, machine, &root)).transpose()?;
    let aula = match &options.aula {
        Some(path) => path.clone(),
        None => {
            Program::cargo().args(["build", "--release", "--package", "cli"]).dir(&root).run()?;
            metadata.binary("aula", true)
        }
    };
    let data = metadata.target_directory.join("bench");
    let facts = facts(&aula, &data, &model)?;
    let threads = options.threads.unwrap_or(machine.processors);
    Ok(Setting { aula, data, peer, beside, model, facts, threads })
}

/// What our program says of the model.
fn facts(aula: &Path, data: &Path, model: &Path) -> Result<Facts> {
    let spec = Spec::new(aula).words("models inspect --json").arg(model).env("AULA_DATA_DIR", data);
    let run = spec.run(1, LIMIT)?;
    let value: Value =
        serde_json::from_str(&run.stdout).context("could not read what `aula models inspect` printed")?;
    let text = |key: &str| value[key].as_str().unwrap_or("not known").to_owned();
    let bytes_per_token =
        value["need"]["weights"].as_u64().context("`aula models inspect` does not tell the weights")?;
    Ok(Facts { name: text("name"), quantization: text("quantization"), bytes_per_token })
}

fn empty(row: &Row) -> Found {
    let subjects = [Some(&row.ours), row.against.as_ref().map(|(_, subject)| subject), row.beside.as_ref()];
    Found {
        name: row.name.clone(),
        unit: row.unit,
        ours: Vec::new(),
        against_name: row.against.as_ref().map(|&(name, _)| name),
        against: Vec::new(),
        beside: Vec::new(),
        bar: row.bar,
        share_of: row.share_of,
        commands: subjects.into_iter().flatten().map(|subject| subject.spec.line()).collect(),
    }
}

struct Bench<'a> {
    machine: Machine,
    options: &'a Options,
    setting: Setting,
    kernels: String,
    bandwidth: Vec<Probe>,
    found: Vec<Found>,
}

impl Bench<'_> {
    /// One run of ours that counts for nothing: it fills the caches that a second start finds. Says which kernels compute.
    fn warm_up(&self) -> Result<String> {
        let Setting { aula, data, model, threads, .. } = &self.setting;
        let words = format!("--threads {threads} --reps 1 --json --prompt-tokens 8 --decode-tokens 1");
        let spec = Spec::new(aula).words("bench --model").arg(model).words(&words).env("AULA_DATA_DIR", data);
        let value: Value = serde_json::from_str(&spec.run(1, LIMIT)?.stdout).context("`aula bench` printed no JSON")?;
        Ok(value["kernels"].as_str().unwrap_or("not known").to_owned())
    }

    /// Every program once.
    fn round(&mut self, round: usize, rows: &[Row]) {
        println!("Round {round} of {}", self.options.rounds);
        let mut probed: Vec<usize> = rows.iter().filter_map(|row| row.share_of).collect();
        probed.sort_unstable();
        probed.dedup();
        for (index, row) in rows.iter().enumerate() {
            // Just before the first row that needs it: bandwidth changes within minutes.
            if let Some(threads) = row.share_of.filter(|threads| probed.contains(threads)) {
                probed.retain(|&other| other != threads);
                self.probe(round, threads);
            }
            let against = row.against.as_ref().map(|(name, subject)| (*name, subject));
            let mut subjects = vec![("Aula", &row.ours)];
            subjects.extend(against);
            subjects.extend(row.beside.as_ref().map(|subject| ("beside", subject)));
            // Who runs first changes from round to round, so that nobody always finds the machine as the other left it.
            if round.is_multiple_of(2) {
                subjects.reverse();
            }
            for (name, subject) in subjects {
                let Some(sample) = self.measure(round, &format!("{} {name}", row.name), subject) else { continue };
                let found = &mut self.found[index];
                match name {
                    "Aula" => found.ours.push(sample),
                    "beside" => found.beside.push(sample),
                    _ => found.against.push(sample),
                }
            }
        }
    }

    fn probe(&mut self, round: usize, threads: usize) {
        let spec = Spec::new(&self.setting.aula).words(&format!("bench --bandwidth --threads {threads} --json"));
        let Some(run) = self.run(&format!("memory read by {threads}"), &spec, 0) else { return };
        let sample = |pointer| {
            let value = reading::Reading::Json(pointer).of(&run).ok()?;
            Some(Sample { round, value, others: run.others, kept: is_quiet(&run) })
        };
        let (Some(median), Some(max)) = (sample("/bytes_per_s/median"), sample("/bytes_per_s/max")) else { return };
        let place = self.bandwidth.iter().position(|probe| probe.threads == threads).unwrap_or_else(|| {
            self.bandwidth.push(Probe { threads, medians: Vec::new(), maxima: Vec::new() });
            self.bandwidth.len() - 1
        });
        self.bandwidth[place].medians.push(median);
        self.bandwidth[place].maxima.push(max);
        println!("  memory read by {threads:<24} {:>10.1} GB/s{}", median.value / 1e9, disturbed(&run));
    }

    fn measure(&self, round: usize, name: &str, subject: &Subject) -> Option<Sample> {
        let run = self.run(name, &subject.spec, subject.hogs)?;
        match subject.reading.of(&run) {
            Ok(value) => {
                println!("  {name:<40} {value:>14.3}{}", disturbed(&run));
                Some(Sample { round, value, others: run.others, kept: is_quiet(&run) })
            }
            Err(error) => {
                println!("  {name:<40} no number: {error:#}");
                None
            }
        }
    }

    /// Runs `spec` until a run is quiet, at most as often as allowed; the last run otherwise.
    fn run(&self, name: &str, spec: &Spec, hogs: usize) -> Option<Run> {
        let mut last = None;
        for _ in 0..=self.options.retries {
            let hogs = Hogs::start(hogs);
            let run = spec.run(self.machine.processors, LIMIT);
            drop(hogs);
            match run {
                Ok(run) if is_quiet(&run) => return Some(run),
                Ok(run) => {
                    let long = run.seconds > LONG.as_secs_f64();
                    last = Some(run);
                    if long {
                        break;
                    }
                }
                Err(error) => {
                    println!("  {name:<40} failed: {error:#}");
                    return None;
                }
            }
        }
        last
    }

    fn report(&self) -> Report {
        Report {
            machine: self.machine.clone(),
            model: self.setting.facts.clone(),
            threads: self.setting.threads,
            kernels: self.kernels.clone(),
            peer: self.setting.peer.about.clone(),
            beside: self.setting.beside.as_ref().map(|peer| format!("{} ({})", peer.bench.display(), peer.about)),
            limit: MOST_OTHERS,
            bandwidth: self.bandwidth.clone(),
            rows: self.found.clone(),
        }
    }

    fn finish_round(&self) -> Result<()> {
        let Some(path) = &self.options.json else { return Ok(()) };
        let text = serde_json::to_string_pretty(&self.report())?;
        std::fs::write(path, text + "\n").with_context(|| format!("could not write `{}`", path.display()))
    }
}

/// Whether others left the processors alone. Where the system does not say, every run counts.
fn is_quiet(run: &Run) -> bool {
    run.others.is_none_or(|others| others <= MOST_OTHERS)
}

fn disturbed(run: &Run) -> String {
    match run.others {
        Some(others) if !is_quiet(run) => format!("  left out: others kept {others:.2} processors busy"),
        _ => String::new(),
    }
}
