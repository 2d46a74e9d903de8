//! Speculation changes nothing but the speed: whole answers with and without it.

use std::{cell::Cell, path::Path, sync::Arc};

use gemma4::{LoadOptions, Model, Sequence};
use generation::{EngineInfo, EngineKind, FinishReason, GenerateRequest, Message, Role, Sampling, TokenEvent};
use rand::{Rng, SeedableRng, rngs::StdRng};

use super::{
    Speculation,
    drafter::{Confidence, DraftContext, Drafter},
};
use crate::{
    answer::Writer,
    answer_memory::AnswerMemory,
    backend::{GemmaCodec, Parts},
    codec::{Codec, Recall, TextStream, Vocabulary},
    device::DeviceChoice,
    error::Error,
    guided::Guides,
    logits_processor::{Chain, LogitsProcessor},
    sampler::Sampler,
    scripted::{self, ScriptedSequence, TURN_END, TURN_START, VOCAB},
    session::Session,
};

/// Messages are token ids in figures; so is the text of answers.
struct IdCodec {
    stop: u32,
}

impl Codec for IdCodec {
    fn render(&self, messages: &[Message], _recall: Recall<'_>) -> Result<Vec<u32>, Error> {
        let words = messages.iter().flat_map(|message| message.content.split_whitespace());
        Ok(words.map(|word| word.parse().expect("a token id")).collect())
    }

    fn turn_start(&self) -> u32 {
        TURN_START
    }

    fn is_stop(&self, token: u32) -> bool {
        token == self.stop
    }

    fn vocabulary(&self) -> Arc<dyn Vocabulary> {
        struct Nothing;
        impl Vocabulary for Nothing {
            fn size(&self) -> usize {
                0
            }
            fn bytes(&self, _: u32) -> Option<Vec<u8>> {
                None
            }
            fn ends(&self) -> Vec<u32> {
                Vec::new()
            }
            fn encode(&self, _: &str) -> Result<Vec<u32>, Error> {
                Ok(Vec::new())
            }
        }
        Arc::new(Nothing)
    }

    fn stream(&self) -> Box<dyn TextStream + '_> {
        struct Ids;
        impl TextStream for Ids {
            fn push(&mut self, token: u32) -> String {
                format!("{token} ")
            }
            fn finish(&mut self) -> String {
                String::new()
            }
        }
        Box::new(Ids)
    }
}

/// Guesses what it was told the answer is, with mistakes, and sometimes nothing or nonsense.
struct Informed {
    /// The prompt and the answer.
    truth: Vec<u32>,
    vocab: u32,
    rng: StdRng,
}

impl Drafter for Informed {
    fn draft(&mut self, context: &DraftContext<'_>, max: usize, out: &mut Vec<u32>) -> Confidence {
        assert!(context.hidden.is_none());
        let known = self.truth.get(..context.tokens.len());
        assert!(known.is_none_or(|known| known == context.tokens), "the drafter is shown what was written");
        let count = self.rng.random_range(0..=max);
        let mistakes = [0.0, 0.05, 0.3, 1.0][self.rng.random_range(0..4usize)];
        for index in 0..count {
            let right = self.truth.get(context.tokens.len() + index).copied().unwrap_or(0);
            let wrong = self.rng.random_range(0..self.vocab);
            out.push(if self.rng.random_bool(mistakes) { wrong } else { right });
        }
        self.rng.random_range(0..12)
    }

    fn observe(&mut self, tried: &[u32], right: usize) {
        assert!(right <= tried.len() && tried.len() <= gemma4::MAX_DRAFT);
    }
}

/// Depends on everything that was written and on how often it was asked, so that a row skipped or edited twice shows.
struct Meddler {
    asked: u64,
}

impl LogitsProcessor for Meddler {
    fn process(&mut self, tokens: &[u32], logits: &mut [f32]) {
        self.asked += 1;
        assert_eq!(self.asked, tokens.len() as u64 + 1, "once for each token");
        let digest = tokens.iter().fold(self.asked, |digest, &token| digest.wrapping_mul(31) + u64::from(token));
        let len = logits.len() as u64;
        logits[(digest % len) as usize] += 2.0;
        logits[(digest / 7 % len) as usize] = f32::NEG_INFINITY;
    }
}

/// One answer, and everything that must not depend on speculation.
#[derive(Debug, PartialEq)]
struct Written {
    text: String,
    tokens: Vec<u32>,
    reason: FinishReason,
    /// The next random number of the sampler.
    next_random: u64,
    /// Tokens in the cache; not looked at after a cancellation, which may come before or after the last token was fed.
    fed: Option<Vec<u32>>,
    checkpoints: Option<Vec<usize>>,
}

