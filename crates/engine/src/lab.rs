//! The laboratory: one model in this process, without worker or queue, for `aula logits`, `bench` and `tokenize`.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use gemma4::{LoadOptions, Logits, Rows, Sequence, Tokenizer, Turn, chat_template, gguf::GgufFile, model::prefill};
use generation::Sampling;
use serde::Serialize;

use crate::{
    backend::{Parts, open_model},
    device::DeviceChoice,
    error::Error,
    memory,
    sampler::Sampler,
    session::PREFILL_CHUNK,
};

/// How tokens are fed for [`logits`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogitsMode {
    /// In chunks, as a prompt is.
    #[default]
    Prefill,
    /// One at a time through the KV cache, as an answer is.
    Decode,
}

/// What [`logits`] computes.
#[derive(Debug, Clone)]
pub struct LogitsRequest {
    /// The GGUF file.
    pub model: PathBuf,
    /// Where to compute.
    pub device: DeviceChoice,
    /// The token ids, at least one.
    pub tokens: Vec<u32>,
    /// How they are fed.
    pub mode: LogitsMode,
    /// Only the last row, the way generation runs.
    pub last: bool,
}

/// Logits after the final softcap, `(n_tokens, vocab)`, or one row with `last`.
///
/// # Errors
/// If the file cannot be opened, or a token is not in the vocabulary.
pub fn logits(request: &LogitsRequest) -> Result<Logits, Error> {
    if request.tokens.is_empty() {
        return Err(Error::NoTokens);
    }
    let file = Arc::new(GgufFile::open(&request.model).map_err(gemma4::Error::from)?);
    let (model, _) = open_model(&file, request.device, &LoadOptions::default())?;
    let mut sequence = model.sequence(request.tokens.len())?;
    let rows = if request.last { Rows::Last } else { Rows::All };
    if request.mode == LogitsMode::Prefill {
        return Ok(prefill(&mut *sequence, &request.tokens, PREFILL_CHUNK, rows, &|| false, &mut |_, _| {})?);
    }
    let mut values = Vec::new();
    let mut row = Logits::default();
    for (index, &token) in request.tokens.iter().enumerate() {
        let wanted = !request.last || index + 1 == request.tokens.len();
        let rows = if wanted { Rows::Last } else { Rows::None };
        sequence.forward(&[token], rows, &|| false, &mut row)?;
        values.extend_from_slice(row.as_slice());
    }
    Ok(Logits::new(values, model.config().vocab_size))
}

/// The token ids of `text`: plain text after one `<bos>`, or with `chat` the prompt that puts it as a question.
///
/// # Errors
/// If the file cannot be opened or its tokenizer is not Gemma 4's.
pub fn tokenize(model: &Path, text: &str, chat: bool, cache_dir: Option<&Path>) -> Result<Vec<u32>, Error> {
    let file = GgufFile::open(model).map_err(gemma4::Error::from)?;
    let tokenizer = Tokenizer::from_gguf(&file, cache_dir)?;
    let ids = if chat {
        chat_template::render(&tokenizer, &[Turn::User(text.to_owned())])?
    } else {
        tokenizer.encode_with_bos(text)?
    };
    Ok(ids)
}

