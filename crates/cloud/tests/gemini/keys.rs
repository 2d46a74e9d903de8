//! The test of a key, and what it may find.

use cloud::{Error, Problem, Secret};
use errors::{ErrorCode, Explain};
use serde_json::{Value, json};
use test_support::http::Reply;

use crate::support::*;

fn list() -> Reply {
    let model = |id: &str, methods: Value| {
        json!({"name": format!("models/{id}"), "displayName": "Gemma 4", "inputTokenLimit": 262144,
                                                  "outputTokenLimit": 32768, "supportedGenerationMethods": methods, "newField": []})
    };
    let models = json!([model("gemma-4-26b-a4b-it", json!(["generateContent", "countTokens"])), model("embedding", json!(["embedContent"])),
                        {"name": "models/bare"}, {"displayName": "nameless"}, null]);
    Reply::json(200, json!({"models": models}).to_string())
}

#[tokio::test]
async fn the_models_that_write_text_are_listed() {
    let (server, gemini) = with([list()]).await;
    let models = gemini.models().await.expect("a list");
    assert_eq!(models.iter().map(|model| model.id.as_str()).collect::<Vec<_>>(), ["gemma-4-26b-a4b-it", "bare"]);
    assert_eq!((models[0].context_len, models[0].max_tokens), (Some(262_144), Some(32_768)));
    assert_eq!(models[0].name.as_deref(), Some("Gemma 4"));
    let request = &server.requests()[0];
    assert_eq!((request.method.as_str(), request.path.as_str()), ("GET", "/v1beta/models?pageSize=200"));
    assert_eq!(request.header("x-goog-api-key"), Some(KEY));
    assert!(server.until(|server| server.open() == 0).await, "the network closes again");
}

#[tokio::test]
async fn a_list_of_several_pages_is_read_to_its_end_and_no_further() {
    let page = |id: &str, next: Value| {
        Reply::json(200, json!({"models": [{"name": format!("models/{id}")}], "nextPageToken": next}).to_string())
    };
    let (server, gemini) = with([page("a", json!("A-b_c=")), page("b", json!(""))]).await;
    assert_eq!(gemini.models().await.expect("a list").len(), 2);
    assert_eq!(server.requests()[1].path, "/v1beta/models?pageSize=200&pageToken=A-b_c=");
    let (server, gemini) = with([page("a", json!("again"))]).await;
    assert_eq!(gemini.models().await.expect("a list").len(), 5);
    assert_eq!(server.requests().len(), 5);
    let (server, gemini) = with([page("a", json!("x&key=1 /../"))]).await;
    assert_eq!(gemini.models().await.expect("a list").len(), 1);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn one_token_shows_whether_the_key_may_use_the_model() {
    let none =
        json!({"candidates": [{"content": {"role": "model"}, "finishReason": "MAX_TOKENS"}], "usageMetadata": {}});
    for good in [answer("Hi", "MAX_TOKENS"), none] {
        let (server, gemini) = with([Reply::json(200, good.to_string())]).await;
        gemini.try_reply().await.expect("it may");
        let body: Value = serde_json::from_slice(&server.requests()[0].body).expect("JSON");
        assert_eq!(body["generationConfig"]["maxOutputTokens"], 1);
    }
    let thinking = refusal(400, "INVALID_ARGUMENT", "Thinking level is not supported", json!([]));
    let (_server, gemini) = with([thinking.clone(), whole("Hi", "STOP")]).await;
    gemini.try_reply().await.expect("without a word about thinking");
    let (server, gemini) = with([thinking]).await;
    gemini.try_reply().await.expect_err("it refuses even so");
    assert_eq!(server.requests().len(), 2);
    let (_server, gemini) = with([Reply::json(200, "{\"x\": 1}")]).await;
    assert_eq!(gemini.try_reply().await.expect_err("no answer").code(), ErrorCode::BadAnswer);
}

#[tokio::test]
async fn what_is_wrong_with_a_key_is_said() {
    let reason = |reason: &str| json!([{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason}]);
    let cases = [
        (refusal(400, "INVALID_ARGUMENT", "API key not valid.", reason("API_KEY_INVALID")), Problem::KeyRejected),
        (refusal(401, "UNAUTHENTICATED", "", reason("ACCESS_TOKEN_TYPE_UNSUPPORTED")), Problem::KeyRestricted),
        (refusal(403, "PERMISSION_DENIED", "", reason("SERVICE_DISABLED")), Problem::KeyRestricted),
        (
            refusal(400, "FAILED_PRECONDITION", "User location is not supported for the API use.", json!([])),
            Problem::Region,
        ),
        (refusal(404, "NOT_FOUND", "models/x is not found", json!([])), Problem::NoModel),
    ];
    for (reply, expected) in cases {
        let (_server, gemini) = with([reply]).await;
        for error in [gemini.models().await.map(drop), gemini.try_reply().await] {
            assert!(matches!(error, Err(Error::Refused { problem, .. }) if problem == expected), "{error:?}");
        }
    }
    // A key with a slip in it cannot even be sent, and is not shown.
    let (server, _) = with([list()]).await;
    let gemini = cloud::Gemini::new(client(), options(&server.address()), Secret::new("AQ.canary\u{1}canary"));
    let error = gemini.models().await.expect_err("no header");
    assert_eq!(error.code(), ErrorCode::InvalidRequest);
    assert!(!errors::chain(&error).contains("canary") && server.requests().is_empty());
}
