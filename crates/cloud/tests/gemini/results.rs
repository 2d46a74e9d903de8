//! Results with a form: at most three calls, and nothing that does not fit is ever shown.

use errors::ErrorCode;
use generation::FinishReason;
use serde_json::{Value, json};
use test_support::http::{HttpServer, Reply};

use crate::support::*;

const GOOD: &str = r#"{"word":"luz","number":3}"#;

fn bodies(server: &HttpServer) -> Vec<Value> {
    server.requests().iter().map(|request| serde_json::from_slice(&request.body).expect("JSON")).collect()
}

fn has_schema(body: &Value) -> bool {
    body["generationConfig"].get("responseSchema").is_some()
}

#[tokio::test]
async fn a_result_is_told_all_at_once() {
    let (server, gemini) = with([whole(GOOD, "STOP")]).await;
    let seen = ask(&gemini, task()).await;
    assert_eq!(seen.text, GOOD);
    assert_eq!(seen.events, ["started by Gemma 4 26B-A4B", "receiving", "token"]);
    assert_eq!(seen.reason(), Some(FinishReason::Stop));
    let request = &server.requests()[0];
    assert_eq!(request.path, "/v1beta/models/gemma-4-26b-a4b-it:generateContent");
    let config = &bodies(&server)[0]["generationConfig"];
    assert_eq!(config["responseMimeType"], "application/json");
    assert_eq!(config["responseSchema"]["propertyOrdering"], json!(["word", "number"]));
    assert_eq!(config["thinkingConfig"], json!({"thinkingLevel": "MINIMAL"}));
}

#[tokio::test]
async fn words_around_a_result_are_left_out() {
    for text in [
        format!("{GOOD}\n\nI hope this helps!"),
        format!("```json\n{GOOD}\n```"),
        format!("<|channel>thought\n{{}}<channel|>{GOOD}"),
        format!("Here it is: {GOOD}{GOOD}"),
    ] {
        let (server, gemini) = with([whole(&text, "STOP")]).await;
        let seen = ask(&gemini, task()).await;
        assert_eq!((seen.text.as_str(), server.requests().len()), (GOOD, 1), "{text}");
    }
}

