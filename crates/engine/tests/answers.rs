//! Answers through a real worker process: events, queue, limits, cancellation, models.

#[path = "support/harness.rs"]
mod harness;

use engine::{EngineOptions, ModelStatus, WorkerCommand};
use errors::ErrorCode;
use generation::{FinishReason, Generator, Role, Sampling, TokenEvent};
use harness::*;

#[tokio::test]
async fn an_answer_tells_everything() {
    let engine = start("toy", |_| {});
    let answer = finish(&mut begin(&engine, ask("len=30"))).await;
    let completion = answer.end.expect("a good end");
    assert_eq!(completion.finish_reason, FinishReason::Stop);
    assert_eq!(completion.token_ids.len(), 31, "the stop token is counted");
    assert_eq!(answer.text.len(), 30, "the stop token is not shown");
    let usage = &completion.usage;
    assert_eq!((usage.prompt_tokens, usage.reused_tokens, usage.prefilled_tokens), (10, 0, 10));
    assert_eq!(usage.completion_tokens, 31);
    assert_eq!(completion.engine.model, "toy");
    assert!(completion.timings.ttft_s >= completion.timings.prefill_s);
    assert_eq!(answer.events.first(), Some(&TokenEvent::Queued { position: 0 }));
    let started = TokenEvent::Started { engine: completion.engine.clone() };
    assert_eq!(answer.events.get(1), Some(&started));
    assert!(answer.events.contains(&TokenEvent::Prefill { done: 10, total: 10 }));
    engine.shutdown().await;
}

#[tokio::test]
async fn the_reported_seed_repeats_a_sampled_answer() {
    let engine = start("toy", |_| {});
    let mut request = ask("len=60");
    request.sampling = Sampling::default();
    let (first, completion) = answer(&engine, request.clone()).await;
    let (other, _) = answer(&engine, request.clone()).await;
    request.sampling.seed = Some(completion.usage.seed);
    let (again, _) = answer(&engine, request).await;
    assert_eq!(first, again);
    assert_ne!(first, other, "a fresh seed was drawn");
    engine.shutdown().await;
}

#[tokio::test]
async fn the_next_turn_reuses_the_conversation() {
    let engine = start("toy", |_| {});
    let question = "len=700 why is the sky blue?";
    let (text, first) = answer(&engine, conversation(&[(Role::User, question)])).await;
    let turns = [(Role::User, question), (Role::Assistant, text.as_str()), (Role::User, "len=5 and the sea?")];
    let (_, second) = answer(&engine, conversation(&turns)).await;
    assert!(second.usage.prefilled_tokens < 25, "{:?}", second.usage);
    assert_eq!(second.usage.reused_tokens, first.usage.prompt_tokens + 700);
    // Regenerate the first answer: the same tokens, and nothing is computed again.
    let (again, third) = answer(&engine, conversation(&[(Role::User, question)])).await;
    assert_eq!(again, text);
    assert_eq!(third.usage.prefilled_tokens, 0);
    engine.shutdown().await;
}

#[tokio::test]
async fn limits_end_an_answer_or_refuse_it() {
    let engine = start("toy", |options| options.context_len = 200);
    let mut request = ask("len=1000");
    request.max_tokens = 12;
    let (text, completion) = answer(&engine, request).await;
    assert_eq!((completion.finish_reason, text.len()), (FinishReason::MaxTokens, 12));
    let mut request = ask("len=1000");
    request.max_tokens = 199;
    let (_, completion) = answer(&engine, request).await;
    assert_eq!(completion.finish_reason, FinishReason::ContextFull);
    assert_eq!(completion.usage.prompt_tokens + completion.usage.completion_tokens, 200);

    let mut request = ask(&"a".repeat(300));
    request.max_tokens = 10;
    let error = finish(&mut begin(&engine, request.clone())).await.end.expect_err("too long");
    assert_eq!(error.code, ErrorCode::PromptTooLong);
    assert!(error.message.contains("304 tokens") && error.message.contains("200"), "{}", error.message);
    assert!(error.hint.is_some());
    request.max_tokens = 200;
    assert_eq!(engine.generate(request).expect_err("no room").code, ErrorCode::InvalidRequest);

    // A longer context takes effect without another process.
    engine.set_context_len(400);
    let mut request = ask(&"a".repeat(300));
    request.max_tokens = 10;
    answer(&engine, request).await;
    let wanted = |now: &ModelStatus| matches!(now, ModelStatus::Ready(facts) if facts.context_len == 400);
    status(&engine, "the new context length", wanted).await;
    assert_eq!(engine.worker().borrow().started, 1);
    engine.shutdown().await;
}

