//! Much happens at random. Alone in its file, because it counts this process's threads. Linux: signals and `/proc`.
#![cfg(target_os = "linux")]

#[path = "support/harness.rs"]
mod harness;

use std::time::Duration;

use engine::memory;
use errors::ErrorCode;
use generation::{FinishReason, Generation, Generator};
use harness::*;
use rand::{Rng, SeedableRng, rngs::StdRng};
use rustix::process::{Pid, Signal, kill_process};

fn n_threads() -> usize {
    std::fs::read_dir("/proc/self/task").map_or(0, Iterator::count)
}

/// A thousand requests, queued, cancelled, dropped, left unread and read at random, with a process killed now and
/// then: each ends exactly once, and nothing stays behind.
#[tokio::test]
async fn a_thousand_requests_at_random_leave_nothing_behind() {
    let mut rng = StdRng::seed_from_u64(6);
    let before = n_threads();
    let engine = start("toy", |options| {
        options.queue_len = 40;
        options.watchdog.crash_limit = 1000;
    });
    answer(&engine, ask("len=3")).await;
    let settled = n_threads();
    let memory_before = memory::resident_bytes().expect("Linux says");
    let mut open: Vec<Generation> = Vec::new();
    let (mut admitted, mut refused, mut kills, mut failed, mut cancelled, mut good) = (0, 0, 0, 0, 0, 0);
    while admitted < 1000 {
        match rng.random_range(0..100) {
            0..55 => {
                let question = format!("len={} delay={}", rng.random_range(1..8), rng.random_range(0..4));
                match engine.generate(ask(&question)) {
                    Ok(generation) => {
                        admitted += 1;
                        open.push(generation);
                    }
                    Err(error) => {
                        assert_eq!(error.code, ErrorCode::QueueFull);
                        refused += 1;
                    }
                }
            }
            55..76 if !open.is_empty() => {
                let index = rng.random_range(0..open.len());
                open[index].cancel();
            }
            76..81 if !open.is_empty() => {
                let index = rng.random_range(0..open.len());
                drop(open.swap_remove(index));
            }
            81..99 if !open.is_empty() => {
                let index = rng.random_range(0..open.len());
                let mut generation = open.swap_remove(index);
                match finish(&mut generation).await.end {
                    Ok(completion) if completion.finish_reason == FinishReason::Cancelled => cancelled += 1,
                    Ok(_) => good += 1,
                    Err(error) => {
                        assert_eq!(error.code, ErrorCode::WorkerCrashed);
                        failed += 1;
                    }
                }
            }
            99 if rng.random_bool(0.5) => {
                let worker = engine.worker().borrow().pid;
                if let Some(worker) = worker {
                    // It may be gone already, killed a moment ago.
                    let worker = Pid::from_raw(i32::try_from(worker).expect("small")).expect("not zero");
                    kills += i32::from(kill_process(worker, Signal::KILL).is_ok());
                }
            }
            _ => tokio::time::sleep(Duration::from_millis(rng.random_range(0..3))).await,
        }
    }
    for generation in &mut open {
        match finish(generation).await.end {
            Ok(completion) if completion.finish_reason == FinishReason::Cancelled => cancelled += 1,
            Ok(_) => good += 1,
            Err(_) => failed += 1,
        }
    }
    drop(open);
    assert!(good > 100 && cancelled > 10, "{good} good, {cancelled} cancelled, {failed} failed, {refused} refused");
    assert!(failed <= kills, "a killed process fails one answer at most: {failed} of {kills}");

    // No lock is held: a new question is answered.
    answer(&engine, ask("len=3")).await;
    let worker = pid(&engine);
    let rss = soon("memory report", async {
        let mut health = engine.worker();
        health.wait_for(|health| health.rss_bytes.is_some()).await.expect("the engine lives").rss_bytes
    })
    .await;
    assert!(rss.expect("reported") < 256 << 20, "the worker has {rss:?} bytes");
    let grown = memory::resident_bytes().expect("Linux says").saturating_sub(memory_before);
    assert!(grown < 48 << 20, "grown by {grown} bytes");
    soon("threads of lost workers end", async {
        while n_threads() > settled {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    engine.shutdown().await;
    assert!(!std::path::Path::new(&format!("/proc/{worker}")).exists(), "the process is gone");
    drop(engine);
    soon("all threads end", async {
        while n_threads() > before {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}
