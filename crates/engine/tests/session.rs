//! What a session reuses, and that the logits after any return are those of a fresh prefill.

#[path = "support/scripted.rs"]
mod scripted;

use std::path::Path;

use engine::session::{Prefilled, Session};
use gemma4::{LoadOptions, Model, Sequence};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use scripted::ScriptedSequence;

/// `<|turn>` in Gemma's vocabulary; any id serves a session.
const TURN_START: u32 = 105;
const CONTEXT_LEN: usize = 2048;
/// Most tokens of a prompt in one pass.
const CHUNK: usize = 64;

/// A model to run a test on: where sequences come from, and how close two computations of a row must be.
struct Subject {
    name: String,
    new_sequence: Box<dyn Fn() -> Box<dyn Sequence>>,
    vocab: u32,
}

/// The toy, and tiny Gemma 4 files of both kinds, one of them quantized.
fn subjects() -> Vec<Subject> {
    let toy = Subject {
        name: "toy".into(),
        new_sequence: Box::new(|| Box::new(ScriptedSequence::new(CONTEXT_LEN))),
        vocab: 256,
    };
    let files = ["tiny-e2b/tiny-e2b-F16.gguf", "tiny-e4b/tiny-e4b-Q4_K_M.gguf"].map(|name| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden").join(name);
        let model: Box<dyn Model> = gemma4::load::open(&path, &LoadOptions::default()).expect("a golden file opens");
        Subject {
            name: name.into(),
            vocab: u32::try_from(model.config().vocab_size).expect("small"),
            new_sequence: Box::new(move || model.sequence(CONTEXT_LEN).expect("a small cache")),
        }
    });
    std::iter::once(toy).chain(files).collect()
}

fn tokens(rng: &mut StdRng, count: usize, vocab: u32) -> Vec<u32> {
    std::iter::once(TURN_START).chain((1..count).map(|_| rng.random_range(106..vocab))).collect()
}

fn prefill(session: &mut Session, prompt: &[u32]) -> (Vec<f32>, Prefilled) {
    let prefilled = session.prefill(prompt, TURN_START, &|| false, &mut |_, _| {}).expect("the prompt fits");
    (session.row(0).to_vec(), prefilled)
}

fn argmax(row: &[f32]) -> u32 {
    let best = row.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1).then(b.0.cmp(&a.0))).expect("a row");
    u32::try_from(best.0).expect("small")
}

/// `count` greedy tokens after `row`, each but the last one fed.
fn answer(session: &mut Session, mut row: Vec<f32>, count: usize) -> Vec<u32> {
    let mut answer = Vec::new();
    for index in 0..count {
        let token = argmax(&row);
        answer.push(token);
        if index + 1 < count {
            row = session.decode(token, &|| false).expect("the answer fits").to_vec();
        }
    }
    session.checkpoint().expect("memory suffices");
    answer
}

/// Asserts that `session` answers `prompt` like a new one; returns what it reused.
fn check(subject: &Subject, session: &mut Session, prompt: &[u32]) -> Prefilled {
    let (row, prefilled) = prefill(session, prompt);
    assert_eq!(session.fed(), prompt, "{}", subject.name);
    assert_eq!(prefilled.reused + prefilled.computed, prompt.len(), "{}", subject.name);
    let mut fresh = Session::new((subject.new_sequence)(), CHUNK);
    let (expected, all) = prefill(&mut fresh, prompt);
    assert_eq!(all, Prefilled { reused: 0, computed: prompt.len() });
    let worst = row.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst <= 1e-4, "{}: logits differ by {worst} from a fresh prefill", subject.name);
    prefilled
}

#[test]
fn regenerate_and_edit_after_a_long_answer_equal_a_fresh_prefill() {
    for subject in subjects() {
        let mut rng = StdRng::seed_from_u64(1);
        let system = tokens(&mut rng, 60, subject.vocab);
        let question = tokens(&mut rng, 70, subject.vocab);
        let prompt = [system.clone(), question].concat();
        let mut session = Session::new((subject.new_sequence)(), CHUNK);
        let (row, _) = prefill(&mut session, &prompt);
        let first = answer(&mut session, row, 640);

        // Regenerate: nothing is computed, and the greedy answer is the same.
        assert_eq!(check(&subject, &mut session, &prompt).computed, 0, "{}", subject.name);
        let (row, _) = prefill(&mut session, &prompt);
        let again = answer(&mut session, row, 640);
        assert_eq!(again, first, "{}", subject.name);

        // The next question continues: only what is new is computed (the last answer token was never fed).
        let next = tokens(&mut rng, 40, subject.vocab);
        let second = [prompt.clone(), first.clone(), next].concat();
        assert_eq!(check(&subject, &mut session, &second).computed, 41, "{}", subject.name);
        let (row, _) = prefill(&mut session, &second);
        answer(&mut session, row, 620);

        // Edit the second question: back to the end of the first answer.
        let edited = [prompt.clone(), first.clone(), tokens(&mut rng, 30, subject.vocab)].concat();
        assert_eq!(check(&subject, &mut session, &edited).computed, 31, "{}", subject.name);

        // Edit the first question: back to the instructions.
        let edited = [system.clone(), tokens(&mut rng, 25, subject.vocab)].concat();
        assert_eq!(check(&subject, &mut session, &edited).computed, 25, "{}", subject.name);

        // Another conversation under other instructions: nothing in common.
        let other = tokens(&mut rng, 50, subject.vocab);
        assert_eq!(check(&subject, &mut session, &other).reused, 0);
    }
}