#[tokio::test]
async fn the_queue_is_first_in_first_out_with_positions() {
    let engine = start("toy", |options| options.queue_len = 3);
    let mut running = begin(&engine, ask("len=100000 delay=5"));
    first_text(&mut running).await;
    let mut waiting: Vec<_> = (0..3).map(|_| begin(&engine, ask("len=3"))).collect();
    let refusal = engine.generate(ask("len=3")).expect_err("full");
    assert_eq!(refusal.code, ErrorCode::QueueFull);
    assert!(refusal.message.starts_with("3 questions") && refusal.hint.is_some());
    for (position, generation) in waiting.iter_mut().enumerate() {
        assert_eq!(soon("a position", generation.next()).await, Some(TokenEvent::Queued { position }));
    }

    // One in the middle leaves at once, while the first is still being written; those behind move up.
    let mut middle = waiting.remove(1);
    middle.cancel();
    let end = finish(&mut middle).await.end.expect("cancelled is no failure");
    assert_eq!(end.finish_reason, FinishReason::Cancelled);
    assert_eq!(soon("moves up", waiting[1].next()).await, Some(TokenEvent::Queued { position: 1 }));

    running.cancel();
    let end = finish(&mut running).await.end.expect("cancelled is no failure");
    assert_eq!(end.finish_reason, FinishReason::Cancelled);
    assert!(end.usage.completion_tokens > 0);
    for generation in &mut waiting {
        assert_eq!(finish(generation).await.end.expect("a good end").finish_reason, FinishReason::Stop);
    }
    engine.shutdown().await;
}

#[tokio::test]
async fn cancelling_stops_a_prefill() {
    let engine = start("toy", |_| {});
    // Eight chunks of four layers of 200 ms.
    let question = format!("layer=200 {}", "a".repeat(500));
    let mut generation = begin(&engine, ask(&question));
    while !matches!(soon("prefill", generation.next()).await, Some(TokenEvent::Prefill { .. })) {}
    generation.cancel();
    let mut quick = begin(&engine, ask("len=2"));
    let end = finish(&mut generation).await.end.expect("cancelled is no failure");
    assert_eq!(end.finish_reason, FinishReason::Cancelled);
    assert_eq!(end.usage.completion_tokens, 0);
    assert!(end.usage.prefilled_tokens < 500, "it did not run to the end: {:?}", end.usage);
    assert_eq!(finish(&mut quick).await.end.expect("a good end").finish_reason, FinishReason::Stop);
    engine.shutdown().await;
}

#[tokio::test]
async fn a_dropped_answer_is_cancelled() {
    let engine = start("toy", |_| {});
    let mut endless = begin(&engine, ask("len=100000 delay=5"));
    first_text(&mut endless).await;
    let waiting = begin(&engine, ask("len=100000 delay=5"));
    drop(waiting);
    drop(endless);
    answer(&engine, ask("len=3")).await;
    engine.shutdown().await;
}

#[tokio::test]
async fn a_consumer_that_does_not_read_holds_up_nobody() {
    let engine = start("toy", |_| {});
    let mut request = ask("len=3000");
    request.max_tokens = 3500;
    let mut unread = begin(&engine, request);
    answer(&engine, ask("len=3")).await;
    let late = finish(&mut unread).await;
    assert_eq!(late.text.len(), 3000, "nothing is lost");
    assert_eq!(late.end.expect("a good end").finish_reason, FinishReason::Stop);
    engine.shutdown().await;
}