struct Case<'a> {
    codec: &'a dyn Codec,
    request: GenerateRequest,
    meddle: bool,
    /// Cancelled when so many tokens were shown.
    stop_after: Option<usize>,
}

fn write(case: &Case<'_>, session: &mut Session, speculation: &mut Speculation) -> (Written, (usize, usize)) {
    let mut processors = Chain::default();
    if case.meddle {
        processors.push(Box::new(Meddler { asked: 0 }));
    }
    let shown = Cell::new(0);
    let mut text = String::new();
    let mut sampler = Sampler::new(&case.request.sampling);
    let completion = Writer {
        session,
        codec: case.codec,
        speculation,
        memory: &mut AnswerMemory::default(),
        guides: &mut Guides::new(case.codec.vocabulary()),
        engine: &EngineInfo { kind: EngineKind::Demo, model: String::new(), device: String::new() },
        kept: None,
        processors,
        cancelled: &|| case.stop_after.is_some_and(|most| shown.get() >= most),
        emit: &mut |event| {
            if let TokenEvent::Token { text: piece } = event {
                shown.set(shown.get() + 1);
                text.push_str(&piece);
            }
        },
    }
    .write_with(&case.request, &mut sampler)
    .expect("an answer");
    let whole = completion.finish_reason != FinishReason::Cancelled;
    let written = Written {
        text,
        tokens: completion.token_ids,
        reason: completion.finish_reason,
        next_random: sampler.next_random(),
        fed: whole.then(|| session.fed().to_vec()),
        checkpoints: whole.then(|| session.checkpoints().collect()),
    };
    (written, (completion.usage.drafted_tokens, completion.usage.accepted_tokens))
}

fn request(prompt: &[u32], rng: &mut StdRng, context_len: usize) -> GenerateRequest {
    let content: String = prompt.iter().map(|id| format!("{id} ")).collect();
    let mut request = GenerateRequest::new("r", vec![Message::new(Role::User, content)]);
    request.sampling = match rng.random_range(0..3) {
        0 => Sampling { seed: Some(rng.random()), ..Sampling::greedy() },
        1 => Sampling { temperature: 0.4, seed: Some(rng.random()), ..Sampling::default() },
        _ => Sampling { top_k: 0, top_p: 0.9, seed: Some(rng.random()), ..Sampling::default() },
    };
    request.max_tokens = rng.random_range(1..context_len.min(120));
    request
}

#[test]
fn a_thousand_answers_are_the_same_with_and_without_it() {
    let mut rng = StdRng::seed_from_u64(1);
    let codec = IdCodec { stop: TURN_END };
    let (mut drafted, mut accepted) = (0, 0);
    let mut reasons = Vec::new();
    for case in 0..1000 {
        let context_len = rng.random_range(40..200);
        // The script reads its directives from the bytes of the last turn.
        let question = format!("len={} {}", rng.random_range(0..100), "why ".repeat(rng.random_range(0..5)));
        let prompt: Vec<u32> = [TURN_START]
            .into_iter()
            .chain(question.bytes().map(u32::from))
            .chain([TURN_END, scripted::ANSWER])
            .collect();
        let case = Case {
            codec: &codec,
            request: request(&prompt, &mut rng, context_len),
            meddle: case % 3 == 0,
            stop_after: rng.random_bool(0.2).then(|| rng.random_range(1..60)),
        };
        let new_session = || Session::new(Box::new(ScriptedSequence::new(context_len)), 64);
        let mut plain = new_session();
        let (expected, counts) = write(&case, &mut plain, &mut Speculation::off());
        assert_eq!(counts, (0, 0));
        reasons.push(expected.reason);

        let truth = [&prompt[..], &expected.tokens].concat();
        let informed = Informed { truth, vocab: VOCAB as u32, rng: StdRng::seed_from_u64(rng.random()) };
        for mut speculation in [Speculation::with(Box::new(informed)), Speculation::default()] {
            // As on a computer where a pass over sixteen rows costs as much as one.
            speculation.length.pretend_cheap();
            let mut session = new_session();
            let (written, (tried, right)) = write(&case, &mut session, &mut speculation);
            assert_eq!(written, expected, "{:?}", case.request);
            assert!(right <= tried && right <= written.tokens.len());
            (drafted, accepted) = (drafted + tried, accepted + right);
            // The cache is sound: another answer on it is that of the session without speculation.
            if written.fed.is_some() {
                let again = write(&case, &mut session, &mut speculation).0;
                assert_eq!(again, write(&case, &mut plain, &mut Speculation::off()).0);
            }
        }
    }
    assert!(accepted > 5_000 && drafted - accepted > 5_000, "{accepted} of {drafted} guesses");
    for reason in [FinishReason::Stop, FinishReason::MaxTokens, FinishReason::ContextFull, FinishReason::Cancelled] {
        assert!(reasons.iter().filter(|&&found| found == reason).count() > 20, "{reason:?}");
    }
}

