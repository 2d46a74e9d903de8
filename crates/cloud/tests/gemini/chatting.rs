//! Answers that are shown as they are written.

use std::time::Duration;

use errors::ErrorCode;
use generation::{EngineKind, FinishReason};
use serde_json::{Value, json};
use test_support::http::{Reply, Step};

use crate::support::*;

#[tokio::test]
async fn an_answer_comes_piece_by_piece_and_says_who_wrote_it() {
    let (server, gemini) =
        with([Reply::streamed([event("Light ", None), event("scatters.", None), event("", Some("STOP"))])]).await;
    let seen = ask(&gemini, question()).await;
    assert_eq!(seen.text, "Light scatters.");
    assert_eq!(seen.events, ["started by Gemma 4 26B-A4B", "token", "token"]);
    let completion = seen.completion.expect("an end");
    assert_eq!(completion.finish_reason, FinishReason::Stop);
    assert_eq!((completion.usage.prompt_tokens, completion.usage.completion_tokens), (7, 2));
    assert_eq!((completion.engine.kind, completion.engine.device.as_str()), (EngineKind::Cloud, "127.0.0.1"));

    let requests = server.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(
        (requests[0].method.as_str(), requests[0].path.as_str()),
        ("POST", "/v1beta/models/gemma-4-26b-a4b-it:streamGenerateContent?alt=sse")
    );
    assert_eq!(requests[0].header("x-goog-api-key"), Some(KEY));
    assert_eq!(requests[0].header("content-type"), Some("application/json"));
    assert_eq!(requests[0].header("authorization"), None);
    let body: Value = serde_json::from_slice(&requests[0].body).expect("JSON");
    assert_eq!(body["generationConfig"]["thinkingConfig"], json!({"thinkingLevel": "MINIMAL"}));
    assert!(body["generationConfig"].get("responseSchema").is_none());
    assert!(!requests[0].text().contains("canary") && !requests[0].path.contains("canary"));
}

#[tokio::test]
async fn the_network_is_open_for_as_long_as_an_answer_takes() {
    let (server, gemini) = with([Reply::streamed([event("x", Some("STOP"))])]).await;
    for answers in 1..=2 {
        let seen = ask(&gemini, question()).await;
        assert_eq!(seen.reason(), Some(FinishReason::Stop));
        assert!(server.until(|server| server.open() == 0).await, "the connection ends with the permit");
        assert_eq!(server.connections(), answers);
    }
}

#[tokio::test]
async fn a_model_that_refuses_to_be_told_about_thinking_is_told_nothing() {
    let refused = refusal(400, "INVALID_ARGUMENT", "Thinking level is not supported for this model.", json!([]));
    let good = Reply::streamed([event("Ya", Some("STOP"))]);
    let (server, gemini) = with([refused, good]).await;
    for _ in 0..2 {
        assert_eq!(ask(&gemini, question()).await.text, "Ya");
    }
    let told: Vec<bool> = server.requests().iter().map(|request| request.text().contains("thinkingConfig")).collect();
    assert_eq!(told, [true, false, false], "it is remembered");
}