#[tokio::test]
async fn a_thought_part_is_no_result() {
    let body = json!({"candidates": [{"content": {"parts": [
        {"text": r#"{"word":"no","number":0}"#, "thought": true}, {"text": GOOD, "thoughtSignature": "x"}]}, "finishReason": "STOP"}]});
    let (_server, gemini) = with([Reply::json(200, body.to_string())]).await;
    assert_eq!(ask(&gemini, task()).await.text, GOOD);
}

#[tokio::test]
async fn without_a_schema_where_the_model_takes_none() {
    for message in [
        "JSON mode is not enabled for models/gemma-4-26b-a4b-it",
        "Invalid JSON payload received. Unknown name \"minLength\" at 'generation_config.response_schema': Cannot find field.",
    ] {
        let refused = refusal(400, "INVALID_ARGUMENT", message, json!([]));
        let (server, gemini) = with([refused, whole(GOOD, "STOP")]).await;
        for _ in 0..2 {
            assert_eq!(ask(&gemini, task()).await.text, GOOD);
        }
        let bodies = bodies(&server);
        assert_eq!(bodies.iter().map(has_schema).collect::<Vec<_>>(), [true, false, false], "it is remembered");
        let words = bodies[1]["contents"][0]["parts"][1]["text"].as_str().expect("words");
        assert!(words.contains("\"maximum\":9"), "{words}");
    }
}

#[tokio::test]
async fn a_vague_refusal_has_the_request_made_simpler_step_by_step() {
    let vague = refusal(400, "INVALID_ARGUMENT", "Request contains an invalid argument.", json!([]));
    let (server, gemini) = with([vague.clone(), vague.clone(), whole(GOOD, "STOP"), whole(GOOD, "STOP")]).await;
    assert_eq!(ask(&gemini, task()).await.text, GOOD);
    assert_eq!(ask(&gemini, task()).await.text, GOOD);
    let thinks = |body: &Value| body["generationConfig"].get("thinkingConfig").is_some();
    let asked: Vec<_> = bodies(&server).iter().map(|body| (has_schema(body), thinks(body))).collect();
    // It may have been anything, so nothing is remembered.
    assert_eq!(asked, [(true, true), (false, true), (false, false), (true, true)]);
    let (server, gemini) = with([vague]).await;
    assert_eq!(ask(&gemini, task()).await.code(), Some(ErrorCode::ServerRefused));
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn a_loop_is_tried_once_without_the_schema() {
    let loops = ["{\"word\":\"luz\",".to_owned() + &" ".repeat(500), "{\"word\":\"".to_owned() + &"la la ".repeat(300)];
    for text in loops {
        let looped = whole(&text, "MAX_TOKENS");
        let (server, gemini) = with([looped.clone(), whole(GOOD, "STOP"), looped.clone()]).await;
        assert_eq!(ask(&gemini, task()).await.text, GOOD);
        assert_eq!(bodies(&server).iter().map(has_schema).collect::<Vec<_>>(), [true, false]);
        // A loop is no property of the model: the next result is asked for with the schema again.
        let seen = ask(&gemini, task()).await;
        assert_eq!((seen.code(), seen.text.as_str()), (Some(ErrorCode::AnswerLooped), ""));
        assert_eq!(bodies(&server)[2..].iter().map(has_schema).collect::<Vec<_>>(), [true, false]);
    }
}

#[tokio::test]
async fn a_result_that_does_not_fit_is_mended_once() {
    let bad = r#"{"word":"luz","number":12}"#;
    let (server, gemini) = with([whole(bad, "STOP"), whole(GOOD, "STOP")]).await;
    assert_eq!(ask(&gemini, task()).await.text, GOOD);
    let mending = &bodies(&server)[1];
    let text = mending["contents"][0]["parts"][0]["text"].as_str().expect("text");
    assert!(text.contains("/number") && text.contains(bad), "{text}");
    assert!(!mending.to_string().contains("sky"), "only what is wrong, not the question again");
    assert_eq!(mending["contents"].as_array().map(Vec::len), Some(1));

    for bad in [bad, "Sorry, I cannot do that.", "{\"word\":\"luz\"", "[1, 2]"] {
        let (server, gemini) = with([whole(bad, "STOP")]).await;
        let seen = ask(&gemini, task()).await;
        assert_eq!((seen.code(), seen.text.as_str()), (Some(ErrorCode::BadAnswer), ""), "{bad}");
        assert_eq!(server.requests().len(), 2, "{bad}");
    }
}

#[tokio::test]
async fn never_more_than_three_calls() {
    let bad = whole(r#"{"word":7}"#, "STOP");
    let no_thinking = refusal(400, "INVALID_ARGUMENT", "Thinking level is not supported for this model.", json!([]));
    let no_form = refusal(400, "INVALID_ARGUMENT", "JSON mode is not enabled", json!([]));
    let looped = whole(&"[".repeat(3000), "MAX_TOKENS");
    let ladders = [
        vec![no_thinking.clone(), no_form.clone(), bad.clone()],
        vec![no_form.clone(), bad.clone(), bad.clone()],
        vec![looped.clone(), bad.clone(), bad.clone()],
        vec![no_thinking.clone(), looped, bad.clone()],
        vec![bad.clone(), no_thinking, bad.clone()],
    ];
    for (at, ladder) in ladders.into_iter().enumerate() {
        let (server, gemini) = with(ladder).await;
        let seen = ask(&gemini, task()).await;
        assert!(seen.error.is_some() && seen.text.is_empty(), "{at}: {seen:?}");
        assert_eq!(server.requests().len(), 3, "{at}");
    }
}

#[tokio::test]
async fn a_result_that_was_cut_is_not_shown() {
    let (server, gemini) = with([whole(r#"{"word":"luz","num"#, "MAX_TOKENS")]).await;
    let seen = ask(&gemini, task()).await;
    assert_eq!((seen.code(), seen.text.as_str()), (Some(ErrorCode::ResultCut), ""));
    assert_eq!(server.requests().len(), 1);
    // Only what follows the result was cut.
    let (_server, gemini) = with([whole(&format!("{GOOD}\nAnd now I will"), "MAX_TOKENS")]).await;
    assert_eq!(ask(&gemini, task()).await.text, GOOD);
}

#[tokio::test]
async fn an_empty_result_is_tried_without_the_schema() {
    let (server, gemini) = with([whole("", "STOP"), whole(GOOD, "STOP"), whole("", "STOP")]).await;
    assert_eq!(ask(&gemini, task()).await.text, GOOD);
    assert_eq!(ask(&gemini, task()).await.code(), Some(ErrorCode::BadAnswer));
    assert_eq!(bodies(&server).iter().map(has_schema).collect::<Vec<_>>(), [true, false, true, false]);
}

#[tokio::test]
async fn what_the_service_stops_is_not_asked_again() {
    let blocked = json!({"candidates": [{"finishReason": "SAFETY"}], "usageMetadata": {}});
    let question = json!({"candidates": [], "promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}});
    for body in [blocked, question] {
        let (server, gemini) = with([Reply::json(200, body.to_string())]).await;
        assert_eq!(ask(&gemini, task()).await.code(), Some(ErrorCode::ContentBlocked));
        assert_eq!(server.requests().len(), 1);
    }
    let text = answer(GOOD, "SAFETY").to_string();
    let (_server, gemini) = with([Reply::json(200, text)]).await;
    let seen = ask(&gemini, task()).await;
    assert_eq!((seen.code(), seen.text.as_str()), (Some(ErrorCode::ContentBlocked), ""));
}

#[tokio::test]
async fn awkward_answers_have_their_codes() {
    let cases = [
        (json!({"candidates": [{"content": {"parts": [{"text": GOOD}]}}]}), ErrorCode::Truncated),
        (answer(GOOD, "OF_TOMORROW"), ErrorCode::BadAnswer),
        (json!({"candidates": []}), ErrorCode::Truncated),
        (json!({"this": "is no answer"}), ErrorCode::BadAnswer),
        (json!([]), ErrorCode::BadAnswer),
        (json!({"error": {"code": 403, "message": "API key not valid."}}), ErrorCode::KeyRejected),
        (json!([{"error": {"code": 404, "status": "NOT_FOUND"}}]), ErrorCode::ModelNotServed),
    ];
    for (body, code) in cases {
        let (_server, gemini) = with([Reply::json(200, body.to_string())]).await;
        let seen = ask(&gemini, task()).await;
        assert_eq!((seen.code(), seen.text.as_str()), (Some(code), ""), "{body}");
    }
}

#[tokio::test]
async fn a_busy_service_costs_no_call() {
    let busy = refusal(503, "UNAVAILABLE", "high demand", json!([]));
    let bad = whole(r#"{"word":7}"#, "STOP");
    let (server, gemini) = with([busy.clone(), bad, busy.clone(), busy.clone(), whole(GOOD, "STOP")]).await;
    assert_eq!(ask(&gemini, task()).await.text, GOOD);
    assert_eq!(server.requests().len(), 5);
    let (server, gemini) = with([busy]).await;
    assert_eq!(ask(&gemini, task()).await.code(), Some(ErrorCode::ServerBusy));
    assert_eq!(server.requests().len(), 4);
}
