//! The real thing, small: a Gemma 4 file with random weights, its own tokenizer and chat format, in a worker process.

#[path = "support/harness.rs"]
mod harness;

use std::path::PathBuf;

use engine::{DeviceChoice, EngineOptions, ModelStatus, lab};
use errors::ErrorCode;
use generation::{EngineKind, FinishReason, GenerateRequest, Message, Role, Sampling};
use harness::*;
use test_support::synth::{Mix, Size, Spec, write_model};

struct Model {
    _folder: test_support::TempDir,
    path: PathBuf,
    cache_dir: PathBuf,
}

fn model() -> Model {
    let folder = test_support::temp_folder();
    let path = folder.path().join("tiny.gguf");
    write_model(&path, Spec::new(Size::Tiny, Mix::ALL[0])).expect("the disk has room");
    Model { path, cache_dir: folder.path().join("cache"), _folder: folder }
}

fn options(model: &Model) -> impl FnOnce(&mut EngineOptions) {
    let (path, cache_dir) = (model.path.clone(), model.cache_dir.clone());
    move |options| {
        options.model = Some(path);
        options.cache_dir = cache_dir;
        options.device = DeviceChoice::Cpu;
    }
}

/// Sampled, because random weights repeat themselves when greedy; cool, so that control tokens are rare; seeded, so
/// that it repeats.
fn request(messages: &[Message], seed: u64) -> GenerateRequest {
    let sampling = Sampling { temperature: 0.3, seed: Some(seed), ..Sampling::default() };
    GenerateRequest { sampling, max_tokens: 640, ..GenerateRequest::new("test", messages.to_vec()) }
}

#[tokio::test]
async fn regenerate_edit_and_branch_after_a_long_answer_equal_a_fresh_start() {
    let model = model();
    let engine = start("", options(&model));
    let fresh = start("", options(&model));
    let system = Message::new(Role::System, "You are a patient tutor. ".repeat(12));
    let ask = |text: &str| Message::new(Role::User, text);

    // A long answer; random weights may end their turn early, think, or write control tokens, which are not fed again
    // with the next question, so a seed that does none of this is looked for.
    const NOT_TEXT: [u32; 4] = [2, 100, 101, 105];
    let first = vec![system.clone(), ask("How do I add 1/2 and 1/3?")];
    let mut long = None;
    for seed in 0..50 {
        let (text, completion) = answer(&engine, request(&first, seed)).await;
        if completion.token_ids.len() > 600 && !completion.token_ids.iter().any(|id| NOT_TEXT.contains(id)) {
            long = Some((seed, text, completion));
            break;
        }
    }
    let (seed, text, completion) = long.expect("one of fifty answers is long");

    // The same tokens must come out when everything is prefilled anew.
    let check = async |messages: &[Message], most: usize| {
        let (_, reused) = answer(&engine, request(messages, seed)).await;
        let (_, clean) = answer(&fresh, request(messages, seed)).await;
        assert_eq!(reused.token_ids, clean.token_ids);
        let (used, usage) = (reused.usage.prefilled_tokens, &clean.usage);
        assert!(used <= most, "{used} of {} tokens were prefilled", usage.prompt_tokens);
        // A new conversation in between, so that the second engine has nothing but the instructions to reuse.
        answer(&fresh, request(&[ask("Forget everything.")], 1)).await;
    };
    // Regenerate: nothing to prefill.
    check(&first, 0).await;
    // Continue, then edit the second question, then the first.
    let assistant = Message::new(Role::Assistant, text);
    let turns = |question: &str| [first.clone(), vec![assistant.clone(), ask(question)]].concat();
    let second = turns("And why?");
    let (_, continued) = answer(&engine, request(&second, seed)).await;
    assert!(continued.usage.reused_tokens > completion.usage.prompt_tokens + 600, "{:?}", continued.usage);
    check(&turns("Give me another example, please."), 80).await;
    check(&[system.clone(), ask("What is a prime?")], 60).await;
    engine.shutdown().await;
    fresh.shutdown().await;
}

#[tokio::test]
async fn the_status_says_what_was_opened_and_limits_hold() {
    let model = model();
    let engine = start("", options(&model));
    let ModelStatus::Ready(facts) = status(&engine, "ready", |now| matches!(now, ModelStatus::Ready(_))).await else {
        unreachable!("waited for it");
    };
    assert_eq!(facts.engine.kind, EngineKind::Local);
    assert!(!facts.engine.model.is_empty());
    assert_eq!(facts.context_len, 4096);
    assert_ne!(facts.kernels, "plain", "the fast path computes on the processor");
    assert!(facts.load_s > 0.0 && facts.threads > 0);
    let mut capped = request(&[Message::new(Role::User, "Hola, ¿qué tal?")], 3);
    capped.max_tokens = 5;
    let (_, completion) = answer(&engine, capped).await;
    assert!(completion.finish_reason == FinishReason::MaxTokens || completion.usage.completion_tokens <= 5);
    let long = Message::new(Role::User, "uno dos tres cuatro ".repeat(3000));
    let error = finish(&mut begin(&engine, request(&[long], 3))).await.end.expect_err("too long");
    assert_eq!(error.code, ErrorCode::PromptTooLong);
    engine.shutdown().await;
}

