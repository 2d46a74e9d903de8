//! `cargo xtask tools`: the demo model makes every tool's results many times, at temperature 1, and all are checked.

use std::{
    num::NonZero,
    path::PathBuf,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use anyhow::{Context, Result, bail};
use clap::Args;
use engine::lab::Author;
use generation::{DEFAULT_CONTEXT_LEN, FinishReason, GenerateRequest, Sampling};
use tutor::{
    Language,
    tools::{About, Level, NotAResult, SheetForm, Task, ToolKind},
};

use crate::numbers::{demo_model, percentile, share, table};

/// Of all results at least so many per cent are finished within the tool's own limit.
const LEAST_FINISHED: f64 = 95.0;

/// Topics to ask for, in each language.
const TOPICS: [(Language, [&str; 6]); 3] = [
    (
        Language::Es,
        ["fracciones", "la fotosíntesis", "el ciclo del agua", "la Revolución francesa", "ángulos", "los verbos"],
    ),
    (Language::En, ["fractions", "photosynthesis", "the water cycle", "the French Revolution", "angles", "verbs"]),
    (Language::Pt, ["frações", "a fotossíntese", "o ciclo da água", "a Revolução Francesa", "ângulos", "os verbos"]),
];

/// What to run.
#[derive(Debug, Args)]
pub struct Options {
    /// Results of each tool.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    count: usize,
    /// Tools by name, separated by commas; all without it.
    #[arg(long, value_name = "TOOLS", value_delimiter = ',')]
    only: Vec<String>,
    /// The model file; the demo model without it.
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// Answers written at the same time; as many as there are processors without it.
    #[arg(long, value_name = "N")]
    threads: Option<NonZero<usize>>,
    /// The first seed; the same seeds give the same results.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Print results that are not what they should be.
    #[arg(long)]
    verbose: bool,
}

/// What became of one result.
struct Outcome {
    kind: ToolKind,
    finished: bool,
    /// It has its form.
    valid: bool,
    /// It has its form and makes no sense in itself.
    contradicts: bool,
    tokens: usize,
    forced: usize,
    chars: usize,
}

/// Runs it and prints a table.
///
/// # Errors
/// If the model cannot be opened, an answer fails, or a bar is missed.
pub fn run(options: &Options) -> Result<()> {
    let (kinds, outcomes) = write(options)?;
    judge(&kinds, &outcomes)
}

fn write(options: &Options) -> Result<(Vec<ToolKind>, Vec<Outcome>)> {
    let kinds: Vec<ToolKind> = ToolKind::ALL
        .into_iter()
        .filter(|kind| options.only.is_empty() || options.only.iter().any(|name| name == kind.name()))
        .collect();
    if kinds.is_empty() {
        let names: Vec<&str> = ToolKind::ALL.iter().map(|kind| kind.name()).collect();
        bail!("no such tool; there are {}", names.join(", "));
    }
    let model = options.model.clone().unwrap_or_else(demo_model);
    let threads = options.threads.map_or_else(|| thread::available_parallelism().map_or(1, NonZero::get), NonZero::get);
    let next = AtomicUsize::new(0);
    let outcomes = Mutex::new(Vec::new());
    let total = kinds.len() * options.count;
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| -> Result<()> {
                    let mut author = Author::open(&model, DEFAULT_CONTEXT_LEN, 1)
                        .with_context(|| format!("could not open `{}`", model.display()))?;
                    loop {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        if index >= total {
                            return Ok(());
                        }
                        let (kind, round) = (kinds[index % kinds.len()], index / kinds.len());
                        let outcome = one(&mut author, kind, round, options)?;
                        let mut all = outcomes.lock().unwrap_or_else(PoisonError::into_inner);
                        all.push(outcome);
                        if all.len().is_multiple_of(500) {
                            eprintln!("{} of {total}", all.len());
                        }
                    }
                })
            })
            .collect();
        workers.into_iter().try_for_each(|worker| match worker.join() {
            Ok(done) => done,
            Err(_) => bail!("a thread panicked"),
        })
    })?;
    let outcomes = outcomes.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok((kinds, outcomes))
}

/// Task number `round` of a tool: topics, languages, levels, counts and forms take turns.
fn task(kind: ToolKind, round: usize) -> (Language, Task) {
    let (language, topics) = TOPICS[round % TOPICS.len()];
    let turn = round / TOPICS.len();
    let topic = topics[turn % topics.len()].to_owned();
    let turn = turn / topics.len() + round;
    let level = [Level::Easy, Level::Medium, Level::Hard][turn % 3];
    let about = if turn % 4 == 3 { About::Text(format!("{topic}. {topic}.")) } else { About::Topic(topic.clone()) };
    let task = match kind {
        ToolKind::Quiz => Task::Quiz { topic, count: Task::QUIZ_COUNTS[turn % Task::QUIZ_COUNTS.len()], level },
        ToolKind::Practice => Task::Practice { used: vec![topic.clone(); turn % 3], topic, level },
        ToolKind::MindMap => Task::MindMap { about },
        ToolKind::Illustration => Task::Illustration { about },
        ToolKind::Flashcards => Task::Flashcards { topic, count: Task::CARD_COUNTS[turn % Task::CARD_COUNTS.len()] },
        ToolKind::Sheet => Task::Sheet {
            topic,
            grade: (turn % 12 + 1) as u8,
            count: Task::SHEET_COUNTS[turn % Task::SHEET_COUNTS.len()],
            form: [SheetForm::Choice, SheetForm::Open, SheetForm::Mixed][turn / 4 % 3],
        },
        ToolKind::Reading => Task::Reading { handwriting: turn.is_multiple_of(2) },
    };
    (language, task)
}