#[tokio::test]
async fn another_model_answers_after_the_present_answer() {
    let engine = start("first", |_| {});
    let mut running = begin(&engine, ask("len=50 delay=5"));
    first_text(&mut running).await;
    engine.use_model(Some("slow".into()));
    assert!(matches!(&*engine.status().borrow(), ModelStatus::Loading { .. }));
    let mut next = begin(&engine, ask("len=3"));
    assert_eq!(finish(&mut running).await.end.expect("finished by the first").engine.model, "first");
    assert_eq!(finish(&mut next).await.end.expect("answered by the second").engine.model, "slow");
    engine.use_model(None);
    assert_eq!(engine.generate(ask("?")).expect_err("no model").code, ErrorCode::ModelMissing);
    status(&engine, "absent", |now| *now == ModelStatus::Absent).await;
    engine.shutdown().await;
}

#[tokio::test]
async fn without_a_model_questions_are_refused() {
    let engine = start("toy", |options| options.model = None);
    assert_eq!(*engine.status().borrow(), ModelStatus::Absent);
    let error = engine.generate(ask("?")).expect_err("no model");
    assert_eq!(error.code, ErrorCode::ModelMissing);
    engine.use_model(Some("toy".into()));
    answer(&engine, ask("len=3")).await;
    engine.shutdown().await;
}

#[tokio::test]
async fn a_model_that_cannot_be_opened_says_why_and_is_tried_again() {
    let engine = start("missing", |_| {});
    let failed = |now: &ModelStatus| matches!(now, ModelStatus::Failed(_));
    status(&engine, "failed", failed).await;
    let mut retried = begin(&engine, ask("?"));
    let error = finish(&mut retried).await.end.expect_err("still missing");
    assert_eq!(error.code, ErrorCode::ModelMissing);
    status(&engine, "failed again", failed).await;
    assert_eq!(engine.worker().borrow().started, 2);
    engine.use_model(Some("toy".into()));
    answer(&engine, ask("len=3")).await;
    engine.shutdown().await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_name_that_is_not_unicode_is_a_clear_failure() {
    use std::os::unix::ffi::OsStringExt;
    let name = std::ffi::OsString::from_vec(b"model\xff".to_vec());
    let engine = start("toy", |options| options.model = Some(name.into()));
    let failed = status(&engine, "failed", |now| matches!(now, ModelStatus::Failed(_))).await;
    let ModelStatus::Failed(error) = failed else { unreachable!("waited for it") };
    assert_eq!(error.code, ErrorCode::Io);
    assert!(error.message.contains("not Unicode"), "{}", error.message);
    engine.shutdown().await;
}

#[tokio::test]
async fn shutting_down_cancels_everything_and_leaves_no_process() {
    let engine = start("toy", |_| {});
    let mut running = begin(&engine, ask("len=100000 delay=5"));
    first_text(&mut running).await;
    let mut waiting = begin(&engine, ask("len=3"));
    let worker = pid(&engine);
    soon("shutdown", engine.shutdown()).await;
    assert!(!std::path::Path::new(&format!("/proc/{worker}")).exists(), "the process is gone");
    for generation in [&mut running, &mut waiting] {
        let end = finish(generation).await.end.expect("cancelled is no failure");
        assert_eq!(end.finish_reason, FinishReason::Cancelled);
    }
    assert!(engine.generate(ask("?")).is_err());
    soon("again", engine.shutdown()).await;
}

#[tokio::test]
async fn dropping_the_last_handle_ends_the_process() {
    let engine = start("toy", |_| {});
    ready(&engine).await;
    let worker = pid(&engine);
    let clone = engine.clone();
    drop(engine);
    answer(&clone, ask("len=3")).await;
    drop(clone);
    gone(worker).await;
}

#[tokio::test]
async fn an_executable_that_is_absent_or_no_worker_is_a_clear_failure() {
    let failure = async |program: &str| {
        let engine = start("toy", |options: &mut EngineOptions| options.worker = WorkerCommand::new(program));
        match status(&engine, "failed", |now| matches!(now, ModelStatus::Failed(_))).await {
            ModelStatus::Failed(error) => error,
            other => panic!("{other:?}"),
        }
    };
    let absent = failure("/nowhere/aula").await;
    assert!(absent.message.contains("could not start the model process `/nowhere/aula`"), "{}", absent.message);
    let chatty = failure("/bin/echo").await;
    assert_eq!(chatty.code, ErrorCode::WorkerCrashed);
    assert!(chatty.message.contains("instead of a message"), "{}", chatty.message);
}
