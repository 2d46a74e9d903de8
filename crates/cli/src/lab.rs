//! `aula logits`, `aula tokenize`, `aula bench`

use std::path::{Path, PathBuf};

use api::lab::{Bandwidth, BenchOptions, BenchReport, LogitsMode, LogitsRequest, Spread};
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
    let Logits { model, tokens, out, mode, last, device, reference, json } = args;
    let mode = match mode {
        Mode::Prefill => LogitsMode::Prefill,
        Mode::Decode => LogitsMode::Decode,
    };
    let request = LogitsRequest { model, device: device.into(), tokens, mode, last, plain: reference };
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

/// Measures a model, or the memory.
pub fn bench(args: Bench) -> Result<(), Failure> {
    let Some(model) = args.model else {
        let found = api::lab::read_bandwidth(args.threads)?;
        return if args.json { print_json(&found) } else { print_all(&render_bandwidth(&found)) };
    };
    let options = BenchOptions {
        model,
        device: args.device.into(),
        threads: args.threads,
        plain: args.reference,
        prompt_tokens: args.prompt_tokens,
        decode_tokens: args.decode_tokens,
        depth: args.depth,
        verify_rows: args.verify.unwrap_or(0) as usize,
        turns: args.turns,
        reps: args.reps,
        cache_dir: Some(Places::of_this_user()?.cache_dir()),
    };
    let report = api::lab::bench(&options)?;
    let BenchOptions { model, prompt_tokens, decode_tokens, depth, reps, .. } = options;
    let measured = Measured { model, prompt_tokens, decode_tokens, depth, reps, report };
    if args.json { print_json(&measured) } else { print_all(&render(&measured)) }
}

fn spread(values: &Spread, digits: usize, unit: &str) -> String {
    let Spread { median, min, max } = values;
    format!("{median:.digits$} {unit} ({min:.digits$} to {max:.digits$})")
}

fn render(measured: &Measured) -> String {
    let report = &measured.report;
    let memory = |bytes: Option<u64>| bytes.map_or("not known".to_owned(), size);
    let mut rows = vec![
        ["Device".to_owned(), format!("{}, {} kernels, {} threads", report.device, report.kernels, report.threads)],
        ["Load".to_owned(), spread(&report.load_s, 3, "s")],
    ];
    if let Some(ttft_s) = &report.ttft_s {
        rows.push(["First token".to_owned(), spread(ttft_s, 3, "s")]);
    }
    if let Some(rate) = &report.prefill_tps {
        rows.push([format!("Prefill of {}", measured.prompt_tokens), spread(rate, 1, "tokens/s")]);
    }
    if let Some(rate) = &report.decode_tps {
        let what = format!("Decode of {} at {}", measured.decode_tokens, measured.depth);
        rows.push([what, spread(rate, 1, "tokens/s")]);
    }
    if let Some(verify) = &report.verify {
        let what = format!("{} rows at {}", verify.rows, measured.depth);
        rows.push([what, spread(&verify.ratio, 2, "times one row")]);
    }
    if let Some(turns) = &report.turns {
        let what = format!("First token after {}", turns.cold_tokens);
        rows.push([what, spread(&turns.cold_s, 3, "s")]);
        let what = format!("Second turn, {} of {} new", turns.warm_computed, turns.warm_tokens);
        rows.push([what, spread(&turns.warm_s, 3, "s")]);
    }
    rows.push(["Peak memory".to_owned(), memory(report.peak_rss_bytes)]);
    if report.peak_vram_bytes.is_some() {
        rows.push(["Peak card memory".to_owned(), memory(report.peak_vram_bytes)]);
    }
    columns(&rows.into_iter().map(Vec::from).collect::<Vec<_>>())
}

fn render_bandwidth(found: &Bandwidth) -> String {
    let Spread { median, min, max } = found.bytes_per_s;
    let gigabytes = Spread { median: median / 1e9, min: min / 1e9, max: max / 1e9 };
    format!("Memory read by {} threads: {}\n", found.threads, spread(&gigabytes, 1, "GB/s"))
}
