//! A model that nobody uses leaves the memory and comes back with the next question. Linux: `/proc`.
#![cfg(target_os = "linux")]

#[path = "support/harness.rs"]
mod harness;

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use engine::{DeviceChoice, Engine, EngineOptions, MemoryProbe, MemoryState, MemoryWatch, ModelStatus, WorkerCommand};
use errors::ErrorCode;
use generation::{FinishReason, Generator};
use harness::*;

/// Long enough to see a state, short enough for a test.
const SOON: Duration = Duration::from_millis(300);

async fn rests(engine: &Engine) -> (engine::ModelFacts, bool) {
    match status(engine, "resting", |now| matches!(now, ModelStatus::Resting { .. })).await {
        ModelStatus::Resting { facts, for_memory } => (*facts, for_memory),
        other => unreachable!("waited for resting, not {other:?}"),
    }
}

fn exists(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

fn demo_model() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/demo/aula-demo.gguf")
}

/// The whole way on a real model: its process ends, and the next question is answered by another.
async fn check_idle(model: PathBuf) {
    let engine = start("", |options| {
        options.model = Some(model.clone());
        options.device = DeviceChoice::Cpu;
        options.context_len = 512;
        options.idle_after = Some(SOON);
    });
    let mut question = ask("Hola");
    question.max_tokens = 8;
    let (first, _) = answer(&engine, question.clone()).await;
    let before = pid(&engine);
    let (facts, for_memory) = rests(&engine).await;
    assert!(!for_memory);
    assert_eq!(facts.path, model);
    gone(before).await;
    soon("no process is named", async { engine.worker().wait_for(|health| health.pid.is_none()).await.map(drop) })
        .await
        .expect("the engine lives");

    let (again, _) = answer(&engine, question).await;
    assert_eq!(again, first, "the same model answers");
    assert_eq!(engine.worker().borrow().started, 2);
    assert_ne!(pid(&engine), before);
    engine.shutdown().await;
}

#[tokio::test]
async fn the_demo_model_leaves_and_comes_back() {
    check_idle(demo_model()).await;
}

