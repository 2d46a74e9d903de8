//! Measures how long an answer goes on after it was cancelled, in prefill and in decode.
//!
//! `cargo run -p engine --example cancellation -- FILE.gguf [REPETITIONS]`

use std::{error::Error, time::Duration, time::Instant};

use engine::{Engine, EngineOptions, ModelStatus};
use generation::{GenerateRequest, Generation, Generator, Message, Role, TokenEvent};

fn main() -> Result<(), Box<dyn Error>> {
    engine::run_worker_if_asked();
    let mut arguments = std::env::args().skip(1);
    let model = arguments.next().ok_or("usage: cancellation FILE.gguf [REPETITIONS]")?;
    let repetitions = arguments.next().map_or(Ok(10), |count| count.parse())?;
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(measure(model, repetitions))
}

async fn measure(model: String, repetitions: usize) -> Result<(), Box<dyn Error>> {
    let engine = Engine::start(EngineOptions { model: Some(model.into()), ..EngineOptions::default() });
    let mut status = engine.status();
    let settled = status.wait_for(|now| !matches!(now, ModelStatus::Loading { .. })).await?.clone();
    match settled {
        ModelStatus::Ready(facts) => {
            println!("{} on {}, open in {:.2} s", facts.engine.model, facts.engine.device, facts.load_s)
        }
        other => return Err(format!("{other:?}").into()),
    }
    for in_prefill in [true, false] {
        let mut times = Vec::new();
        for index in 0..repetitions {
            // Another text each time, so that nothing is reused.
            let words = if in_prefill { 700 } else { 3 };
            let text = format!("{index} {}", "uno dos tres ".repeat(words));
            let mut generation = engine.generate(GenerateRequest::new("m", vec![Message::new(Role::User, text)]))?;
            let begun = |event: &TokenEvent| match event {
                TokenEvent::Prefill { .. } => in_prefill,
                TokenEvent::Token { .. } => true,
                _ => false,
            };
            if wait(&mut generation, begun).await {
                // Somewhere inside a chunk or a token.
                tokio::time::sleep(Duration::from_millis(37 * index as u64 % 400)).await;
                let cancelled = Instant::now();
                generation.cancel();
                wait(&mut generation, |event| matches!(event, TokenEvent::Finished(_))).await;
                times.push(cancelled.elapsed());
            }
        }
        times.sort();
        let (Some(least), Some(most)) = (times.first(), times.last()) else { return Err("no answer began".into()) };
        let phase = if in_prefill { "prefill" } else { "decode" };
        println!("{phase}: median {:?}, least {least:?}, most {most:?}, n = {}", times[times.len() / 2], times.len());
    }
    engine.shutdown().await;
    Ok(())
}

/// Whether `wanted` came before the end.
async fn wait(generation: &mut Generation, wanted: impl Fn(&TokenEvent) -> bool) -> bool {
    while let Some(event) = generation.next().await {
        if wanted(&event) {
            return true;
        }
    }
    false
}