#[tokio::test]
async fn a_model_that_refuses_even_so_is_not_asked_for_ever() {
    let refused = refusal(400, "INVALID_ARGUMENT", "Thinking is broken today.", json!([]));
    let (server, gemini) = with([refused]).await;
    assert_eq!(ask(&gemini, question()).await.code(), Some(ErrorCode::ServerRefused));
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_vague_refusal_is_answered_with_a_simpler_request_once() {
    let vague = refusal(400, "INVALID_ARGUMENT", "Request contains an invalid argument.", json!([]));
    let (server, gemini) = with([vague.clone(), Reply::streamed([event("Ya", Some("STOP"))]), vague]).await;
    assert_eq!(ask(&gemini, question()).await.text, "Ya");
    assert_eq!(ask(&gemini, question()).await.code(), Some(ErrorCode::ServerRefused));
    let told: Vec<bool> = server.requests().iter().map(|request| request.text().contains("thinkingConfig")).collect();
    assert_eq!(told, [true, false, true, false]);
}

#[tokio::test]
async fn a_used_up_allowance_is_waited_for_once_with_a_countdown() {
    let details = json!([
        {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [
            {"quotaId": "GenerateRequestsPerMinutePerProjectPerModel-FreeTier", "quotaValue": "15"}]},
        {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "0.05s"}]);
    let refused = refusal(429, "RESOURCE_EXHAUSTED", "Quota exceeded.", details);
    let good = Reply::streamed([event("Ya", Some("STOP"))]);
    let (server, gemini) = with([refused.clone(), good, refused]).await;
    let seen = ask(&gemini, question()).await;
    assert_eq!((seen.text.as_str(), seen.events[1].as_str()), ("Ya", "waiting 1 Quota"));
    assert_eq!(server.requests().len(), 2);
    // Again and again: one wait, then the truth.
    let seen = ask(&gemini, question()).await;
    assert_eq!((seen.code(), seen.events.len()), (Some(ErrorCode::QuotaExceeded), 2));
    assert_eq!(server.requests().len(), 4);
}

#[tokio::test]
async fn no_wait_where_it_would_not_help() {
    let never = refusal(429, "RESOURCE_EXHAUSTED", "limit: 0, model: gemma\nPlease retry in 0.01s.", json!([]));
    let long = refusal(429, "RESOURCE_EXHAUSTED", "Please retry in 2h3m.", json!([]));
    let silent = refusal(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted.", json!([]));
    for refused in [never, long, silent] {
        let (server, gemini) = with([refused]).await;
        assert_eq!(ask(&gemini, question()).await.code(), Some(ErrorCode::QuotaExceeded));
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_busy_service_is_asked_three_times_more() {
    for status in [500, 503, 504] {
        let refused = refusal(status, "UNAVAILABLE", "The model is overloaded.", json!([]));
        let good = Reply::streamed([event("Ya", Some("STOP"))]);
        let (server, gemini) = with([refused.clone(), refused.clone(), refused.clone(), good]).await;
        let seen = ask(&gemini, question()).await;
        assert_eq!((seen.text.as_str(), server.requests().len()), ("Ya", 4));
        assert_eq!(&seen.events[1..4], ["waiting 1 Busy"; 3]);
        let (server, gemini) = with([refused]).await;
        assert_eq!(ask(&gemini, question()).await.code(), Some(ErrorCode::ServerBusy));
        assert_eq!(server.requests().len(), 4);
    }
}

#[tokio::test]
async fn nothing_is_asked_again_once_something_was_shown() {
    for error in [
        r#"{"error": {"code": 503, "status": "UNAVAILABLE"}}"#,
        r#"{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "details": [{"retryDelay": "0.01s"}]}}"#,
    ] {
        let (server, gemini) =
            with([Reply::streamed([event("Half an ", None), format!("{error}\n"), event("x", Some("STOP"))])]).await;
        let seen = ask(&gemini, question()).await;
        assert_eq!(seen.text, "Half an ");
        assert!(matches!(seen.code(), Some(ErrorCode::ServerBusy | ErrorCode::QuotaExceeded)), "{seen:?}");
        assert_eq!(server.requests().len(), 1);
        // The same error before anything was shown is no such thing.
        let good = Reply::streamed([event("Whole", Some("STOP"))]);
        let (server, gemini) = with([Reply::streamed([format!("{error}\n")]), good]).await;
        assert_eq!(ask(&gemini, question()).await.text, "Whole");
        assert_eq!(server.requests().len(), 2);
    }
}

#[tokio::test]
async fn pieces_of_the_body_may_be_cut_anywhere() {
    let body = format!("{}{}{}", event("¿Qué ", None), event("más 🦤", None), event("?", Some("STOP"))).into_bytes();
    let (server, gemini) = with([]).await;
    // Kept open, so that one connection serves them all.
    for at in (0..body.len()).step_by(7) {
        server.then([Reply::streamed([&body[..at], &body[at..]])]);
        let seen = ask(&gemini, question()).await;
        assert_eq!((seen.text.as_str(), seen.reason()), ("¿Qué más 🦤?", Some(FinishReason::Stop)), "cut at {at}");
    }
}

#[tokio::test]
async fn a_connection_that_stays_open_after_the_end_holds_nothing_up() {
    let reply = Reply::stream().piece(event("Ya", Some("STOP"))).step(Step::Stall);
    let (server, gemini) = with([reply]).await;
    let mut options = options(&server.address());
    options.streaming.silence = Duration::from_secs(60);
    drop(gemini);
    let gemini = cloud::Gemini::new(client(), options, cloud::Secret::new(KEY));
    let seen = ask(&gemini, question()).await;
    assert_eq!((seen.text.as_str(), seen.reason()), ("Ya", Some(FinishReason::Stop)));
    assert!(server.until(|server| server.open() == 0).await);
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_before_anything_happens() {
    use generation::Generator;
    let (server, gemini) = with([]).await;
    let request = generation::GenerateRequest::new("r", Vec::new());
    let error = gemini.generate(request).expect_err("nothing to answer");
    assert_eq!((error.code, server.connections()), (ErrorCode::InvalidRequest, 0));
}