/// A random walk through a tree of conversations: continue, regenerate, edit anywhere, begin anew.
#[test]
fn any_walk_through_branches_equals_a_fresh_prefill() {
    for subject in subjects() {
        let steps = if subject.name == "toy" { 400 } else { 10 };
        let mut rng = StdRng::seed_from_u64(2);
        let mut session = Session::new((subject.new_sequence)(), CHUNK);
        let mut known: Vec<Vec<u32>> = vec![tokens(&mut rng, 20, subject.vocab)];
        for _ in 0..steps {
            let base = known.choose(&mut rng).expect("never empty").clone();
            let cut = if rng.random_bool(0.3) { rng.random_range(1..=base.len()) } else { base.len() };
            let extra = rng.random_range(1..90);
            let prompt = [base[..cut].to_vec(), tokens(&mut rng, extra, subject.vocab)].concat();
            check(&subject, &mut session, &prompt);
            let (row, prefilled) = prefill(&mut session, &prompt);
            assert_eq!(prefilled.computed, 0);
            let count = rng.random_range(1..50);
            let reply = answer(&mut session, row, count);
            assert!(session.checkpoints().count() <= 8);
            assert!(session.checkpoints().is_sorted(), "ascending");
            let whole = [prompt, reply].concat();
            if whole.len() < 1200 {
                known.push(whole);
            }
        }
    }
}

#[test]
fn a_cancelled_prefill_keeps_what_it_computed() {
    let mut session = Session::new(Box::new(ScriptedSequence::new(CONTEXT_LEN)), CHUNK);
    let mut rng = StdRng::seed_from_u64(3);
    let prompt = tokens(&mut rng, 10 * CHUNK, 256);
    let asked = std::cell::Cell::new(0);
    let cancelled = || {
        asked.set(asked.get() + 1);
        asked.get() > 4 * 5 + 2 // in the sixth chunk, between layers
    };
    let outcome = session.prefill(&prompt, TURN_START, &cancelled, &mut |_, _| {});
    assert!(matches!(outcome, Err(engine::Error::Model(gemma4::Error::Cancelled))));
    let kept = session.fed().len();
    assert!(kept > 0 && kept <= 5 * CHUNK, "{kept} tokens");
    assert_eq!(session.fed(), &prompt[..kept]);
    assert_eq!(prefill(&mut session, &prompt).1, Prefilled { reused: kept, computed: prompt.len() - kept });
}

#[test]
fn progress_counts_to_the_end_in_chunks() {
    let mut session = Session::new(Box::new(ScriptedSequence::new(CONTEXT_LEN)), CHUNK);
    let prompt = tokens(&mut StdRng::seed_from_u64(4), 2 * CHUNK + 10, 256);
    let mut seen = Vec::new();
    let progress = &mut |now: Prefilled, total| seen.push((now.computed, total));
    session.prefill(&prompt, TURN_START, &|| false, progress).expect("fits");
    let total = prompt.len();
    assert_eq!((seen[0], seen[seen.len() - 1]), ((0, total), (total, total)));
    for pair in seen.windows(2) {
        let step = pair[1].0 - pair[0].0;
        assert!((1..=CHUNK).contains(&step), "{seen:?}");
    }
}

#[test]
fn checkpoints_stay_few_and_keep_the_instructions_and_the_present() {
    let mut session = Session::new(Box::new(ScriptedSequence::new(100_000)), CHUNK);
    let mut rng = StdRng::seed_from_u64(5);
    let mut prompt = tokens(&mut rng, 100, 256);
    for turn in 0..40 {
        prompt.extend(tokens(&mut rng, 60, 256));
        let (row, _) = prefill(&mut session, &prompt);
        let before = prompt.len();
        prompt.extend(answer(&mut session, row, 50));
        let kept: Vec<usize> = session.checkpoints().collect();
        assert!(kept.len() <= 8, "turn {turn}: {kept:?}");
        assert_eq!(kept[0], 100, "the instructions stay");
        assert_eq!(kept[kept.len() - 2..], [before, prompt.len() - 1], "before and after the answer");
    }
}

#[test]
fn an_empty_prompt_is_refused() {
    let mut session = Session::new(Box::new(ScriptedSequence::new(10)), CHUNK);
    assert!(session.prefill(&[], TURN_START, &|| false, &mut |_, _| {}).is_err());
}
