//! The server without a socket: commands, streams, refusals, policy.

use super::*;
use api::places::Places;
use api::scripted::ScriptedModels;
use api::{AppOptions, LocalTransfers, NoPicker};
use axum::http::Request;
use serde_json::json;
use std::sync::Arc;
use tower::ServiceExt;

struct Bench {
    router: Router,
    _folder: tempfile::TempDir,
}

impl Bench {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let page = folder.path().join("page");
        std::fs::create_dir(&page).expect("folder");
        std::fs::write(page.join("index.html"), "<title>Aula</title>").expect("page");
        let places = Places { data_dir: folder.path().join("data"), demo_model: None, shared_models_dir: None };
        let app = App::start(AppOptions {
            data_dir: folder.path().join("data"),
            models: Arc::new(ScriptedModels::new(crate::scripts::answer)),
            locale: None,
            transfers: Arc::new(LocalTransfers::new(&places)),
            picker: Arc::new(NoPicker),
            elsewhere: api::Elsewhere::alone(),
        })
        .await;
        Self { router: router(app, &page).expect("router"), _folder: folder }
    }

    async fn send(&self, request: Request<Body>) -> Response {
        self.router.clone().oneshot(request).await.expect("a response")
    }

    async fn call(&self, command: &str, args: Value) -> (StatusCode, String) {
        let request = Request::post(format!("/ipc/{command}"))
            .header("host", "127.0.0.1:4000")
            .body(Body::from(args.to_string()))
            .expect("request");
        let response = self.send(request).await;
        let status = response.status();
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 24).await.expect("body");
        (status, String::from_utf8(bytes.to_vec()).expect("text"))
    }
}

#[tokio::test]
async fn every_command_of_the_window_is_served() {
    let bench = Bench::new().await;
    for command in api::COMMANDS.iter().filter(|name| !name.ends_with("_watch")) {
        let (status, text) = bench.call(command, json!({})).await;
        assert!(!text.contains("there is no command"), "`{command}`: {status} {text}");
    }
    let (status, text) = bench.call("chat_shout", json!({})).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(text.contains("there is no command"), "{text}");
}

#[tokio::test]
async fn an_answer_comes_line_by_line() {
    let bench = Bench::new().await;
    let request = json!({ "request": { "conversationId": null, "text": "Hello" } });
    let (status, text) = bench.call("chat_ask", request).await;
    assert_eq!(status, StatusCode::OK);
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines[0]["conversation"]["messages"][0]["text"], "Hello");
    assert_eq!(lines[1]["event"], "started");
    let last = lines.last().expect("an end");
    assert_eq!((last["event"].as_str(), last["message"]["id"] == lines[0]["answerId"]), (Some("finished"), true));
}

#[tokio::test]
async fn failures_have_a_status_and_an_error() {
    let bench = Bench::new().await;
    let (status, text) = bench.call("conversation_get", json!({ "id": "nothing" })).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(serde_json::from_str::<Value>(&text).expect("JSON")["code"], "not_found");
    let (status, _) = bench.call("conversation_get", json!({ "id": 7 })).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_page_comes_under_the_windows_policy() {
    let bench = Bench::new().await;
    let request = Request::get("/").header("host", "127.0.0.1:4000").body(Body::empty()).expect("request");
    let response = bench.send(request).await;
    assert_eq!(response.status(), StatusCode::OK);
    let policy = response.headers()["content-security-policy"].to_str().expect("text");
    for directive in
        ["default-src 'self'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "object-src 'none'"]
    {
        assert!(policy.split("; ").any(|found| found == directive), "`{directive}` is not in {policy}");
    }
}

#[tokio::test]
async fn another_name_or_origin_is_refused() {
    let bench = Bench::new().await;
    for (host, origin, status) in [
        ("127.0.0.1:4000", Some("http://127.0.0.1:4000"), StatusCode::OK),
        ("localhost:4000", None, StatusCode::OK),
        ("aula.example.org", None, StatusCode::FORBIDDEN),
        ("127.0.0.1:4000", Some("https://example.org"), StatusCode::FORBIDDEN),
        ("127.0.0.1:4000", Some("http://127.0.0.1:9999"), StatusCode::FORBIDDEN),
    ] {
        let mut request = Request::post("/ipc/app_info").header("host", host);
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        let response = bench.send(request.body(Body::empty()).expect("request")).await;
        assert_eq!(response.status(), status, "{host} {origin:?}");
    }
}