#[tokio::test]
async fn a_context_longer_than_the_model_was_made_for_becomes_its_longest() {
    let model = model();
    let engine = start("", |given| {
        options(&model)(given);
        given.context_len = 1 << 20;
    });
    let ModelStatus::Ready(facts) = status(&engine, "ready", |now| matches!(now, ModelStatus::Ready(_))).await else {
        unreachable!("waited for it");
    };
    assert!(facts.context_len < 1 << 20, "{}", facts.context_len);
    let mut long = request(&[Message::new(Role::User, "Hola")], 3);
    long.max_tokens = (1 << 20) - 1;
    let (_, completion) = answer(&engine, long).await;
    assert!(completion.usage.completion_tokens > 0);
    engine.shutdown().await;
}

#[tokio::test]
async fn a_file_that_is_no_model_fails_with_the_reason() {
    let folder = test_support::temp_folder();
    let path = folder.path().join("notes.gguf");
    std::fs::write(&path, "not a model").expect("the disk has room");
    let engine = start("", |options| options.model = Some(path));
    let failed = status(&engine, "failed", |now| matches!(now, ModelStatus::Failed(_))).await;
    let ModelStatus::Failed(error) = failed else { unreachable!("waited for it") };
    assert_eq!(error.code, ErrorCode::ModelFileDamaged);
    assert_eq!(engine.worker().borrow().started, 1, "a bad file is no crash");
    engine.shutdown().await;
}

#[test]
fn the_laboratory_computes_measures_and_cuts() {
    let model = model();
    let tokens = lab::tokenize(&model.path, "Hola", false, None).expect("a tokenizer");
    assert_eq!(tokens[0], 2, "one <bos>");
    let chat = lab::tokenize(&model.path, "Hola", true, None).expect("a tokenizer");
    assert_eq!(chat[..2], [2, 105]);

    let request = |mode, last| lab::LogitsRequest {
        model: model.path.clone(),
        device: DeviceChoice::Cpu,
        tokens: chat.clone(),
        mode,
        last,
        plain: false,
    };
    let all = lab::logits(&request(lab::LogitsMode::Prefill, false)).expect("computed");
    assert_eq!(all.n_rows(), chat.len());
    for (mode, last) in
        [(lab::LogitsMode::Prefill, true), (lab::LogitsMode::Decode, false), (lab::LogitsMode::Decode, true)]
    {
        let other = lab::logits(&request(mode, last)).expect("computed");
        assert_eq!(other.n_rows(), if last { 1 } else { chat.len() });
        let expected = if last { all.last().expect("a row") } else { all.as_slice() };
        let worst = other.as_slice().iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst <= 1e-4, "{mode:?}, last {last}: {worst}");
    }
    assert!(lab::logits(&lab::LogitsRequest { tokens: vec![], ..request(lab::LogitsMode::Prefill, true) }).is_err());

    let options = lab::BenchOptions {
        model: model.path.clone(),
        device: DeviceChoice::Cpu,
        threads: Some(1),
        plain: true,
        prompt_tokens: 20,
        decode_tokens: 5,
        depth: 30,
        verify_rows: 4,
        turns: true,
        reps: 2,
        cache_dir: None,
    };
    let report = lab::bench(&options).expect("measured");
    assert_eq!((report.threads, report.kernels.as_str()), (1, "plain"));
    let verify = report.verify.expect("verified");
    let turns = report.turns.expect("a conversation");
    let spreads = [
        [report.ttft_s, report.prefill_tps, report.decode_tps].map(|spread| spread.expect("asked for")).to_vec(),
        vec![report.load_s, verify.one_s, verify.all_s, verify.ratio, turns.cold_s, turns.warm_s],
    ];
    for spread in spreads.concat() {
        assert!(spread.min > 0.0 && spread.min <= spread.median && spread.median <= spread.max);
    }
    assert_eq!(verify.rows, 4);
    assert_eq!((turns.cold_tokens, turns.warm_tokens, turns.warm_computed), (20, 108, 40));

    let part = lab::BenchOptions { prompt_tokens: 0, turns: false, verify_rows: 0, reps: 1, ..options.clone() };
    let report = lab::bench(&part).expect("measured");
    assert!(report.decode_tps.is_some());
    assert_eq!((report.ttft_s, report.prefill_tps, report.verify, report.turns), (None, None, None, None));
    assert!(lab::bench(&lab::BenchOptions { decode_tokens: 0, ..part }).is_err(), "nothing is asked for");
    assert!(lab::bench(&lab::BenchOptions { prompt_tokens: 0, ..options.clone() }).is_err(), "turns without a prompt");
    assert!(lab::bench(&lab::BenchOptions { reps: 0, ..options }).is_err());
}
