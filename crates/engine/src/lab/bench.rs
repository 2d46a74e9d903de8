//! What `aula bench` measures: one model in this process, fed arbitrary tokens.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use gemma4::{
    LoadOptions, Logits, Model, Rows, Sequence,
    model::{MAX_DRAFT, prefill},
};
use generation::Sampling;
use serde::Serialize;

use crate::{
    backend::{Parts, of_this_computer, packed_dirs},
    device::DeviceChoice,
    error::Error,
    memory,
    sampler::Sampler,
    session::Session,
};

/// Tokens decoded before decoding is timed.
const WARM_UP: usize = 4;
/// Of the conversation with two turns: tokens of the first answer and of the second question.
const ANSWER: usize = 48;
const SECOND_QUESTION: usize = 40;
/// Pairs of one row and many rows for each repetition of the verification: each is short.
const VERIFY_PAIRS: usize = 8;

/// What [`bench()`] measures. What has a length of zero is left out.
#[derive(Debug, Clone)]
pub struct BenchOptions {
    /// The GGUF file.
    pub model: PathBuf,
    /// Where to compute.
    pub device: DeviceChoice,
    /// CPU threads; `None` uses as many as the program always does.
    pub threads: Option<usize>,
    /// The plain path, which is the definition.
    pub plain: bool,
    /// Length of the prompt that is prefilled, in tokens.
    pub prompt_tokens: usize,
    /// Tokens decoded.
    pub decode_tokens: usize,
    /// Tokens in the cache when decoding or verifying begins.
    pub depth: usize,
    /// Rows of the pass that is compared with a pass of one: what verifying drafted tokens costs. At most
    /// [`MAX_DRAFT`] and one.
    pub verify_rows: usize,
    /// Whether to hold a conversation of two turns, the first with a prompt of `prompt_tokens`.
    pub turns: bool,
    /// How often each measurement is repeated.
    pub reps: usize,
    /// Folder for the tokenizer's cache, and for packed weights that cannot lie beside the model.
    pub cache_dir: Option<PathBuf>,
}

/// Median, least and most of some repetitions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// The middle one; of an even number the mean of the two in the middle.
    pub median: f64,
    /// The least.
    pub min: f64,
    /// The most.
    pub max: f64,
}

impl Spread {
    /// The spread of `values`; `None` without any.
    pub fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let (min, max) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let median = if values.len() % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 };
        Some(Self { median, min, max })
    }
}

/// What verifying drafted tokens costs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct VerifyReport {
    /// Rows of the longer pass, each with its logits.
    pub rows: usize,
    /// A pass of one row, with its logits.
    pub one_s: Spread,
    /// A pass of `rows` rows.
    pub all_s: Spread,
    /// The longer pass over the pass of one that ran just before it.
    pub ratio: Spread,
}

/// From the prompt to the first token drawn, in a conversation of two turns.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct TurnsReport {
    /// The first question, with nothing in the cache.
    pub cold_s: Spread,
    /// Tokens of the first prompt, all of them computed.
    pub cold_tokens: usize,
    /// The second question, with the first turn in the cache.
    pub warm_s: Spread,
    /// Tokens of the second prompt.
    pub warm_tokens: usize,
    /// Those of them that were computed.
    pub warm_computed: usize,
}

/// What was measured. Times in seconds, rates in tokens a second, memory in bytes; none for what was left out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BenchReport {
    /// Opening the file, its weights and its tokenizer. The first repetition may read from the disk.
    pub load_s: Spread,
    /// From the prompt to the first token drawn, with an empty cache.
    pub ttft_s: Option<Spread>,
    /// Prefill of the prompt, with an empty cache.
    pub prefill_tps: Option<Spread>,
    /// Decoding, sampling included, with `depth` tokens in the cache at its beginning.
    pub decode_tps: Option<Spread>,
    /// Verification of drafted tokens, with `depth` tokens in the cache.
    pub verify: Option<VerifyReport>,
    /// The conversation of two turns.
    pub turns: Option<TurnsReport>,
    /// Most resident memory of this process so far, pages of the mapped file included.
    pub peak_rss_bytes: Option<u64>,
    /// Most memory taken on the graphics card; `None` on the CPU and where it is not known.
    pub peak_vram_bytes: Option<u64>,
    /// Where it ran.
    pub device: String,
    /// Which implementation ran.
    pub kernels: String,
    /// CPU threads in use.
    pub threads: usize,
}

