//! How long a model file takes to open and its tokenizer to be ready: `tokenizer_times FILE.gguf [repetitions]`.

use std::{path::Path, time::Instant};

use gemma4::{Tokenizer, gguf::GgufFile};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let path = args.next().ok_or("usage: tokenizer_times FILE.gguf [repetitions]")?;
    let repetitions: usize = args.next().map_or(Ok(5), |text| text.parse())?;
    let cache = std::env::temp_dir().join(format!("aula-tokenizer-times-{}", std::process::id()));

    let file = report("open", repetitions, || Ok(GgufFile::open(Path::new(&path))?))?;
    println!("memory after opening: {}", resident()?);
    report("tokenizer from the file", repetitions, || Ok(Tokenizer::from_gguf(&file, None)?))?;
    report("the same, cache written", 1, || Ok(Tokenizer::from_gguf(&file, Some(&cache))?))?;
    let tokenizer = report("tokenizer from the cache", repetitions, || Ok(Tokenizer::from_gguf(&file, Some(&cache))?))?;
    println!("memory with a tokenizer: {}", resident()?);
    std::fs::remove_dir_all(&cache)?;

    let prose = "Los estudiantes multiplican fracciones; the students divide them. ¿Cuánto es 3/4 + 1/8? 漢字 😀\n";
    for n_chars in [20_000, 200_000] {
        let text: String = prose.chars().cycle().take(n_chars).collect();
        let word: String = "estudiamentos".chars().cycle().take(n_chars).collect();
        report(&format!("encode {n_chars} characters of prose"), repetitions, || Ok(tokenizer.encode(&text)?))?;
        report(&format!("encode {n_chars} characters without a space"), repetitions, || Ok(tokenizer.encode(&word)?))?;
    }
    Ok(())
}

/// Runs `work` and prints the median and the worst time.
fn report<T>(
    what: &str,
    repetitions: usize,
    mut work: impl FnMut() -> Result<T, Box<dyn std::error::Error>>,
) -> Result<T, Box<dyn std::error::Error>> {
    let mut times = Vec::new();
    let mut last = None;
    for _ in 0..repetitions.max(1) {
        let started = Instant::now();
        last = Some(work()?);
        times.push(started.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    println!("{what}: median {:.1} ms, worst {:.1} ms", times[times.len() / 2], times[times.len() - 1]);
    last.ok_or_else(|| "nothing was measured".into())
}

/// Resident memory of this process, where the system tells.
fn resident() -> Result<String, std::io::Error> {
    if !cfg!(target_os = "linux") {
        return Ok("unknown".to_owned());
    }
    let status = std::fs::read_to_string("/proc/self/status")?;
    let lines = status.lines().filter(|line| line.starts_with("VmRSS") || line.starts_with("RssAnon"));
    Ok(lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>().join(", "))
}
