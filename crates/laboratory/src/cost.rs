//! `cargo xtask guided-cost`: what holding an answer to a form costs beside a step of the model.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use engine::lab::{GuidedCostOptions, GuidedCostReport, Micros, guided_cost};
use serde_json::json;
use tutor::tools::{Level, Task};

use crate::numbers::table;

/// What to measure.
#[derive(Debug, Args)]
pub struct Options {
    /// The model file that computes.
    #[arg(long, value_name = "FILE")]
    model: PathBuf,
    /// A file with another vocabulary, whose ids lie within the model's.
    #[arg(long, value_name = "FILE")]
    vocabulary: Option<PathBuf>,
    /// CPU threads; as many as the app uses without it.
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Repetitions.
    #[arg(long, value_name = "N", default_value_t = 5)]
    reps: usize,
    /// Folder for packed weights, where they cannot lie beside the model.
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
    /// Print everything as JSON.
    #[arg(long)]
    json: bool,
}

/// A quiz as a good model would write it in Spanish.
fn sample() -> String {
    let text = |text: &str| json!({ "text": text });
    let question = |prompt, options: [&str; 4], hint, explanation, answer: u8| {
        json!({
            "prompt": text(prompt), "options": options.map(text), "hint": text(hint), "explanation": text(explanation),
            "answer": answer,
        })
    };
    json!({
        "title": text("Fracciones equivalentes y comparación de fracciones"),
        "questions": [
            question("¿Qué fracción es equivalente a $\\frac{1}{2}$?",
                ["$\\frac{2}{3}$", "$\\frac{3}{6}$", "$\\frac{2}{5}$", "$\\frac{1}{4}$"],
                "Multiplica el numerador y el denominador por el mismo número.",
                "Si multiplicas 1 y 2 por 3 obtienes $\\frac{3}{6}$, que vale lo mismo: la mitad de la unidad.", 1),
            question("María comió un tercio de la pizza y su hermano dos sextos. ¿Quién comió más?",
                ["María", "Su hermano", "Comieron lo mismo", "No se puede saber"],
                "Busca un denominador común para las dos fracciones antes de compararlas.",
                "Un tercio es igual a dos sextos, porque 1 × 2 = 2 y 3 × 2 = 6. Por eso los dos comieron la misma parte.", 2),
            question("¿Cuál de estas fracciones es la mayor?",
                ["Tres cuartos", "Dos tercios", "Cinco octavos", "Siete doceavos"],
                "Puedes escribirlas todas con el denominador 24 y mirar solo los numeradores.",
                "Con denominador 24 son 18, 16, 15 y 14 partes: la mayor es tres cuartos, que tiene 18 de las 24.", 0),
        ],
    })
    .to_string()
}

/// Measures and prints a table.
///
/// # Errors
/// If a file cannot be opened.
pub fn run(options: &Options) -> Result<()> {
    let task = Task::Quiz { topic: "fracciones".to_owned(), count: 3, level: Level::Easy };
    let report = guided_cost(&GuidedCostOptions {
        model: options.model.clone(),
        vocabulary: options.vocabulary.clone(),
        threads: options.threads,
        structure: task.structure(),
        sample: sample(),
        reps: options.reps.max(1),
        cache_dir: options.cache.clone(),
    })
    .context("could not measure")?;
    if options.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{}", render(&report));
    }
    Ok(())
}

fn render(report: &GuidedCostReport) -> String {
    let row = |name: &str, micros: &Micros| {
        let Micros { count, mean, p50, p99, max } = micros;
        let figures = [mean, p50, p99, max].map(|value| format!("{value:.0}"));
        [vec![name.to_owned(), count.to_string()], figures.to_vec()].concat()
    };
    let rows = [
        ["µs", "count", "mean", "p50", "p99", "most"].map(str::to_owned).to_vec(),
        row("go on by a token, and what it forces", &report.advance),
        row("mask", &report.mask),
        row("apply", &report.apply),
        row("the three, one after the other", &report.serial),
        row("step of the model without a form", &report.step),
        row("step with a form, nothing forced", &report.held_step),
        row("added to a step with a form", &report.added),
    ];
    let memory = report.memory_bytes.map_or("unknown".to_owned(), |bytes| format!("{:.0} MB", bytes as f64 / 1e6));
    let GuidedCostReport {
        vocab, trie_s, classes_s, grammar_s, sample_tokens, sample_forced, kernels, threads, ..
    } = report;
    format!(
        "{vocab} tokens: trie {trie_s:.2} s, classes {classes_s:.2} s, {memory}; grammar {:.1} ms\n\
         the document: {sample_tokens} tokens, {sample_forced} forced; {kernels} kernels, {threads} threads\n\n{}\n\
         one after the other: {:.2} % of a step in the mean, {:.2} % at p99; hidden behind the pass: {:.2} % in the mean\n",
        grammar_s * 1e3,
        table(&rows),
        report.serial.mean / report.step.p50 * 100.0,
        report.serial.p99 / report.step.p50 * 100.0,
        report.added.mean / report.step.p50 * 100.0,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numbers::demo_model;

    #[test]
    fn the_document_is_a_result_and_everything_is_measured() {
        let task = Task::Quiz { topic: "fracciones".to_owned(), count: 3, level: Level::Easy };
        task.read(&sample()).expect("a quiz");
        let options = GuidedCostOptions {
            model: demo_model(),
            vocabulary: None,
            threads: Some(1),
            structure: task.structure(),
            sample: sample(),
            reps: 1,
            cache_dir: None,
        };
        let report = guided_cost(&options).expect("measured");
        assert!(report.sample_forced > 50 && report.sample_forced < report.sample_tokens, "{report:?}");
        let all =
            [report.advance, report.mask, report.apply, report.serial, report.step, report.held_step, report.added];
        for micros in all {
            assert!(micros.count > 5 && micros.p50 <= micros.p99 && micros.p99 <= micros.max, "{micros:?}");
        }
        assert!(render(&report).contains("2048 tokens"));
    }
}