/// Measures `options.model`. Weights are what they are; tokens are arbitrary. Before anything is timed it runs once, so
/// that pages are mapped and threads awake.
///
/// # Errors
/// If nothing is asked for, the file cannot be opened, or the lengths do not fit the model.
pub fn bench(options: &BenchOptions) -> Result<BenchReport, Error> {
    let BenchOptions { prompt_tokens, decode_tokens, verify_rows, .. } = *options;
    for (name, value) in [
        ("prompt tokens, decode tokens and rows to verify", prompt_tokens + decode_tokens + verify_rows),
        ("prompt tokens", if options.turns { prompt_tokens } else { 1 }),
        ("repetitions", options.reps),
        ("threads", options.threads.unwrap_or(1)),
    ] {
        if value == 0 {
            return Err(Error::Zero { name });
        }
    }
    let Some(threads) = options.threads else { return measure(options) };
    // candle's parallel loops use the pool in which they are called.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.map_err(|error| Error::EngineThread(std::io::Error::other(error)))?.install(|| measure(options))
}

fn measure(options: &BenchOptions) -> Result<BenchReport, Error> {
    let threads = match options.threads {
        threads @ Some(_) => LoadOptions { threads, ..LoadOptions::default() },
        None => of_this_computer(),
    };
    let load_options = LoadOptions {
        plain: options.plain,
        packed_dirs: packed_dirs(&options.model, options.cache_dir.as_deref()),
        ..threads
    };
    let (load_s, model) = loaded(&options.model, options, &load_options)?;
    let lab = Lab { model: &*model, reps: options.reps };
    let (mut ttft_s, mut prefill_tps) = (None, None);
    if options.prompt_tokens > 0 {
        (ttft_s, prefill_tps) = lab.prefill(options.prompt_tokens)?;
    }
    let decode_tps = match options.decode_tokens {
        0 => None,
        count => lab.decode(options.depth, count)?,
    };
    let verify = match options.verify_rows {
        0 => None,
        rows => lab.verify(options.depth, rows)?,
    };
    let turns = if options.turns { lab.turns(options.prompt_tokens)? } else { None };
    let runtime = model.runtime();
    Ok(BenchReport {
        load_s,
        ttft_s,
        prefill_tps,
        decode_tps,
        verify,
        turns,
        peak_rss_bytes: memory::peak_resident_bytes(),
        peak_vram_bytes: None,
        device: runtime.device,
        kernels: runtime.kernels,
        threads: runtime.threads,
    })
}

fn loaded(path: &Path, options: &BenchOptions, load_options: &LoadOptions) -> Result<(Spread, Box<dyn Model>), Error> {
    let mut seconds = Vec::new();
    let mut parts = None;
    for _ in 0..options.reps {
        // The old one goes first: two full-size models need not fit.
        drop(parts.take());
        let begun = Instant::now();
        parts = Some(Parts::open(path, options.device, options.cache_dir.as_deref(), load_options)?);
        seconds.push(begun.elapsed().as_secs_f64());
    }
    let nothing = || Error::Zero { name: "repetitions" };
    Ok((Spread::of(seconds).ok_or_else(nothing)?, parts.ok_or_else(nothing)?.model))
}

/// An open model, and how often each measurement is repeated.
struct Lab<'a> {
    model: &'a dyn Model,
    reps: usize,
}

