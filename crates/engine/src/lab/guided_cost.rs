//! What holding an answer to its form costs beside the model.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use gemma4::{LoadOptions, Tokenizer, gguf::GgufFile};
use generation::{Sampling, Structure};
use serde::Serialize;

use crate::{
    backend::{GemmaCodec, Parts, of_this_computer, packed_dirs},
    codec::{Codec, Vocabulary},
    device::DeviceChoice,
    error::Error,
    guided::{Dialect, Guides, Place, Workshop, environment},
    memory,
    sampler::Sampler,
    session::Session,
};

/// Steps of one answer before the next way of writing has its turn.
const ROUND: usize = 48;
/// Tokens of the arbitrary prompt.
const PROMPT: usize = 32;

/// What is measured.
#[derive(Debug, Clone)]
pub struct GuidedCostOptions {
    /// The GGUF file of the model that computes.
    pub model: PathBuf,
    /// The GGUF file whose vocabulary is used; the model's own without one. Its ids must lie within the model's.
    pub vocabulary: Option<PathBuf>,
    /// CPU threads; `None` uses as many as the program always does.
    pub threads: Option<usize>,
    /// The form.
    pub structure: Structure,
    /// A document of that form, without space between tokens.
    pub sample: String,
    /// How often the document is walked through, and how many answers are written each way.
    pub reps: usize,
    /// Folder for packed weights that cannot lie beside the model.
    pub cache_dir: Option<PathBuf>,
}

/// Some durations, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Micros {
    /// How many.
    pub count: usize,
    /// Their mean.
    pub mean: f64,
    /// Half of them are at most this.
    pub p50: f64,
    /// 99 of 100 are at most this.
    pub p99: f64,
    /// The longest.
    pub max: f64,
}

impl Micros {
    fn of(mut durations: Vec<Duration>) -> Self {
        durations.sort_unstable();
        let micros = |duration: Option<&Duration>| duration.map_or(0.0, |duration| duration.as_secs_f64() * 1e6);
        let total: Duration = durations.iter().sum();
        let last = durations.len().saturating_sub(1);
        Self {
            count: durations.len(),
            mean: micros(Some(&total)) / durations.len().max(1) as f64,
            p50: micros(durations.get(last / 2)),
            p99: micros(durations.get(last * 99 / 100)),
            max: micros(durations.last()),
        }
    }
}

/// What was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GuidedCostReport {
    /// Tokens of the vocabulary.
    pub vocab: usize,
    /// Making the trie of the vocabulary, in seconds.
    pub trie_s: f64,
    /// Making its classes, in seconds.
    pub classes_s: f64,
    /// Resident memory that both took, in bytes.
    pub memory_bytes: Option<u64>,
    /// Making the grammar, in seconds.
    pub grammar_s: f64,
    /// Tokens of the document.
    pub sample_tokens: usize,
    /// Of these, how many the form forces.
    pub sample_forced: usize,
    /// Along the document, for each token that is not forced: going on by it and by what it forces.
    pub advance: Micros,
    /// Computing the mask.
    pub mask: Micros,
    /// Forbidding in a row of logits.
    pub apply: Micros,
    /// The three together, one after the other: what it would cost on one thread.
    pub serial: Micros,
    /// A step of the model without a form: a pass over one token, and the draw.
    pub step: Micros,
    /// A step along the document with a form, where nothing was forced.
    pub held_step: Micros,
    /// Of every step with a form, what is not the pass nor the draw: waiting for the mask, applying it, going on.
    pub added: Micros,
    /// Which implementation computed.
    pub kernels: String,
    /// Threads that computed.
    pub threads: usize,
}

