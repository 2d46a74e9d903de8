//! The measured trial: on real models, on slow ones, ended early, and with the process lost in its midst. Linux: signals.
#![cfg(target_os = "linux")]

#[path = "support/harness.rs"]
mod harness;

use std::{path::Path, time::Duration};

use engine::{Engine, ModelStatus, TrialReport};
use errors::ErrorCode;
use generation::FinishReason;
use harness::*;
use rustix::process::{Pid, Signal, kill_process};

/// An undisturbed trial writes at least so many tokens, if there is time.
const STEADY_TOKENS: usize = 48;

async fn trial(engine: &Engine) -> TrialReport {
    soon("the trial", engine.trial()).await.expect("measured")
}

fn is_rate(rate: Option<f64>) -> bool {
    rate.is_some_and(|rate| rate.is_finite() && rate > 0.0)
}

#[tokio::test]
async fn real_models_are_measured_and_answer_as_if_nothing_had_been() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for model in ["models/demo/aula-demo.gguf", "tests/golden/tiny-e2b/tiny-e2b-F16.gguf"] {
        let engine = start("", |options| {
            options.model = Some(root.join(model));
            options.context_len = 512;
        });
        let mut question = ask("Hola, ¿qué tal?");
        question.max_tokens = 8;
        let (before, first) = answer(&engine, question.clone()).await;
        let report = trial(&engine).await;
        assert!(is_rate(report.prefill_tokens_per_second), "{model}: {report:?}");
        assert!(is_rate(report.decode_tokens_per_second), "{model}: {report:?}");
        assert!(report.decode_tokens >= 1 && report.seconds > 0.0 && !report.ended_early, "{model}: {report:?}");
        // The conversation's cache is as it was: the same question computes nothing.
        let (after, again) = answer(&engine, question).await;
        assert_eq!(after, before, "{model}");
        assert_eq!(
            (again.usage.prefilled_tokens, again.usage.prompt_tokens),
            (0, first.usage.prompt_tokens),
            "{model}"
        );
        assert_eq!(engine.worker().borrow().started, 1);
        engine.shutdown().await;
    }
}

#[tokio::test]
async fn a_slow_model_is_cut_off_and_its_pace_is_told() {
    let engine = start("paced-200", |options| options.trial.decode = Duration::from_secs(2));
    let report = trial(&engine).await;
    // Five tokens a second at most, whatever else the computer does.
    assert!(is_rate(report.decode_tokens_per_second), "{report:?}");
    assert!(report.decode_tokens_per_second.is_some_and(|rate| rate <= 5.0), "{report:?}");
    assert!(report.decode_tokens <= 10, "{report:?}");
    engine.shutdown().await;
}

#[tokio::test]
async fn a_model_that_writes_nothing_in_time_has_a_rate_all_the_same() {
    let engine = start("paced-400", |options| options.trial.decode = Duration::from_millis(100));
    let report = trial(&engine).await;
    assert_eq!(report.decode_tokens, 0);
    assert!(is_rate(report.decode_tokens_per_second), "{report:?}");
    engine.shutdown().await;
    // Not even the first token in time.
    let engine = start("paced-400", |options| options.trial.warm_up = Duration::from_millis(100));
    let report = trial(&engine).await;
    assert_eq!((report.decode_tokens, report.prefill_tokens_per_second), (0, None));
    assert!(is_rate(report.decode_tokens_per_second), "{report:?}");
    engine.shutdown().await;
}

#[tokio::test]
async fn a_question_ends_the_trial_early_and_is_answered() {
    let engine = start("paced-100", |options| options.trial.decode = Duration::from_secs(3600));
    ready(&engine).await;
    let (report, answered) = tokio::join!(trial(&engine), async {
        // Either order is right: before the trial begins the question goes first.
        tokio::time::sleep(Duration::from_millis(250)).await;
        finish(&mut begin(&engine, ask("len=3"))).await.end.expect("a good end")
    });
    assert_eq!(answered.finish_reason, FinishReason::Stop);
    assert!(is_rate(report.decode_tokens_per_second), "{report:?}");
    assert!(report.ended_early && report.decode_tokens < STEADY_TOKENS, "{report:?}");
    engine.shutdown().await;
}

