//! `aula logits`, `aula tokenize`, `aula bench`

use std::path::{Path, PathBuf};

use api::lab::{BenchOptions, BenchReport, LogitsMode, LogitsRequest, Spread};
use api::places::Places;
use serde::Serialize;

use crate::args::{Bench, Logits, Mode, Tokenize};
use crate::output::{Failure, columns, print_all, print_json, size};

/// What `aula logits --json` prints.
#[derive(Serialize)]
struct Written<'a> {
    out: &'a Path,
    shape: [usize; 2],
}

/// Computes logits and writes them to a file.
pub fn logits(args: Logits) -> Result<(), Failure> {
    // `--reference` asks for the plain implementation, which is the only one yet.
    let Logits { model, tokens, out, mode, last, device, reference: _, json } = args;
    let mode = match mode {
        Mode::Prefill => LogitsMode::Prefill,
        Mode::Decode => LogitsMode::Decode,
    };
    let request = LogitsRequest { model, device: device.into(), tokens, mode, last };
    let shape = api::lab::logits(&request, &out)?;
    if json {
        return print_json(&Written { out: &out, shape });
    }
    print_all(&format!("Wrote logits ({}, {}) to {}\n", shape[0], shape[1], out.display()))
}

/// Prints token ids.
pub fn tokenize(args: Tokenize) -> Result<(), Failure> {
    let ids = api::lab::tokenize(&args.model, &args.text, args.chat, &Places::of_this_user()?)?;
    let list: Vec<String> = ids.iter().map(u32::to_string).collect();
    print_all(&format!("[{}]\n", list.join(", ")))
}

/// What `aula bench --json` prints: what was asked for, then what was measured.
#[derive(Serialize)]
struct Measured {
    model: PathBuf,
    prompt_tokens: usize,
    decode_tokens: usize,
    depth: usize,
    reps: usize,
    #[serde(flatten)]
    report: BenchReport,
}

/// Measures a model.
pub fn bench(args: Bench) -> Result<(), Failure> {
    let options = BenchOptions {
        model: args.model,
        device: args.device.into(),
        threads: args.threads,
        prompt_tokens: args.prompt_tokens,
        decode_tokens: args.decode_tokens,
        depth: args.depth,
        reps: args.reps,
        cache_dir: Some(Places::of_this_user()?.cache_dir()),
    };
    let report = api::lab::bench(&options)?;
    let BenchOptions { model, prompt_tokens, decode_tokens, depth, reps, .. } = options;
    let measured = Measured { model, prompt_tokens, decode_tokens, depth, reps, report };
    if args.json { print_json(&measured) } else { print_all(&render(&measured)) }
}

fn render(measured: &Measured) -> String {
    let report = &measured.report;
    let spread = |values: &Spread, digits: usize, unit: &str| {
        let Spread { median, min, max } = values;
        format!("{median:.digits$} {unit} ({min:.digits$} to {max:.digits$})")
    };
    let memory = |bytes: Option<u64>| bytes.map_or("not known".to_owned(), size);
    let decode = format!("Decode of {} at {}", measured.decode_tokens, measured.depth);
    let mut rows = vec![
        ["Device".to_owned(), format!("{}, {} kernels, {} threads", report.device, report.kernels, report.threads)],
        ["Load".to_owned(), spread(&report.load_s, 3, "s")],
        ["First token".to_owned(), spread(&report.ttft_s, 3, "s")],
        [format!("Prefill of {}", measured.prompt_tokens), spread(&report.prefill_tps, 1, "tokens/s")],
        [decode, spread(&report.decode_tps, 1, "tokens/s")],
        ["Peak memory".to_owned(), memory(report.peak_rss_bytes)],
    ];
    if report.peak_vram_bytes.is_some() {
        rows.push(["Peak card memory".to_owned(), memory(report.peak_vram_bytes)]);
    }
    columns(&rows.into_iter().map(Vec::from).collect::<Vec<_>>())
}
