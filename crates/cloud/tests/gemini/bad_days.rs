//! Bad days: each has its code, nothing hangs, and what was written stays.

use std::time::Duration;

use cloud::{Gemini, GeminiOptions, Secret};
use errors::ErrorCode;
use generation::{FinishReason, GenerateRequest};
use network::Patience;
use serde_json::json;
use test_support::http::{HttpServer, Reply, Step};

use crate::support::*;

/// The chat and a tool: both have the same bad days.
fn both() -> [GenerateRequest; 2] {
    [question(), task()]
}

async fn code_of(reply: Reply, request: GenerateRequest) -> (Option<ErrorCode>, String) {
    let (_server, gemini) = with([reply]).await;
    let seen = ask(&gemini, request).await;
    (seen.code(), seen.text)
}

#[tokio::test]
async fn nobody_there() {
    let server = HttpServer::start([]).await;
    let options = options(&server.address());
    drop(server);
    for request in both() {
        let gemini = Gemini::new(client(), options.clone(), Secret::new(KEY));
        // The port may take a moment to close.
        assert_eq!(ask(&gemini, request).await.code(), Some(ErrorCode::Offline));
    }
}

/// No name has so long a part, so nobody is asked about it and the answer comes at once.
#[tokio::test]
async fn a_name_that_nobody_has() {
    for request in both() {
        let options = GeminiOptions { base: format!("https://{}.invalid", "x".repeat(64)), ..options("") };
        let gemini = Gemini::new(client(), options, Secret::new(KEY));
        assert_eq!(ask(&gemini, request).await.code(), Some(ErrorCode::NameNotFound));
    }
}

#[tokio::test]
async fn a_server_without_protection_behind_a_protected_address() {
    let server = HttpServer::start([]).await;
    for request in both() {
        let base = server.address().replace("http:", "https:");
        let gemini = Gemini::new(client(), options(&base), Secret::new(KEY));
        assert_eq!(ask(&gemini, request).await.code(), Some(ErrorCode::UntrustedServer));
    }
    assert!(server.requests().is_empty(), "nothing was said to it");
}

#[tokio::test]
async fn an_unprotected_address_is_never_used() {
    let gemini = Gemini::new(client(), options("http://192.168.1.5"), Secret::new(KEY));
    assert_eq!(ask(&gemini, question()).await.code(), Some(ErrorCode::InvalidRequest));
}

#[tokio::test]
async fn a_network_that_wants_to_be_signed_in_to() {
    let page = "<!DOCTYPE html><html><body>Sign in to SCHOOL-WIFI</body></html>";
    let plain = Reply::whole(200, "text/plain", page);
    let html = Reply::whole(200, "text/html; charset=utf-8", page);
    let required = Reply::whole(511, "text/html", page);
    let elsewhere = HttpServer::start([html.clone()]).await;
    let sent_on = Reply::whole(302, "text/html", "").with_header(&format!("Location: {}/login", elsewhere.address()));
    for reply in [plain, html, required, sent_on] {
        for request in both() {
            let seen = code_of(reply.clone(), request).await;
            assert_eq!(seen, (Some(ErrorCode::CaptivePortal), String::new()), "{reply:?}");
        }
    }
    assert_eq!(elsewhere.connections(), 0, "nobody is followed");
}

#[tokio::test]
async fn a_page_by_something_on_the_way_is_no_login() {
    for (status, code) in
        [(502, ErrorCode::ServerBusy), (404, ErrorCode::ModelNotServed), (403, ErrorCode::KeyRestricted)]
    {
        let (code_seen, _) = code_of(Reply::whole(status, "text/html", "<html>Error</html>"), question()).await;
        assert_eq!(code_seen, Some(code), "{status}");
    }
}

