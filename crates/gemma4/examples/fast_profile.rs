//! Where the fast path spends its time: `fast_profile MODEL [THREADS] [PROMPT] [DECODED] [PACKED_DIR]`.
//!
//! Times each step of a prompt of PROMPT tokens and of DECODED tokens behind it, by the moments at which the forward pass
//! shows its values. A product with several matrices is one step. With one thread, on Linux, processor time is counted
//! instead of time on the clock, so that other programs disturb less.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Instant};

use gemma4::{
    Config, Error, LoadOptions, Logits, Model, Rows, Sequence,
    fast::{FastModel, FastSequence, Place},
    gguf::GgufFile,
};

/// Milliseconds by step, and how often it was seen.
type Steps = BTreeMap<&'static str, (f64, usize)>;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path, options @ ..] = &arguments[..] else { return Err("name a model file".into()) };
    let number = |index: usize, default: usize| options.get(index).map_or(Ok(default), |text| text.parse());
    let (threads, prompt, decoded) = (number(0, 1)?, number(1, 512)?, number(2, 32)?);
    let packed_dirs: Vec<PathBuf> = options.get(3).map(PathBuf::from).into_iter().collect();

    let started = Instant::now();
    let file = Arc::new(GgufFile::open(path.as_ref())?);
    let config = Config::from_gguf(&file)?;
    let model =
        FastModel::new(&file, config, &LoadOptions { threads: Some(threads), packed_dirs, ..Default::default() })?;
    println!("{:?}, opened in {:.3} s", model.runtime(), started.elapsed().as_secs_f64());

    let vocab = model.config().vocab_size;
    let tokens: Vec<u32> = (0..prompt).map(|i| ((i * 7919 + 13) % vocab) as u32).collect();
    let mut sequence = model.fast_sequence((prompt + decoded).next_multiple_of(64).max(4096))?;
    let mut logits = Logits::default();
    // Once without counting: pages are faulted in and buffers grow.
    sequence.forward(&tokens, Rows::Last, &|| false, &mut logits)?;
    sequence.clear();

    let clock = Clock { started, alone: threads == 1 };
    let (steps, seconds) = timed(&clock, &mut sequence, &[&tokens[..]], &mut logits)?;
    report(&format!("prompt of {prompt}"), &steps, seconds, prompt);
    let ones: Vec<&[u32]> = tokens.chunks(1).cycle().take(decoded).collect();
    let (steps, seconds) = timed(&clock, &mut sequence, &ones, &mut logits)?;
    println!("KV cache {} MiB", sequence.cache_bytes() >> 20);
    if let Ok(status) = std::fs::read_to_string("/proc/self/status") {
        status.lines().filter(|line| line.starts_with("Rss")).for_each(|line| println!("{line}"));
    }
    report(&format!("decoded {decoded} at {prompt}"), &steps, seconds, decoded);
    Ok(())
}

/// Seconds since some moment: of this thread on a processor if it is the only one, of the clock otherwise.
struct Clock {
    started: Instant,
    alone: bool,
}

impl Clock {
    fn now(&self) -> f64 {
        let on_processor = || {
            let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
            text.split(' ').next()?.parse::<u64>().ok()
        };
        match self.alone.then(on_processor).flatten() {
            Some(nanoseconds) => nanoseconds as f64 * 1e-9,
            None => self.started.elapsed().as_secs_f64(),
        }
    }
}

/// Feeds `parts` one after the other; how long each step took in all, and everything.
fn timed(
    clock: &Clock,
    sequence: &mut FastSequence,
    parts: &[&[u32]],
    logits: &mut Logits,
) -> Result<(Steps, f64), Error> {
    let mut steps = Steps::new();
    let started = clock.now();
    for part in parts {
        let mut last = clock.now();
        let mut note = |(_, what): Place, _: &[f32]| {
            let now = clock.now();
            let step = steps.entry(what).or_default();
            (step.0, step.1) = (step.0 + (now - last) * 1e3, step.1 + 1);
            last = now;
        };
        sequence.forward_probed(part, Rows::Last, &|| false, &mut note, logits)?;
    }
    Ok((steps, clock.now() - started))
}

fn report(what: &str, steps: &Steps, seconds: f64, tokens: usize) {
    println!("\n{what}: {:.1} tokens/s, {:.2} ms each", tokens as f64 / seconds, seconds * 1e3 / tokens as f64);
    let mut steps: Vec<_> = steps.iter().collect();
    steps.sort_by(|a, b| b.1.0.total_cmp(&a.1.0));
    for (step, (ms, n)) in steps {
        let share = ms / (seconds * 1e3) * 100.0;
        println!(
            "{step:>12} {:9.3} ms a token  {share:5.1} %  {:9.1} us each, {n} times",
            ms / tokens as f64,
            ms * 1e3 / *n as f64
        );
    }
}
