//! Starts engines on the fixture and collects answers. Every wait has a limit, so that a defect fails instead of
//! hanging; the limits are no measurements.

#![allow(dead_code, reason = "each test file uses its part")]

use std::{future::Future, path::Path, time::Duration};

use engine::{Engine, EngineOptions, ModelStatus, Watchdog, WorkerCommand};
use generation::{Completion, GenerateError, GenerateRequest, Generation, Generator, Message, Role, TokenEvent};

/// The scripted worker.
pub fn fixture() -> WorkerCommand {
    WorkerCommand::new(env!("CARGO_BIN_EXE_engine-worker-fixture"))
}

/// An engine on the scripted model `model`, with quick restarts.
pub fn start(model: &str, change: impl FnOnce(&mut EngineOptions)) -> Engine {
    let watchdog = Watchdog {
        ping_every: Duration::from_millis(100),
        restart_delay: Duration::from_millis(20),
        ..Watchdog::default()
    };
    let mut options =
        EngineOptions { worker: fixture(), model: Some(model.into()), watchdog, ..EngineOptions::default() };
    change(&mut options);
    Engine::start(options)
}

/// Fails after a minute.
pub async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(Duration::from_secs(60), future).await {
        Ok(value) => value,
        Err(_) => panic!("{what}: still waiting after a minute"),
    }
}

/// Waits for a state of the model.
pub async fn status(engine: &Engine, what: &str, wanted: impl Fn(&ModelStatus) -> bool) -> ModelStatus {
    let mut status = engine.status();
    let waited = soon(what, status.wait_for(|now| wanted(now))).await;
    waited.expect("the engine lives").clone()
}

/// Waits until the model answers.
pub async fn ready(engine: &Engine) {
    status(engine, "ready", |now| matches!(now, ModelStatus::Ready(_))).await;
}

/// The worker's process id, which is there once it is ready.
pub fn pid(engine: &Engine) -> u32 {
    engine.worker().borrow().pid.expect("a worker runs")
}

/// Waits until process `pid` is gone and collected.
pub async fn gone(pid: u32) {
    let path = format!("/proc/{pid}");
    soon("the process ends", async {
        while Path::new(&path).exists() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}

/// A greedy request that asks `question`.
pub fn ask(question: &str) -> GenerateRequest {
    conversation(&[(Role::User, question)])
}

/// A greedy request with these turns.
pub fn conversation(turns: &[(Role, &str)]) -> GenerateRequest {
    let messages = turns.iter().map(|(role, text)| Message::new(*role, *text)).collect();
    let sampling = generation::Sampling::greedy();
    GenerateRequest { sampling, ..GenerateRequest::new("test", messages) }
}

/// Begins an answer that must be admitted.
pub fn begin(engine: &Engine, request: GenerateRequest) -> Generation {
    engine.generate(request).expect("admitted")
}

/// Everything one answer said.
#[derive(Debug)]
pub struct Answer {
    pub events: Vec<TokenEvent>,
    pub text: String,
    pub end: Result<Completion, GenerateError>,
}

/// Reads until the end; checks that there is one end, that it is last, and that the kinds come in order.
pub async fn finish(generation: &mut Generation) -> Answer {
    let (mut events, mut text, mut end) = (Vec::new(), String::new(), None);
    while let Some(event) = soon("the next event", generation.next()).await {
        assert!(end.is_none(), "{event:?} after the end");
        if let Some(before) = events.last() {
            assert!(rank(before) <= rank(&event), "{event:?} after {before:?}");
        }
        match &event {
            TokenEvent::Token { text: piece } => {
                assert!(!piece.is_empty(), "an empty piece");
                text.push_str(piece);
            }
            TokenEvent::Finished(completion) => end = Some(Ok(completion.clone())),
            TokenEvent::Failed(error) => end = Some(Err(error.clone())),
            _ => {}
        }
        events.push(event);
    }
    Answer { events, text, end: end.expect("an answer ends by Finished or Failed") }
}

/// Asks and waits for the whole answer, which must be good.
pub async fn answer(engine: &Engine, request: GenerateRequest) -> (String, Completion) {
    let answer = finish(&mut begin(engine, request)).await;
    (answer.text, answer.end.expect("a good end"))
}

/// Waits for the first piece of text.
pub async fn first_text(generation: &mut Generation) -> String {
    loop {
        match soon("the first text", generation.next()).await {
            Some(TokenEvent::Token { text }) => return text,
            Some(TokenEvent::Finished(_) | TokenEvent::Failed(_)) | None => panic!("no text came"),
            Some(_) => {}
        }
    }
}

fn rank(event: &TokenEvent) -> u8 {
    match event {
        TokenEvent::Queued { .. } => 0,
        TokenEvent::Started { .. } => 1,
        TokenEvent::Prefill { .. } | TokenEvent::Waiting { .. } | TokenEvent::Receiving { .. } => 2,
        TokenEvent::Token { .. } => 3,
        TokenEvent::Finished(_) | TokenEvent::Failed(_) => 4,
    }
}
