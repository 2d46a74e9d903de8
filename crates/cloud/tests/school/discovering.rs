//! What the four servers say of themselves. The bodies are shortened from their documentation and from llama-server itself.

use crate::peer::{Asked, Peer, Reply};
use crate::*;

fn not_found() -> Reply {
    Reply::status(404, r#"{"detail":"Not Found"}"#)
}

async fn discovered(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> (cloud::Discovery, Vec<Asked>) {
    let peer = Peer::start(move |asked, _| answer(asked)).await;
    let found = school_of(&peer, ServerKind::Other, Some("token")).discover().await.expect("a server");
    (found, peer.asked())
}

#[tokio::test]
async fn vllm() {
    let (found, asked) = discovered(|asked| match asked.path.as_str() {
        "/v1/models" => Reply::json(&json!({"object": "list", "data": [
            {"id": "gemma-4-26b-a4b-it", "object": "model", "owned_by": "vllm", "root": "google/gemma-4-26B-A4B-it", "max_model_len": 32768, "permission": []},
        ]})),
        _ => not_found(),
    })
    .await;
    assert_eq!((found.kind, found.vision), (ServerKind::Vllm, None));
    assert_eq!((found.models[0].id.as_str(), found.models[0].context_len), ("gemma-4-26b-a4b-it", Some(32768)));
    assert_eq!(found.model.as_deref(), Some("gemma-4-26b-a4b-it"));
    assert_eq!(asked.len(), 1, "what is told at once is not asked for");
}

#[tokio::test]
async fn vllm_behind_a_name_that_says_nothing() {
    let (found, _) = discovered(|asked| match asked.path.as_str() {
        "/v1/models" => Reply::json(&json!({"data": [{"id": "gemma"}]})),
        "/version" => Reply::json(&json!({"version": "0.19.1"})),
        _ => not_found(),
    })
    .await;
    assert_eq!(found.kind, ServerKind::Vllm);
}

#[tokio::test]
async fn llama_server() {
    let (found, _) = discovered(|asked| match asked.path.as_str() {
        "/v1/models" => Reply::json(&json!({
            "models": [{"name": "/srv/gemma.gguf", "capabilities": ["completion"]}],
            "object": "list",
            "data": [{"id": "/srv/gemma.gguf", "owned_by": "llamacpp", "meta": {"n_ctx": 4096, "n_ctx_train": 131072}}],
        })),
        "/props" => Reply::json(
            &json!({"total_slots": 4, "modalities": {"vision": true, "audio": false}, "chat_template": "{{x}}"}),
        ),
        _ => not_found(),
    })
    .await;
    assert_eq!((found.kind, found.vision), (ServerKind::LlamaServer, Some(true)));
    assert_eq!((found.models[0].name.as_deref(), found.models[0].context_len), (Some("gemma"), Some(4096)));
}

#[tokio::test]
async fn ollama() {
    let (found, asked) = discovered(|asked| match asked.path.as_str() {
        "/v1/models" => Reply::json(&json!({"object": "list", "data": [
            {"id": "qwen3:4b", "object": "model", "created": 1, "owned_by": "library"},
            {"id": "gemma4:26b", "object": "model", "created": 1, "owned_by": "library"},
        ]})),
        "/api/tags" => Reply::json(&json!({"models": [{"name": "qwen3:4b", "model": "qwen3:4b"}]})),
        "/api/show" if asked.body["model"] == "gemma4:26b" => {
            Reply::json(&json!({"capabilities": ["completion", "vision", "thinking"], "model_info": {}}))
        }
        _ => Reply::new(404, "text/plain", "404 page not found"),
    })
    .await;
    assert_eq!((found.kind, found.vision, found.models.len()), (ServerKind::Ollama, Some(true), 2));
    assert_eq!(found.model.as_deref(), Some("gemma4:26b"));
    assert!(asked.iter().all(|asked| asked.authorization.as_deref() == Some("Bearer token")));
}

#[tokio::test]
async fn lm_studio() {
    let (found, _) = discovered(|asked| match asked.path.as_str() {
        "/v1/models" => Reply::json(&json!({"data": [{"id": "google/gemma-4-e4b", "owned_by": "organization_owner"}]})),
        "/api/v0/models" => Reply::json(&json!({"data": [
            {"id": "google/gemma-4-e4b", "type": "vlm", "state": "loaded", "max_context_length": 131072, "loaded_context_length": 8192},
        ]})),
        // Of what it does not know it says so with a good status.
        _ => Reply::json(&json!({"error": "Unexpected endpoint or method."})),
    })
    .await;
    assert_eq!((found.kind, found.vision), (ServerKind::LmStudio, Some(true)));
    assert_eq!(found.models[0].context_len, Some(8192));
}

#[tokio::test]
async fn another_and_one_without_models() {
    let (found, asked) = discovered(|asked| match asked.path.as_str() {
        "/v1/models" => Reply::json(&json!({"data": []})),
        _ => not_found(),
    })
    .await;
    assert_eq!((found.kind, found.model, found.vision), (ServerKind::Other, None, None));
    assert!(asked.len() <= 5, "{}", asked.len());
    assert!(asked.iter().all(|asked| asked.method == "GET"), "nothing that costs a model's time");
}

#[tokio::test]
async fn what_is_no_such_server_is_said() {
    for (reply, expected) in [
        (Reply::status(401, r#"{"error":{"message":"Invalid API Key"}}"#), ErrorCode::KeyRejected),
        (Reply::new(200, "text/html", "<html>Sign in</html>"), ErrorCode::CaptivePortal),
        (Reply::new(404, "text/html", "<html>404</html>"), ErrorCode::ServerRefused),
        (Reply::status(200, "{\"models\": 1}"), ErrorCode::BadAnswer),
        (Reply::status(200, "hello"), ErrorCode::BadAnswer),
        (Reply::status(503, "{\"error\":{\"message\":\"Loading model\"}}"), ErrorCode::ServerBusy),
    ] {
        let status = reply.status;
        let peer = Peer::start(move |_, _| reply.clone()).await;
        let error = school_of(&peer, ServerKind::Other, None).discover().await.expect_err("no such server");
        assert_eq!(errors::Explain::code(&error), expected, "{status}");
    }
}