#[tokio::test]
async fn a_server_that_takes_the_question_and_says_nothing() {
    for request in both() {
        let (server, _) = with([Reply::raw([Step::Stall])]).await;
        let mut options = options(&server.address());
        options.streaming.first_byte = SHORT;
        options.whole.first_byte = SHORT;
        // The time to connect is part of the wait for the head.
        let network = network::Options { connect_timeout: SHORT, system_proxy: false, ..network::Options::default() };
        let client = network::Client::new(network::Gate::new(), network);
        let gemini = Gemini::new(client, options, Secret::new(KEY));
        assert_eq!(ask(&gemini, request).await.code(), Some(ErrorCode::ServerSilent));
    }
}

#[tokio::test]
async fn silence_in_the_middle() {
    let reply = Reply::stream().piece(event("Once upon ", None)).step(Step::Stall);
    let (code, text) = code_of(reply, question()).await;
    assert_eq!((code, text.as_str()), (Some(ErrorCode::ServerSilent), "Once upon "));
    let body = answer("x", "STOP").to_string();
    let head = format!("HTTP/1.1 200 X\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len());
    let reply = Reply::raw([Step::Bytes(head.into_bytes()), Step::Bytes(body.as_bytes()[..20].to_vec()), Step::Stall]);
    assert_eq!(code_of(reply, task()).await, (Some(ErrorCode::ServerSilent), String::new()));
}

#[tokio::test]
async fn one_byte_at_a_time() {
    let patience =
        Patience { slowest: Some((200, Duration::from_millis(300))), silence: Duration::from_secs(5), ..patience() };
    let bytes = event("Slowly", None).repeat(20).into_bytes();
    for request in both() {
        let head = b"HTTP/1.1 200 X\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n".to_vec();
        let reply = Reply::raw([Step::Bytes(head), Step::Drip(bytes.clone(), Duration::from_millis(5))]);
        let (server, _) = with([reply]).await;
        let options = GeminiOptions { streaming: patience, whole: patience, ..options(&server.address()) };
        let gemini = Gemini::new(client(), options, Secret::new(KEY));
        assert_eq!(ask(&gemini, request).await.code(), Some(ErrorCode::TooSlow));
        assert!(server.until(|server| server.open() == 0).await);
    }
}

#[tokio::test]
async fn a_connection_that_breaks() {
    for end in [Step::Reset, Step::Close] {
        let reply = Reply::stream().piece(event("Once upon ", None)).piece(event("a time", None)).step(end.clone());
        let (code, text) = code_of(reply, question()).await;
        assert_eq!(code, Some(ErrorCode::Truncated), "{end:?}");
        // What was on its way when the connection was reset may be lost.
        assert!("Once upon a time".starts_with(&text), "{end:?}: {text}");
        assert!(end == Step::Reset || text == "Once upon a time", "{end:?}: {text}");
        let (code, _) = code_of(Reply::raw([end.clone()]), question()).await;
        assert_eq!(code, Some(ErrorCode::Offline), "{end:?}");
        let half =
            Reply::raw([Step::Bytes(b"HTTP/1.1 200 X\r\nContent-Length: 500\r\n\r\n{\"candidates\"".to_vec()), end]);
        assert_eq!(code_of(half, task()).await.0, Some(ErrorCode::Truncated));
    }
}

#[tokio::test]
async fn an_end_without_a_reason_is_no_end() {
    let events = ["One ", "two ", "three"].map(|text| event(text, None));
    for kept in 0..=events.len() {
        let (code, text) = code_of(Reply::streamed(&events[..kept]), question()).await;
        assert_eq!(code, Some(ErrorCode::Truncated));
        assert_eq!(text, ["One ", "two ", "three"][..kept].concat());
    }
    // Without a length and without chunks a body ends with its connection, however it ended.
    let head = "HTTP/1.1 200 X\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n";
    let body = answer("x", "STOP").to_string();
    let reply = Reply::raw([Step::Bytes(format!("{head}{}", &body[..30]).into_bytes()), Step::Close]);
    assert_eq!(code_of(reply, task()).await.0, Some(ErrorCode::Truncated));
}

#[tokio::test]
async fn what_is_no_answer_at_all() {
    for body in ["hello", "{\"a\": }", "null", "[]", "{}", "\u{0}\u{1}", "data: {\"x\": 1}\n\n"] {
        let (code, text) = code_of(Reply::json(200, body), task()).await;
        assert!(matches!(code, Some(ErrorCode::BadAnswer | ErrorCode::Truncated)), "{body}: {code:?}");
        assert_eq!(text, "");
        let (code, text) = code_of(Reply::json(200, body), question()).await;
        assert!(matches!(code, Some(ErrorCode::BadAnswer | ErrorCode::Truncated)), "{body}: {code:?}");
        assert_eq!(text, "");
    }
    let noise = Reply::raw([Step::Bytes(b"\x16\x03\x01 not the protocol\r\n\r\n".to_vec()), Step::Close]);
    assert_eq!(code_of(noise, question()).await.0, Some(ErrorCode::Offline));
}

#[tokio::test]
async fn fifty_megabytes() {
    let head = b"HTTP/1.1 200 X\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n".to_vec();
    let lines = [Step::Bytes(head.clone()), Step::Bytes(event("Before ", None).into_bytes()), Step::Flood(50_000_000)];
    let (code, text) = code_of(Reply::raw(lines), question()).await;
    assert_eq!((code, text.as_str()), (Some(ErrorCode::AnswerTooLarge), "Before "));
    let (code, _) = code_of(Reply::raw([Step::Bytes(head), Step::Flood(50_000_000)]), task()).await;
    assert_eq!(code, Some(ErrorCode::AnswerTooLarge));
}

#[tokio::test]
async fn a_refusal_without_end_is_not_read_to_its_end() {
    let head = b"HTTP/1.1 503 X\r\nConnection: close\r\n\r\n".to_vec();
    let (code, _) = code_of(Reply::raw([Step::Bytes(head), Step::Flood(50_000_000)]), question()).await;
    assert_eq!(code, Some(ErrorCode::ServerBusy));
    let head = b"HTTP/1.1 403 X\r\nContent-Length: 100\r\n\r\nhalf".to_vec();
    let (code, _) = code_of(Reply::raw([Step::Bytes(head), Step::Stall]), question()).await;
    assert_eq!(code, Some(ErrorCode::KeyRestricted));
}

#[tokio::test]
async fn a_model_that_repeats_itself() {
    let pieces = std::iter::once(event("Well, ", None)).chain((0..200).map(|_| event("and so on ", None)));
    let (server, gemini) = with([Reply::streamed(pieces)]).await;
    let seen = ask(&gemini, question()).await;
    assert_eq!(seen.code(), Some(ErrorCode::AnswerLooped));
    assert!(seen.text.starts_with("Well, and so on ") && seen.text.len() < 1000, "{}", seen.text.len());
    assert!(server.until(|server| server.open() == 0).await, "it is stopped, not listened to");
}

#[tokio::test]
async fn a_key_that_is_revoked_in_the_middle() {
    for (code, word, expected) in
        [(401, "UNAUTHENTICATED", ErrorCode::KeyRejected), (403, "PERMISSION_DENIED", ErrorCode::KeyRestricted)]
    {
        let error =
            serde_json::to_string_pretty(&json!({"error": {"code": code, "message": "no more", "status": word}}))
                .expect("JSON");
        let reply = Reply::streamed([event("Once upon ", None), format!("{error}\r\n")]);
        let (code, text) = code_of(reply, question()).await;
        assert_eq!((code, text.as_str()), (Some(expected), "Once upon "));
    }
}

#[tokio::test]
async fn after_a_bad_day_comes_a_good_one() {
    let good = Reply::streamed([event("Ya", Some("STOP"))]);
    let (server, gemini) = with([Reply::raw([Step::Reset]), Reply::streamed([event("x", None)]), good]).await;
    assert_eq!(ask(&gemini, question()).await.code(), Some(ErrorCode::Offline));
    assert_eq!(ask(&gemini, question()).await.code(), Some(ErrorCode::Truncated));
    let seen = ask(&gemini, question()).await;
    assert_eq!((seen.text.as_str(), seen.reason()), ("Ya", Some(FinishReason::Stop)));
    assert_eq!(server.requests().len(), 3);
}
