//! The executable that the tests of this crate start: a worker around a scripted model, or around Gemma's files if
//! the environment says so; and, as `parent MODEL`, a program that holds an engine until it is killed.

#[path = "../support/scripted.rs"]
mod scripted;

use std::io::Write;

use engine::{Engine, EngineOptions, ModelStatus};
use generation::{GenerateRequest, Generator, Message, Role};

fn main() {
    engine::run_worker_if_asked_with(scripted::ScriptedLoader);
    let mut arguments = std::env::args().skip(1);
    match (arguments.next().as_deref(), arguments.next()) {
        (Some("parent"), Some(model)) => parent(model),
        _ => {
            eprintln!("this program is started by tests only");
            std::process::exit(2);
        }
    }
}

/// Starts an engine, says its worker's process id, and writes an endless answer.
fn parent(model: String) {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let Ok(runtime) = runtime else { std::process::exit(1) };
    runtime.block_on(async {
        let engine = Engine::start(EngineOptions { model: Some(model.into()), ..EngineOptions::default() });
        let mut status = engine.status();
        let ready = status.wait_for(|status| matches!(status, ModelStatus::Ready(_))).await.is_ok();
        let pid = engine.worker().borrow().pid;
        let (true, Some(pid)) = (ready, pid) else { std::process::exit(1) };
        println!("{pid}");
        let said = std::io::stdout().flush();
        let question = Message::new(Role::User, "len=100000 delay=20");
        let answer = engine.generate(GenerateRequest::new("endless", vec![question]));
        let (Ok(()), Ok(mut answer)) = (said, answer) else { std::process::exit(1) };
        while answer.next().await.is_some() {}
    });
}