/// Measures it. A pass takes as long whatever its token, so the document's tokens are fed where a model would draw others;
/// the draw is made all the same.
///
/// # Errors
/// If a file cannot be opened, the form cannot be used, or the document does not have it.
pub fn guided_cost(options: &GuidedCostOptions) -> Result<GuidedCostReport, Error> {
    let load = LoadOptions {
        packed_dirs: packed_dirs(&options.model, options.cache_dir.as_deref()),
        ..match options.threads {
            threads @ Some(_) => LoadOptions { threads, ..LoadOptions::default() },
            None => of_this_computer(),
        }
    };
    // Before the model is opened, whose mapped pages would be counted as memory of the trie.
    let vocabulary_file = options.vocabulary.as_ref().unwrap_or(&options.model);
    let file = GgufFile::open(vocabulary_file).map_err(gemma4::Error::from)?;
    let vocabulary = GemmaCodec::new(Tokenizer::from_gguf(&file, None)?).vocabulary();
    drop(file);
    let walk = walk(options, &vocabulary)?;
    let parts = Parts::open(&options.model, DeviceChoice::Cpu, options.cache_dir.as_deref(), &load)?;
    let session = Session::new(parts.model.sequence(PROMPT + ROUND * 64)?, parts.model.chunk_limit());
    let steps = steps(options, &vocabulary, session)?;
    let runtime = parts.model.runtime();
    Ok(GuidedCostReport {
        step: Micros::of(steps.free),
        held_step: Micros::of(steps.held),
        added: Micros::of(steps.added),
        kernels: runtime.kernels,
        threads: runtime.threads,
        ..walk
    })
}

fn failed(what: String) -> Error {
    Error::Guide { what }
}

/// The grammar's own work along the document, on this thread.
fn walk(options: &GuidedCostOptions, vocabulary: &Arc<dyn Vocabulary>) -> Result<GuidedCostReport, Error> {
    let before = memory::resident_bytes();
    let begun = Instant::now();
    let environment = environment(Arc::clone(vocabulary));
    let trie_s = begun.elapsed().as_secs_f64();
    let begun = Instant::now();
    let workshop = Workshop::new(&environment, Dialect::Answer).map_err(failed)?;
    let classes_s = begun.elapsed().as_secs_f64();
    let memory_bytes = before.zip(memory::resident_bytes()).map(|(before, now)| now.saturating_sub(before));
    let begun = Instant::now();
    let grammar = workshop.grammar(&options.structure.schema).map_err(failed)?;
    let grammar_s = begun.elapsed().as_secs_f64();

    let mut row = vec![0.0; vocabulary.size()];
    let (mut advance, mut mask, mut apply, mut serial) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut n_tokens, mut n_forced) = (0, 0);
    for _ in 0..options.reps {
        let mut place = Place::start(grammar.deep_clone());
        let mut document = Document::new(&options.sample, vocabulary)?;
        let mut forced = place.advance(None).map_err(failed)?;
        (n_tokens, n_forced) = (0, 0);
        loop {
            n_tokens += forced.tokens.len();
            n_forced += forced.tokens.len();
            document.skip(&forced.tokens)?;
            if forced.complete {
                break;
            }
            let begun = Instant::now();
            let allowed = place.mask().map_err(failed)?;
            mask.push(begun.elapsed());
            row.fill(1.0);
            let applying = Instant::now();
            allowed.apply(&mut row);
            apply.push(applying.elapsed());
            let token = document.next()?;
            if !allowed.allows(token) {
                return Err(failed(format!("token {token} of the document is not allowed")));
            }
            let going_on = Instant::now();
            forced = place.advance(Some(token)).map_err(failed)?;
            advance.push(going_on.elapsed());
            serial.extend(mask.last().zip(apply.last()).zip(advance.last()).map(|((a, b), c)| *a + *b + *c));
            n_tokens += 1;
        }
    }
    Ok(GuidedCostReport {
        vocab: vocabulary.size(),
        trie_s,
        classes_s,
        memory_bytes,
        grammar_s,
        sample_tokens: n_tokens,
        sample_forced: n_forced,
        advance: Micros::of(advance),
        mask: Micros::of(mask),
        apply: Micros::of(apply),
        serial: Micros::of(serial),
        step: Micros::of(Vec::new()),
        held_step: Micros::of(Vec::new()),
        added: Micros::of(Vec::new()),
        kernels: String::new(),
        threads: 0,
    })
}

/// Steps of answers, each way.
#[derive(Default)]
struct Steps {
    free: Vec<Duration>,
    held: Vec<Duration>,
    added: Vec<Duration>,
}