/// What [`bench()`] measures.
#[derive(Debug, Clone)]
pub struct BenchOptions {
    /// The GGUF file.
    pub model: PathBuf,
    /// Where to compute.
    pub device: DeviceChoice,
    /// CPU threads; `None` uses as many as the program always does.
    pub threads: Option<usize>,
    /// Length of the prompt that is prefilled, in tokens.
    pub prompt_tokens: usize,
    /// Tokens decoded.
    pub decode_tokens: usize,
    /// Tokens in the cache when decoding begins.
    pub depth: usize,
    /// How often each measurement is repeated.
    pub reps: usize,
    /// Folder for the tokenizer's cache.
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

/// What was measured. Times in seconds, rates in tokens a second, memory in bytes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BenchReport {
    /// Opening the file, its weights and its tokenizer. The first repetition may read from the disk.
    pub load_s: Spread,
    /// From the prompt to the first token drawn, with an empty cache.
    pub ttft_s: Spread,
    /// Prefill of the prompt, with an empty cache.
    pub prefill_tps: Spread,
    /// Decoding, sampling included, with `depth` tokens in the cache at its beginning.
    pub decode_tps: Spread,
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

/// Measures `options.model`. Weights are what they are; tokens are arbitrary.
///
/// # Errors
/// If a count is zero, the file cannot be opened, or the lengths do not fit the model.
pub fn bench(options: &BenchOptions) -> Result<BenchReport, Error> {
    for (name, value) in [
        ("prompt tokens", options.prompt_tokens),
        ("decode tokens", options.decode_tokens),
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
    let mut load_s = Vec::new();
    let mut parts = None;
    for _ in 0..options.reps {
        // The old one goes first: two full-size models need not fit.
        drop(parts.take());
        let begun = Instant::now();
        parts =
            Some(Parts::open(&options.model, options.device, options.cache_dir.as_deref(), &LoadOptions::default())?);
        load_s.push(begun.elapsed().as_secs_f64());
    }
    let model = parts.ok_or(Error::Zero { name: "repetitions" })?.model;
    let vocab = u32::try_from(model.config().vocab_size).unwrap_or(u32::MAX);
    // Spread over the vocabulary, so that rows of the embedding tables come from different pages.
    let token = |index: usize| ((index as u64 * 2_654_435_761 + 1_013) % u64::from(vocab)) as u32;

    let prompt: Vec<u32> = (0..options.prompt_tokens).map(token).collect();
    let mut sequence = model.sequence(options.prompt_tokens)?;
    let (mut ttft_s, mut prefill_tps) = (Vec::new(), Vec::new());
    for _ in 0..options.reps {
        sequence.clear();
        let mut sampler = Sampler::new(&Sampling { seed: Some(1), ..Sampling::default() });
        let begun = Instant::now();
        let row = feed(&mut *sequence, &prompt)?;
        let prefill_s = begun.elapsed().as_secs_f64();
        sampler.sample(last_row(&row)?)?;
        ttft_s.push(begun.elapsed().as_secs_f64());
        prefill_tps.push(options.prompt_tokens as f64 / prefill_s);
    }
    drop(sequence);

    let depth = options.depth.max(1);
    let before: Vec<u32> = (0..depth).map(|index| token(index + 7)).collect();
    let mut sequence = model.sequence(depth + options.decode_tokens)?;
    let mut decode_tps = Vec::new();
    let mut checkpoint = None;
    for _ in 0..options.reps {
        match &checkpoint {
            Some(checkpoint) => sequence.rewind(checkpoint)?,
            None => {
                feed(&mut *sequence, &before)?;
                checkpoint = Some(sequence.checkpoint()?);
            }
        }
        let mut sampler = Sampler::new(&Sampling { seed: Some(1), ..Sampling::default() });
        let mut next = token(depth);
        let mut row = Logits::default();
        let begun = Instant::now();
        for _ in 0..options.decode_tokens {
            sequence.forward(&[next], Rows::Last, &|| false, &mut row)?;
            next = sampler.sample(last_row(&row)?)?;
        }
        decode_tps.push(options.decode_tokens as f64 / begun.elapsed().as_secs_f64());
    }

    let runtime = model.runtime();
    let spread = |values| Spread::of(values).ok_or(Error::Zero { name: "repetitions" });
    Ok(BenchReport {
        load_s: spread(load_s)?,
        ttft_s: spread(ttft_s)?,
        prefill_tps: spread(prefill_tps)?,
        decode_tps: spread(decode_tps)?,
        peak_rss_bytes: memory::peak_resident_bytes(),
        peak_vram_bytes: None,
        device: runtime.device,
        kernels: runtime.kernels,
        threads: runtime.threads,
    })
}

fn feed(sequence: &mut dyn Sequence, tokens: &[u32]) -> Result<Logits, Error> {
    Ok(prefill(sequence, tokens, PREFILL_CHUNK, Rows::Last, &|| false, &mut |_, _| {})?)
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