#[tokio::test]
async fn somebody_can_end_a_trial_that_has_not_begun() {
    let engine = start("paced-100", |options| options.trial.decode = Duration::from_secs(3600));
    let (report, ()) = tokio::join!(trial(&engine), async { engine.end_trial() });
    assert!(report.ended_early && is_rate(report.decode_tokens_per_second), "{report:?}");
    engine.shutdown().await;
}

#[tokio::test]
async fn a_trial_of_a_model_that_is_replaced_says_nothing() {
    let engine = start("paced-200", |options| options.trial.decode = Duration::from_secs(3600));
    ready(&engine).await;
    let (report, ()) = tokio::join!(trial(&engine), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        engine.use_model(Some("toy".into()));
    });
    assert_eq!(report.decode_tokens_per_second, None);
    let (_, completion) = answer(&engine, ask("len=3")).await;
    assert_eq!(completion.engine.model, "toy");
    // Shutting down in the midst of one, and trying after it.
    engine.use_model(Some("paced-200".into()));
    ready(&engine).await;
    let (report, ()) = tokio::join!(trial(&engine), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        engine.shutdown().await;
    });
    assert_eq!(report.decode_tokens_per_second, None);
    assert!(soon("refused", engine.trial()).await.is_err());
}

#[tokio::test]
async fn a_process_killed_in_the_trial_is_out_of_memory_and_is_not_started_again_by_itself() {
    let engine = start("paced-200", |options| options.trial.decode = Duration::from_secs(3600));
    ready(&engine).await;
    let worker = pid(&engine);
    let (outcome, ()) = tokio::join!(soon("the trial", engine.trial()), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let worker = Pid::from_raw(i32::try_from(worker).expect("small")).expect("not zero");
        kill_process(worker, Signal::KILL).expect("the process is ours");
    });
    let error = outcome.expect_err("its process was killed");
    assert_eq!(error.code, ErrorCode::OutOfMemory);
    assert!(error.message.contains("while it was being tried"), "{}", error.message);
    status(&engine, "failed", |now| matches!(now, ModelStatus::Failed(_))).await;
    assert_eq!(engine.worker().borrow().started, 1);
    // Whoever asks tries again.
    let mut question = ask("len=2");
    question.max_tokens = 4;
    answer(&engine, question).await;
    engine.shutdown().await;
}

#[tokio::test]
async fn a_model_that_cannot_be_opened_fails_its_trial() {
    for (model, code) in
        [("missing", ErrorCode::ModelMissing), ("hungry", ErrorCode::OutOfMemory), ("crash", ErrorCode::WorkerCrashed)]
    {
        let engine = start(model, |_| {});
        let error = soon(model, engine.trial()).await.expect_err(model);
        assert_eq!(error.code, code, "{model}: {}", error.message);
        engine.shutdown().await;
    }
    let engine = start("", |options| options.model = None);
    assert_eq!(soon("none", engine.trial()).await.expect_err("no model").code, ErrorCode::ModelMissing);
    engine.shutdown().await;
}

#[tokio::test]
async fn an_allocation_that_fails_while_opening_is_out_of_memory_and_not_repeated() {
    let engine = start("hungry", |_| {});
    let failed = status(&engine, "failed", |now| matches!(now, ModelStatus::Failed(_))).await;
    let ModelStatus::Failed(error) = failed else { unreachable!("waited for it") };
    assert_eq!(error.code, ErrorCode::OutOfMemory);
    assert!(error.hint.is_some());
    assert_eq!(engine.worker().borrow().started, 1);
    engine.shutdown().await;
}
