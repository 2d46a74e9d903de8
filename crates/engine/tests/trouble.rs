//! The worker dies, hangs and misbehaves. Linux: signals and `/proc`.
#![cfg(target_os = "linux")]

#[path = "support/harness.rs"]
mod harness;

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    time::Duration,
};

use engine::ModelStatus;
use errors::ErrorCode;
use generation::{FinishReason, Generation};
use harness::*;
use rustix::process::{Pid, Signal, kill_process};

fn signal(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(pid).expect("small")).expect("not zero");
    kill_process(pid, signal).expect("the process is ours");
}

/// What follows a worker that was lost in mid-answer: the text stands, the answer failed, everybody else goes on.
async fn check_recovery(engine: &engine::Engine, mut generation: Generation, before: String, code: ErrorCode) {
    let lost = pid(engine);
    let mut waiting = begin(engine, ask("len=4"));
    match code {
        ErrorCode::WorkerCrashed => signal(lost, Signal::KILL),
        _ => signal(lost, Signal::STOP),
    }
    let answer = finish(&mut generation).await;
    let error = answer.end.expect_err("its process was lost");
    assert_eq!(error.code, code);
    assert!(error.hint.is_some());
    assert!(!before.is_empty(), "the text so far was delivered");
    let end = finish(&mut waiting).await.end.expect("the waiting one is answered by the next process");
    assert_eq!(end.finish_reason, FinishReason::Stop);
    gone(lost).await;
    assert_ne!(pid(engine), lost);
    ready(engine).await;
}

#[tokio::test]
async fn a_worker_killed_in_mid_answer_is_replaced() {
    let engine = start("toy", |_| {});
    for _ in 0..3 {
        let mut generation = begin(&engine, ask("len=100000 delay=5"));
        let before = first_text(&mut generation).await;
        check_recovery(&engine, generation, before, ErrorCode::WorkerCrashed).await;
    }
    engine.shutdown().await;
}

#[tokio::test]
async fn a_worker_that_hangs_in_mid_answer_is_replaced() {
    let engine = start("toy", |options| options.watchdog.pong_timeout = Duration::from_secs(2));
    let mut generation = begin(&engine, ask("len=100000 delay=5"));
    let before = first_text(&mut generation).await;
    check_recovery(&engine, generation, before, ErrorCode::WorkerHung).await;
    engine.shutdown().await;
}

#[tokio::test]
async fn an_engine_thread_that_stops_is_noticed_though_pings_are_answered() {
    let engine = start("toy", |options| options.watchdog.stall_timeout = Duration::from_secs(2));
    let answer_lost = finish(&mut begin(&engine, ask("len=9 stall"))).await;
    assert_eq!(answer_lost.end.expect_err("it stopped").code, ErrorCode::WorkerHung);
    answer(&engine, ask("len=3")).await;
    engine.shutdown().await;
}

#[tokio::test]
async fn cancelling_a_stuck_answer_is_a_cancellation() {
    let engine = start("toy", |options| options.watchdog.cancel_timeout = Duration::from_secs(1));
    let mut stuck = begin(&engine, ask("len=9 stall"));
    first_text(&mut stuck).await;
    stuck.cancel();
    let end = finish(&mut stuck).await.end.expect("cancelled is no failure");
    assert_eq!(end.finish_reason, FinishReason::Cancelled);
    answer(&engine, ask("len=3")).await;
    engine.shutdown().await;
}

#[tokio::test]
async fn a_panic_and_an_abort_fail_one_answer_only() {
    let engine = start("toy", |_| {});
    for question in ["len=9 panic", "len=9 crash"] {
        let error = finish(&mut begin(&engine, ask(question))).await.end.expect_err("it crashed");
        assert_eq!(error.code, ErrorCode::WorkerCrashed, "{question}");
        answer(&engine, ask("len=3")).await;
    }
    engine.shutdown().await;
}

#[tokio::test]
async fn printing_to_standard_output_does_not_disturb() {
    let engine = start("toy", |_| {});
    let (text, _) = answer(&engine, ask("len=9 noise")).await;
    assert_eq!(text.len(), 9);
    assert_eq!(engine.worker().borrow().started, 1);
    engine.shutdown().await;
}

#[tokio::test]
async fn a_process_that_keeps_crashing_is_given_up_until_somebody_asks() {
    let engine = start("crash", |_| {});
    let mut waiting = begin(&engine, ask("?"));
    let error = finish(&mut waiting).await.end.expect_err("no model");
    assert_eq!(error.code, ErrorCode::WorkerCrashed);
    let failed = |now: &ModelStatus| matches!(now, ModelStatus::Failed(error) if error.hint.is_some());
    status(&engine, "given up", failed).await;
    assert_eq!(engine.worker().borrow().started, 3);
    let error = finish(&mut begin(&engine, ask("?"))).await.end.expect_err("still crashing");
    assert_eq!(error.code, ErrorCode::WorkerCrashed);
    assert_eq!(engine.worker().borrow().started, 6, "asking tried again");
    engine.use_model(Some("toy".into()));
    answer(&engine, ask("len=3")).await;
    engine.shutdown().await;
}

#[tokio::test]
async fn the_worker_dies_with_its_parent() {
    let mut parent = Command::new(env!("CARGO_BIN_EXE_engine-worker-fixture"))
        .args(["parent", "toy"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the fixture starts");
    let mut line = String::new();
    BufReader::new(parent.stdout.take().expect("piped")).read_line(&mut line).expect("it says the process id");
    let worker: u32 = line.trim().parse().expect("a process id");
    assert!(std::path::Path::new(&format!("/proc/{worker}")).exists());
    parent.kill().expect("it is ours");
    parent.wait().expect("collected");
    gone_or_dead(worker).await;
}

/// The worker is now somebody else's child: gone, or dead and not yet collected.
async fn gone_or_dead(pid: u32) {
    soon("the worker ends", async {
        while std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z ")) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}