#[tokio::test]
async fn a_tiny_model_leaves_and_comes_back() {
    check_idle(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/tiny-e4b/tiny-e4b-Q4_K_M.gguf")).await;
}

#[tokio::test]
async fn what_somebody_waits_for_is_never_cut_off() {
    let engine = start("paced-100", |options| options.idle_after = Some(Duration::ZERO));
    // Idle at every tick but for the answer; 20 tokens take two seconds.
    let mut slow = begin(&engine, ask("len=20"));
    let mut queued = begin(&engine, ask("len=3"));
    for generation in [&mut slow, &mut queued] {
        assert_eq!(finish(generation).await.end.expect("a good end").finish_reason, FinishReason::Stop);
    }
    assert_eq!(engine.worker().borrow().started, 1);
    rests(&engine).await;
    let report = soon("a trial", engine.trial()).await.expect("opened for it and tried");
    assert!(report.decode_tokens_per_second.is_some_and(|rate| rate > 0.0), "{report:?}");
    rests(&engine).await;
    engine.shutdown().await;
}

#[tokio::test]
async fn many_questions_to_a_resting_model_are_all_answered_in_order() {
    let engine = start("toy", |options| options.idle_after = Some(SOON));
    ready(&engine).await;
    rests(&engine).await;
    let mut all: Vec<_> = (0..5).map(|_| begin(&engine, ask("len=3"))).collect();
    status(&engine, "loading", |now| matches!(now, ModelStatus::Loading { .. } | ModelStatus::Ready(_))).await;
    for generation in &mut all {
        assert_eq!(finish(generation).await.end.expect("a good end").finish_reason, FinishReason::Stop);
    }
    assert_eq!(engine.worker().borrow().started, 2);
    engine.shutdown().await;
}

#[tokio::test]
async fn a_model_that_is_kept_stays_until_it_may_leave() {
    let engine = start("toy", |options| options.idle_after = None);
    answer(&engine, ask("len=3")).await;
    let worker = pid(&engine);
    tokio::time::sleep(SOON).await;
    assert!(exists(worker), "nothing ends it");
    engine.set_idle_after(Some(SOON));
    rests(&engine).await;
    gone(worker).await;
    // Another model wakes it, the same does not.
    engine.use_model(Some("toy".into()));
    assert!(matches!(*engine.status().borrow(), ModelStatus::Resting { .. }));
    engine.use_model(Some("other".into()));
    ready(&engine).await;
    engine.shutdown().await;
}

/// A computer whose memory is short when the switch says so.
fn watched(short: &Arc<AtomicBool>, stay: Duration) -> impl FnOnce(&mut EngineOptions) + use<> {
    let short = Arc::clone(short);
    move |options| {
        let look = move || {
            let available = if short.load(Ordering::SeqCst) { 100_000_000 } else { 4_000_000_000 };
            Some(MemoryState { total: 8_000_000_000, available, stalled: None })
        };
        options.idle_after = None;
        options.memory = Some(MemoryWatch { probe: MemoryProbe::new(look), every: Duration::from_millis(50), stay });
    }
}

#[tokio::test]
async fn short_memory_sends_an_idle_model_away_and_spares_one_that_writes() {
    let short = Arc::new(AtomicBool::new(false));
    let engine = start("paced-50", watched(&short, Duration::ZERO));
    let mut running = begin(&engine, ask("len=30"));
    first_text(&mut running).await;
    short.store(true, Ordering::SeqCst);
    let end = finish(&mut running).await.end.expect("written to its end");
    assert_eq!((end.finish_reason, end.usage.completion_tokens), (FinishReason::Stop, 31));
    let worker = engine.worker().borrow().pid;
    let (_, for_memory) = rests(&engine).await;
    assert!(for_memory);
    if let Some(worker) = worker {
        gone(worker).await;
    }
    short.store(false, Ordering::SeqCst);
    answer(&engine, ask("len=3")).await;
    engine.shutdown().await;
}

#[tokio::test]
async fn a_model_that_came_back_stays_a_while_though_memory_is_short() {
    let short = Arc::new(AtomicBool::new(true));
    let engine = start("toy", watched(&short, Duration::from_secs(3600)));
    answer(&engine, ask("len=3")).await;
    let worker = pid(&engine);
    tokio::time::sleep(SOON).await;
    assert!(exists(worker), "opened a moment ago");
    answer(&engine, ask("len=3")).await;
    assert_eq!(engine.worker().borrow().started, 1);
    engine.shutdown().await;
}

#[tokio::test]
async fn closing_the_model_waits_for_the_end_of_its_process() {
    let engine = start("toy", |_| {});
    ready(&engine).await;
    let worker = pid(&engine);
    soon("closed", engine.close_model()).await;
    assert!(!exists(worker));
    assert_eq!(*engine.status().borrow(), ModelStatus::Absent);
    assert_eq!(engine.generate(ask("?")).expect_err("no model").code, ErrorCode::ModelMissing);
    soon("closed again", engine.close_model()).await;
    engine.use_model_on("toy".into(), DeviceChoice::Cpu);
    answer(&engine, ask("len=3")).await;
    // One that is just being started, and one that rests.
    engine.use_model(Some("slow".into()));
    soon("closed while it starts", engine.close_model()).await;
    assert_eq!(engine.worker().borrow().pid, None);
    engine.shutdown().await;
    soon("closed after the end", engine.close_model()).await;
}

#[tokio::test]
async fn a_context_that_cannot_fit_is_refused_before_memory_is_asked_for() {
    let engine = start("", |options| {
        let mut worker: WorkerCommand = fixture();
        worker.args.push("starved".into());
        options.worker = worker;
        options.model = Some(demo_model());
    });
    let failed = status(&engine, "refused", |now| matches!(now, ModelStatus::Failed(_))).await;
    let ModelStatus::Failed(error) = failed else { unreachable!("waited for it") };
    assert_eq!(error.code, ErrorCode::OutOfMemory);
    assert!(error.message.contains("context length of 4096 tokens; 0.0 GB is free"), "{}", error.message);
    assert!(error.hint.is_some_and(|hint| hint.contains("shorter context length")));
    assert_eq!(engine.worker().borrow().started, 1, "nothing crashed");
    engine.shutdown().await;
}
