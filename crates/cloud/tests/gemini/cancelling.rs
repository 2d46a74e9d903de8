//! Stopping an answer, at every stage: soon, and with nothing left behind.

use std::time::{Duration, Instant};

use cloud::Gemini;
use generation::{FinishReason, GenerateRequest, Generator, TokenEvent};
use serde_json::json;
use test_support::http::{HttpServer, Reply, Step};

use crate::support::*;

/// A computer that is busy with other tests takes longer than the tenth of a second that it takes alone.
const AT_ONCE: Duration = Duration::from_secs(1);

/// Asks, waits until `reached`, cancels, and sees it end at once with its connection closed and the network shut.
async fn cancelled(
    server: &HttpServer,
    gemini: &Gemini,
    request: GenerateRequest,
    reached: impl Fn(&HttpServer) -> bool,
) -> String {
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    let mut generation = gemini.generate(request).expect("admitted");
    assert!(server.until(reached).await, "it never came so far");
    // What was said so far is read; an event may still be on its way.
    tokio::time::sleep(Duration::from_millis(20)).await;
    let began = Instant::now();
    generation.cancel();
    let mut text = String::new();
    let reason = loop {
        match generation.next().await {
            Some(TokenEvent::Token { text: piece }) => text.push_str(&piece),
            Some(TokenEvent::Finished(completion)) => break completion.finish_reason,
            Some(TokenEvent::Started { .. } | TokenEvent::Waiting { .. } | TokenEvent::Receiving { .. }) => {}
            other => panic!("{other:?}"),
        }
    };
    let took = began.elapsed();
    assert_eq!(reason, FinishReason::Cancelled);
    assert!(took < AT_ONCE, "{took:?}");
    assert!(generation.next().await.is_none());
    assert!(server.until(|server| server.open() == 0).await, "the connection is gone");
    assert!(server.until(|_| tasks() <= before).await, "{} tasks are left of {before}", tasks());
    if std::env::var_os("AULA_TIMES").is_some() {
        eprintln!("cancelled in {took:?}");
    }
    text
}

#[tokio::test]
async fn while_connecting() {
    // A port that takes connections and never says a word of the handshake.
    let server = HttpServer::start([Reply::raw([Step::Stall])]).await;
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let base = format!("https://127.0.0.1:{}", listener.local_addr().expect("an address").port());
    let gemini = Gemini::new(client(), options(&base), cloud::Secret::new(KEY));
    assert_eq!(cancelled(&server, &gemini, question(), |_| true).await, "");
}

#[tokio::test]
async fn while_waiting_for_the_head() {
    for request in [question(), task()] {
        let (server, gemini) = with([Reply::raw([Step::Stall])]).await;
        assert_eq!(cancelled(&server, &gemini, request, |server| !server.requests().is_empty()).await, "");
    }
}

#[tokio::test]
async fn in_the_middle_of_the_body() {
    let (server, gemini) = with([Reply::stream().piece(event("Once upon ", None)).step(Step::Stall)]).await;
    let text = cancelled(&server, &gemini, question(), |server| !server.requests().is_empty()).await;
    assert_eq!(text, "Once upon ");
    let head = b"HTTP/1.1 200 X\r\nContent-Length: 500\r\n\r\n{\"candidates\"".to_vec();
    let (server, gemini) = with([Reply::raw([Step::Bytes(head), Step::Stall])]).await;
    assert_eq!(cancelled(&server, &gemini, task(), |server| !server.requests().is_empty()).await, "");
}

#[tokio::test]
async fn while_a_flood_comes() {
    let events = (0..100_000).fold(Vec::new(), |mut all, number| {
        all.extend(event(&format!("{number} "), None).into_bytes());
        all
    });
    let head = b"HTTP/1.1 200 X\r\nConnection: close\r\n\r\n".to_vec();
    let (server, gemini) = with([Reply::raw([Step::Bytes(head), Step::Bytes(events)])]).await;
    let text = cancelled(&server, &gemini, question(), |server| !server.requests().is_empty()).await;
    assert!(text.starts_with("0 1 2 "), "{text}");
}

#[tokio::test]
async fn while_waiting_to_ask_again() {
    let quota = refusal(429, "RESOURCE_EXHAUSTED", "Please retry in 60s.", json!([]));
    for request in [question(), task()] {
        let (server, gemini) = with([quota.clone()]).await;
        assert_eq!(cancelled(&server, &gemini, request, |server| !server.requests().is_empty()).await, "");
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn an_answer_that_nobody_listens_to_ends_itself() {
    let (server, gemini) = with([Reply::stream().piece(event("x", None)).step(Step::Stall)]).await;
    let generation = gemini.generate(question()).expect("admitted");
    assert!(server.until(|server| !server.requests().is_empty()).await);
    drop(generation);
    assert!(server.until(|server| server.open() == 0).await);
}