fn file(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

/// Compares answers of a Gemma 4 file; returns how many guesses were right.
fn check_model(model: &dyn Model, case: &Case<'_>, truth_prompt: &[u32], seed: u64) -> usize {
    let sequence = || -> Box<dyn Sequence> { model.sequence(400).expect("a small cache") };
    let (expected, _) = write(case, &mut Session::new(sequence(), model.chunk_limit()), &mut Speculation::off());
    let truth = [truth_prompt, &expected.tokens].concat();
    let vocab = u32::try_from(model.config().vocab_size).expect("small");
    let informed = Informed { truth, vocab, rng: StdRng::seed_from_u64(seed) };
    let mut accepted = 0;
    for mut speculation in [Speculation::with(Box::new(informed)), Speculation::default()] {
        speculation.length.pretend_cheap();
        let mut session = Session::new(sequence(), model.chunk_limit());
        let (written, (_, right)) = write(case, &mut session, &mut speculation);
        assert_eq!(written, expected, "{:?}", case.request.sampling);
        accepted += right;
    }
    accepted
}

#[test]
fn tiny_models_write_the_same_with_and_without_it() {
    let mut rng = StdRng::seed_from_u64(2);
    for name in ["tiny-e2b/tiny-e2b-F16.gguf", "tiny-e2b/tiny-e2b-Q4_0.gguf", "tiny-e4b/tiny-e4b-Q4_K_M.gguf"] {
        let path = file("tests/golden").join(name);
        for plain in [true, false] {
            let options = LoadOptions { plain, ..LoadOptions::default() };
            let model = gemma4::load::open(&path, &options).expect("a golden file opens");
            let mut accepted = 0;
            for case in 0..6 {
                let prompt: Vec<u32> = (0..30).map(|_| rng.random_range(110..570)).collect();
                let codec = IdCodec { stop: 106 };
                let mut request = request(&prompt, &mut rng, 300);
                request.max_tokens = 60;
                let case = Case { codec: &codec, request, meddle: case == 2, stop_after: (case == 4).then_some(20) };
                accepted += check_model(&*model, &case, &prompt, rng.random());
            }
            assert!(accepted > 50, "{name}: {accepted}");
        }
    }
}

#[test]
fn the_demo_model_writes_the_same_with_and_without_it() {
    let parts = Parts::open(&file("models/demo/aula-demo.gguf"), DeviceChoice::Cpu, None, &LoadOptions::default());
    let parts = parts.expect("the demo model opens");
    let codec = GemmaCodec::new(parts.tokenizer);
    let mut rng = StdRng::seed_from_u64(3);
    let mut accepted = 0;
    for (index, question) in ["What is photosynthesis?", "¿Cuánto es 12 + 30?", "Repeat: one two three, one two three."]
        .into_iter()
        .enumerate()
    {
        let mut request = request(&[], &mut rng, 300);
        request.messages = vec![Message::new(Role::User, question)];
        request.max_tokens = 80;
        let prompt = codec.render(&request.messages, &mut |_| None).expect("small");
        let case = Case { codec: &codec, request, meddle: index == 1, stop_after: None };
        accepted += check_model(&*parts.model, &case, &prompt, rng.random());
    }
    assert!(accepted > 10, "{accepted}");
}

#[test]
fn guesses_stay_within_the_limits() {
    struct Endless;
    impl Drafter for Endless {
        fn draft(&mut self, _: &DraftContext<'_>, max: usize, out: &mut Vec<u32>) -> Confidence {
            out.extend(std::iter::repeat_n(97, max + 5));
            0
        }
        fn observe(&mut self, _: &[u32], _: usize) {}
    }
    let mut speculation = Speculation::with(Box::new(Endless));
    speculation.begin(&[1, 2, 3], 10);
    speculation.length.pretend_cheap();
    for most in 0..30 {
        let fed = speculation.next(7, most);
        assert!(fed.len() <= 1 + most.min(gemma4::MAX_DRAFT) && fed[0] == 7, "{most}: {fed:?}");
    }
}