impl Lab<'_> {
    /// Token `index` of an arbitrary text, spread over the vocabulary so that rows of the embedding tables come from
    /// different pages.
    fn token(&self, index: usize) -> u32 {
        let vocab = u64::try_from(self.model.config().vocab_size).unwrap_or(u64::MAX);
        ((index as u64 * 2_654_435_761 + 1_013) % vocab) as u32
    }

    fn tokens(&self, from: usize, count: usize) -> Vec<u32> {
        (from..from + count).map(|index| self.token(index)).collect()
    }

    fn feed(&self, sequence: &mut dyn Sequence, tokens: &[u32]) -> Result<Logits, Error> {
        Ok(prefill(sequence, tokens, self.model.chunk_limit(), Rows::Last, &|| false, &mut |_, _| {})?)
    }

    /// Time to the first token, and prompt tokens a second.
    fn prefill(&self, count: usize) -> Result<(Option<Spread>, Option<Spread>), Error> {
        let prompt = self.tokens(0, count);
        let mut sequence = self.model.sequence(count)?;
        self.feed(&mut *sequence, &prompt[..count.min(self.model.chunk_limit())])?;
        let (mut first_s, mut rates) = (Vec::new(), Vec::new());
        for _ in 0..self.reps {
            sequence.clear();
            let mut sampler = sampler();
            let begun = Instant::now();
            let row = self.feed(&mut *sequence, &prompt)?;
            let prefill_s = begun.elapsed().as_secs_f64();
            sampler.sample(last_row(&row)?)?;
            first_s.push(begun.elapsed().as_secs_f64());
            rates.push(count as f64 / prefill_s);
        }
        Ok((Spread::of(first_s), Spread::of(rates)))
    }

    /// Tokens a second with `depth` tokens before them.
    fn decode(&self, depth: usize, count: usize) -> Result<Option<Spread>, Error> {
        let depth = depth.max(1);
        let mut sequence = self.model.sequence(depth + count.max(WARM_UP))?;
        self.feed(&mut *sequence, &self.tokens(7, depth))?;
        let start = sequence.checkpoint()?;
        let mut row = Logits::default();
        let mut rates = Vec::new();
        for rep in 0..=self.reps {
            // The first time is not timed.
            let count = if rep == 0 { WARM_UP } else { count };
            let mut sampler = sampler();
            let mut next = self.token(depth);
            let begun = Instant::now();
            for _ in 0..count {
                sequence.forward(&[next], Rows::Last, &|| false, &mut row)?;
                next = sampler.sample(last_row(&row)?)?;
            }
            if rep > 0 {
                rates.push(count as f64 / begun.elapsed().as_secs_f64());
            }
            sequence.rewind(&start)?;
        }
        Ok(Spread::of(rates))
    }

    /// One row against `rows`, in turn, each taken back.
    fn verify(&self, depth: usize, rows: usize) -> Result<Option<VerifyReport>, Error> {
        // The first row is the token drawn before, the others are the draft.
        let rows = rows.min(MAX_DRAFT + 1);
        let depth = depth.max(1);
        let mut sequence = self.model.sequence(depth + rows)?;
        self.feed(&mut *sequence, &self.tokens(7, depth))?;
        let start = sequence.checkpoint()?;
        let tokens = self.tokens(depth + 7, rows);
        let mut logits = Logits::default();
        let mut pass = |tokens: &[u32]| -> Result<f64, Error> {
            sequence.rewind(&start)?;
            let begun = Instant::now();
            sequence.forward(tokens, Rows::All, &|| false, &mut logits)?;
            Ok(begun.elapsed().as_secs_f64())
        };
        let (mut one_s, mut all_s, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for index in 0..=self.reps * VERIFY_PAIRS {
            let (one, all) = (pass(&tokens[..1])?, pass(&tokens)?);
            if index > 0 {
                one_s.push(one);
                all_s.push(all);
                ratios.push(all / one);
            }
        }
        let spreads = (Spread::of(one_s), Spread::of(all_s), Spread::of(ratios));
        let (Some(one_s), Some(all_s), Some(ratio)) = spreads else { return Ok(None) };
        Ok(Some(VerifyReport { rows, one_s, all_s, ratio }))
    }

    /// A conversation as the tutor holds it: chunks of its own choosing, the cache kept between turns.
    fn turns(&self, prompt_tokens: usize) -> Result<Option<TurnsReport>, Error> {
        let question = self.tokens(0, prompt_tokens);
        let (mut cold_s, mut warm_s) = (Vec::new(), Vec::new());
        let (mut warm_tokens, mut warm_computed) = (0, 0);
        let mut session =
            Session::new(self.model.sequence(prompt_tokens + ANSWER + SECOND_QUESTION)?, self.model.chunk_limit());
        for rep in 0..=self.reps {
            session.clear();
            let mut sampler = sampler();
            let mut first = |session: &mut Session, prompt: &[u32]| -> Result<(f64, usize, u32), Error> {
                let begun = Instant::now();
                // No token opens a turn here: where turns begin only decides where the state is saved.
                let prefilled = session.prefill(prompt, u32::MAX, &|| false, &mut |_, _| {})?;
                let token = sampler.sample(session.row(0))?;
                Ok((begun.elapsed().as_secs_f64(), prefilled.computed, token))
            };
            let (cold, _, mut next) = first(&mut session, &question)?;
            let mut conversation = question.clone();
            for index in 0..ANSWER {
                session.decode(next, &|| false)?;
                conversation.push(next);
                next = self.token(prompt_tokens + index);
            }
            conversation.extend(self.tokens(prompt_tokens + ANSWER, SECOND_QUESTION));
            let (warm, computed, _) = first(&mut session, &conversation)?;
            // The first time is not timed.
            if rep > 0 {
                cold_s.push(cold);
                warm_s.push(warm);
            }
            (warm_tokens, warm_computed) = (conversation.len(), computed);
        }
        let (Some(cold_s), Some(warm_s)) = (Spread::of(cold_s), Spread::of(warm_s)) else { return Ok(None) };
        Ok(Some(TurnsReport { cold_s, cold_tokens: prompt_tokens, warm_s, warm_tokens, warm_computed }))
    }
}

/// Draws as the tutor does, the same tokens each time.
fn sampler() -> Sampler {
    Sampler::new(&Sampling { seed: Some(1), ..Sampling::default() })
}

fn last_row(logits: &Logits) -> Result<&[f32], Error> {
    logits.last().ok_or_else(|| Error::Logits { what: "the model returned no row".into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_median_least_and_most() {
        assert_eq!(Spread::of(vec![3.0, 1.0, 2.0]), Some(Spread { median: 2.0, min: 1.0, max: 3.0 }));
        assert_eq!(Spread::of(vec![4.0, 1.0, 2.0, 3.0]), Some(Spread { median: 2.5, min: 1.0, max: 4.0 }));
        assert_eq!(Spread::of(vec![]), None);
    }
}