fn one(author: &mut Author, kind: ToolKind, round: usize, options: &Options) -> Result<Outcome> {
    let (language, task) = task(kind, round);
    let request = GenerateRequest {
        sampling: Sampling { seed: Some(options.seed + round as u64), ..Sampling::default() },
        max_tokens: task.max_tokens(),
        structure: Some(task.structure()),
        ..GenerateRequest::new("laboratory", task.messages(language))
    };
    let (text, completion) =
        author.write(&request).with_context(|| format!("{} number {round} failed", kind.name()))?;
    let finished = completion.finish_reason == FinishReason::Stop;
    let valid = task.structure().read(&text).is_ok();
    let read = task.read(&text);
    let contradicts = matches!(read, Err(NotAResult::Contradiction(_)));
    if options.verbose && (finished != valid || (valid && read.is_err())) {
        println!("{} {round}: {:?} {:?}\n{text}", kind.name(), completion.finish_reason, read.err());
    }
    Ok(Outcome {
        kind,
        finished,
        valid,
        contradicts,
        tokens: completion.usage.completion_tokens,
        forced: completion.usage.forced_tokens,
        chars: text.chars().count(),
    })
}

/// Prints the table and says which bars are missed.
fn judge(kinds: &[ToolKind], outcomes: &[Outcome]) -> Result<()> {
    let head = [
        "tool",
        "results",
        "finished",
        "of these valid",
        "of these contradict themselves",
        "cut and valid",
        "tokens, mean",
        "p99",
        "forced",
        "characters, mean",
        "characters a token",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    let mut missed = Vec::new();
    for kind in kinds {
        let of: Vec<&Outcome> = outcomes.iter().filter(|outcome| outcome.kind == *kind).collect();
        let count = |which: &dyn Fn(&Outcome) -> bool| of.iter().filter(|outcome| which(outcome)).count();
        let sum = |what: &dyn Fn(&Outcome) -> usize| of.iter().map(|outcome| what(outcome)).sum::<usize>();
        let finished = count(&|one| one.finished);
        let valid = count(&|one| one.finished && one.valid);
        let contradict = count(&|one| one.finished && one.contradicts);
        let cut_and_valid = count(&|one| !one.finished && one.valid);
        let (tokens, chars) = (sum(&|one| one.tokens), sum(&|one| one.chars));
        let mut lengths: Vec<usize> = of.iter().map(|one| one.tokens).collect();
        rows.push(vec![
            kind.name().to_owned(),
            of.len().to_string(),
            format!("{:.1} %", share(finished, of.len())),
            format!("{:.1} %", share(valid, finished)),
            contradict.to_string(),
            cut_and_valid.to_string(),
            format!("{:.0}", tokens as f64 / of.len().max(1) as f64),
            percentile(&mut lengths, 99).to_string(),
            format!("{:.0} %", share(sum(&|one| one.forced), tokens)),
            format!("{:.0}", chars as f64 / of.len().max(1) as f64),
            format!("{:.2}", chars as f64 / tokens.max(1) as f64),
        ]);
        if valid < finished || cut_and_valid > 0 || share(finished, of.len()) < LEAST_FINISHED {
            missed.push(kind.name());
        }
    }
    print!("{}", table(&rows));
    if missed.is_empty() {
        return Ok(());
    }
    bail!(
        "{} missed a bar: every finished result valid, {LEAST_FINISHED} % finished, none cut and valid",
        missed.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_are_possible_and_differ() {
        for kind in ToolKind::ALL {
            let tasks: Vec<Task> = (0..200).map(|round| task(kind, round).1).collect();
            assert!(tasks.iter().all(|task| task.check().is_ok() && task.kind() == kind));
            let distinct = tasks.iter().enumerate().filter(|(at, task)| !tasks[..*at].contains(task)).count();
            assert!(distinct >= if kind == ToolKind::Reading { 2 } else { 18 }, "{}: {distinct}", kind.name());
        }
    }

    #[test]
    fn a_few_results_of_every_tool_in_three_languages() {
        let options = Options { count: 3, only: Vec::new(), model: None, threads: None, seed: 11, verbose: true };
        let (kinds, outcomes) = write(&options).expect("answers");
        assert_eq!((kinds.len(), outcomes.len()), (7, 21));
        assert!(outcomes.iter().all(|one| one.valid == one.finished), "whole results are valid, cut ones are not");
        assert!(outcomes.iter().filter(|one| one.finished).count() >= 18, "too many are cut");
        assert!(outcomes.iter().all(|one| one.forced > 0 && one.forced < one.tokens));
        let errors = Options { only: vec!["nothing".to_owned()], ..options };
        assert!(run(&errors).is_err_and(|error| error.to_string().contains("mind_map")));
    }
}
