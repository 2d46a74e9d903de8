//! Writes a synthetic model: `synth-model <tiny|e2b|e4b> <mix> <out> [seed] [endless]`. `cargo xtask synth-model` runs it.

use std::{path::Path, process::ExitCode};

use test_support::synth::{Mix, Size, Spec, write_model};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err((code, message)) => {
            eprintln!("error: {message}");
            ExitCode::from(code)
        }
    }
}

fn run(args: &[String]) -> Result<(), (u8, String)> {
    let mixes = Mix::ALL.map(Mix::name).join("|");
    let usage = || (2, format!("usage: synth-model <tiny|e2b|e4b> <{mixes}> <out> [seed] [endless]"));
    let (args, endless) = match args {
        [args @ .., last] if last == "endless" => (args, true),
        args => (args, false),
    };
    let (size, mix, out, seed) = match args {
        [size, mix, out] => (size, mix, out, "1"),
        [size, mix, out, seed] => (size, mix, out, seed.as_str()),
        _ => return Err(usage()),
    };
    let size = match size.as_str() {
        "tiny" => Size::Tiny,
        "e2b" => Size::E2b,
        "e4b" => Size::E4b,
        _ => return Err(usage()),
    };
    let mix = Mix::from_name(mix).ok_or_else(usage)?;
    let seed = seed.parse().map_err(|_| usage())?;
    let started = std::time::Instant::now();
    let summary = write_model(Path::new(out), Spec { seed, endless, ..Spec::new(size, mix) })
        .map_err(|error| (1, format!("could not write `{out}`: {error}")))?;
    let kinds: Vec<String> = summary.kinds.iter().map(|(name, count)| format!("{count} {name}")).collect();
    println!(
        "{} tensors ({}), {:.1} M values, {} + {} bytes, {:.1} s",
        summary.n_tensors,
        kinds.join(", "),
        summary.n_values as f64 / 1e6,
        summary.header_bytes,
        summary.data_bytes,
        started.elapsed().as_secs_f64()
    );
    Ok(())
}
