//! Stopping at every stage. The bound is generous; what counts is that the end comes and the connection goes.

use std::time::Instant;

use crate::peer::{End, Peer, Reply};
use crate::*;
use generation::FinishReason;

/// Cancels a generation once `peer` was asked so often and `ready` says so; returns how it ended.
async fn cancelled(peer: &Peer, school: &School, request: GenerateRequest, after_tokens: usize) -> FinishReason {
    let mut generation = school.generate(request).expect("admitted");
    peer.was_asked(1).await;
    let mut tokens = 0;
    while tokens < after_tokens {
        match generation.next().await.expect("it goes on") {
            TokenEvent::Token { .. } | TokenEvent::Receiving { .. } | TokenEvent::Waiting { .. } => tokens += 1,
            TokenEvent::Started { .. } => {}
            other => panic!("it ended: {other:?}"),
        }
    }
    generation.cancel();
    let began = Instant::now();
    loop {
        match generation.next().await.expect("an end") {
            TokenEvent::Finished(completion) => {
                assert!(began.elapsed() < Duration::from_secs(2));
                peer.everybody_gone().await;
                return completion.finish_reason;
            }
            TokenEvent::Failed(error) => panic!("{error:?}"),
            _ => {}
        }
    }
}

#[tokio::test]
async fn before_the_head_in_the_middle_and_while_waiting() {
    let endless = || {
        let mut reply = Reply::events("");
        reply.pieces = (0..5000).map(|word| delta(&json!(format!("word {word} "))).into_bytes()).collect();
        reply.pause = Duration::from_millis(5);
        reply
    };
    let silent_after_some = Reply::events(delta(&json!("Hello"))).end(End::Silence);
    for (name, reply, request, tokens) in [
        ("before the head", Reply::events("").end(End::NoHead), question(), 0),
        ("after the head", Reply::events("").end(End::Silence), question(), 0),
        ("in a silence", silent_after_some, question(), 1),
        ("in a chat", endless(), question(), 3),
        ("in a result", endless(), task(), 3),
        ("while waiting", Reply::status(503, "").header("retry-after", "60"), question(), 1),
    ] {
        let peer = Peer::start(move |_, _| reply.clone()).await;
        let school = school_of(&peer, ServerKind::Vllm, None);
        assert_eq!(cancelled(&peer, &school, request, tokens).await, FinishReason::Cancelled, "{name}");
    }
}

#[tokio::test]
async fn while_it_connects() {
    // A port that takes nobody in: its queue is full with one who is never accepted.
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let school = school(SchoolOptions::new(address, "gemma", ServerKind::Vllm), None);
    let mut generation = school.generate(question()).expect("admitted");
    generation.cancel();
    let mut last = None;
    while let Some(event) = generation.next().await {
        last = Some(event);
    }
    assert!(matches!(last, Some(TokenEvent::Finished(end)) if end.finish_reason == FinishReason::Cancelled));
}

#[tokio::test]
async fn forgetting_it_stops_it() {
    let peer = Peer::start(|_, _| Reply::events(delta(&json!("Hello"))).end(End::Silence)).await;
    let mut generation = school_of(&peer, ServerKind::Vllm, None).generate(question()).expect("admitted");
    while !matches!(generation.next().await, Some(TokenEvent::Token { .. })) {}
    drop(generation);
    peer.everybody_gone().await;
}