/// Answers with and without the form in turn, so that both meet the same machine.
fn steps(options: &GuidedCostOptions, vocabulary: &Arc<dyn Vocabulary>, mut session: Session) -> Result<Steps, Error> {
    let goes_on = || false;
    let mut guides = Guides::new(Arc::clone(vocabulary));
    let mut sampler = Sampler::new(&Sampling { seed: Some(1), ..Sampling::default() });
    let size = vocabulary.size().max(1);
    let prompt: Vec<u32> = (0..PROMPT).map(|index| ((index * 7919 + 1000) % size) as u32).collect();
    let mut steps = Steps::default();
    let early = || failed("the answer was cancelled".to_owned());
    // The first time nothing is kept: pages are mapped, threads awake.
    for rep in 0..=options.reps {
        let keep = rep > 0;
        session.prefill(&prompt, u32::MAX, &goes_on, &mut |_, _| {})?;
        let mut token = prompt[0];
        for _ in 0..ROUND {
            let begun = Instant::now();
            session.append(&[token], &goes_on)?;
            token = sampler.sample(session.row(0))?;
            if keep {
                steps.free.push(begun.elapsed());
            }
        }

        session.prefill(&prompt, u32::MAX, &goes_on, &mut |_, _| {})?;
        let guide = guides.begin(&options.structure, &goes_on)?.ok_or_else(early)?;
        let mut document = Document::new(&options.sample, vocabulary)?;
        let mut forced = guide.start(&goes_on)?.ok_or_else(early)?;
        let mut unfed = Vec::new();
        for _ in 0..ROUND {
            document.skip(&forced.tokens)?;
            unfed.extend_from_slice(&forced.tokens);
            if forced.complete {
                break;
            }
            let passing = Instant::now();
            session.append(&unfed, &goes_on)?;
            let waiting = Instant::now();
            let mask = guide.mask(&goes_on)?.ok_or_else(early)?;
            mask.apply(session.row_mut(0));
            let drawing = Instant::now();
            sampler.sample(session.row(0))?;
            let drawn = Instant::now();
            let token = document.next()?;
            let one = unfed.len() == 1;
            unfed.clear();
            unfed.push(token);
            let going_on = Instant::now();
            forced = guide.take(token, &goes_on)?.ok_or_else(early)?;
            let took = going_on.elapsed();
            if keep {
                steps.added.push(drawing - waiting + took);
                if one {
                    steps.held.push(drawn - passing + took);
                }
            }
        }
    }
    Ok(steps)
}

/// The tokens of a document, wherever the grammar's own forced tokens cut it.
struct Document<'a> {
    text: &'a str,
    /// Where in it, in bytes.
    at: usize,
    vocabulary: &'a dyn Vocabulary,
    /// Of the rest.
    tokens: std::collections::VecDeque<u32>,
}

impl<'a> Document<'a> {
    fn new(text: &'a str, vocabulary: &'a Arc<dyn Vocabulary>) -> Result<Self, Error> {
        let tokens = vocabulary.encode(text)?.into();
        Ok(Self { text, at: 0, vocabulary: &**vocabulary, tokens })
    }

    /// The next token.
    fn next(&mut self) -> Result<u32, Error> {
        let token = self.tokens.pop_front().ok_or_else(|| failed("the document has ended".to_owned()))?;
        self.at += self.len(token);
        Ok(token)
    }

    /// Goes on by `forced`, which need not be the document's own cut.
    fn skip(&mut self, forced: &[u32]) -> Result<(), Error> {
        if forced.is_empty() {
            return Ok(());
        }
        self.at += forced.iter().map(|token| self.len(*token)).sum::<usize>();
        let rest = self.text.get(self.at..).ok_or_else(|| failed("a character of the document is cut".to_owned()))?;
        self.tokens = self.vocabulary.encode(rest)?.into();
        Ok(())
    }

    fn len(&self, token: u32) -> usize {
        self.vocabulary.bytes(token).map_or(0, |bytes| bytes.len())
    }
}
