//! The web server: the built page under the window's content security policy, and the commands.

use crate::commands::{self, Answer};
use api::App;
use api::dto::{ErrorCode, IpcError};
use axum::Router;
use axum::body::Body;
use axum::extract::{Path as UrlPath, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::Value;
use std::convert::Infallible;
use std::path::Path;
use tokio::sync::mpsc;
use tokio_stream::{StreamExt, wrappers::UnboundedReceiverStream};
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;

/// The largest body of a command: a picture's file in base64.
const MAX_BODY_BYTES: usize = 40 << 20;
const WINDOW_CONFIG: &str = include_str!("../../../tauri.conf.json");

/// Everything that is served.
///
/// # Errors
/// When the window's configuration names no content security policy.
pub fn router(app: App, page: &Path) -> Result<Router, String> {
    let policy = HeaderValue::from_str(&policy()?).map_err(|error| error.to_string())?;
    Ok(Router::new()
        .route("/ipc/{command}", post(ipc))
        .with_state(app)
        .fallback_service(ServeDir::new(page))
        .layer(SetResponseHeaderLayer::overriding(header::CONTENT_SECURITY_POLICY, policy))
        .layer(SetResponseHeaderLayer::overriding(header::CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .layer(SetResponseHeaderLayer::overriding(
            HeaderName::from_static("x-content-type-options"),
            HeaderValue::from_static("nosniff"),
        ))
        .layer(middleware::from_fn(only_this_computer)))
}

/// The window's policy, except that commands go to this server instead of the window's own channel.
fn policy() -> Result<String, String> {
    let config: Value = serde_json::from_str(WINDOW_CONFIG).map_err(|error| error.to_string())?;
    let directives = config["app"]["security"]["csp"].as_object().ok_or("tauri.conf.json has no policy")?;
    let text = directives.iter().map(|(name, sources)| {
        let sources = if name == "connect-src" { "'self'" } else { sources.as_str().unwrap_or("'none'") };
        format!("{name} {sources}")
    });
    Ok(text.collect::<Vec<_>>().join("; "))
}

/// Refuses requests under another name: a page elsewhere that points its own name at 127.0.0.1 gets nothing.
async fn only_this_computer(request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let origin = request.headers().get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
    let same_origin = origin.is_none_or(|origin| origin.strip_prefix("http://") == Some(host));
    if !["127.0.0.1", "localhost"].contains(&name) || !same_origin {
        return StatusCode::FORBIDDEN.into_response();
    }
    next.run(request).await
}

async fn ipc(State(app): State<App>, UrlPath(name): UrlPath<String>, body: Body) -> Response {
    let args = match axum::body::to_bytes(body, MAX_BODY_BYTES).await {
        Ok(bytes) if bytes.is_empty() => Ok(Value::Null),
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    let args = match args {
        Ok(args) => args,
        Err(message) => return failed(StatusCode::BAD_REQUEST, &invalid(message)),
    };
    match commands::call(&app, &name, &args).await {
        None => failed(StatusCode::NOT_FOUND, &invalid(format!("there is no command `{name}`"))),
        Some(Err(error)) => failed(status(error.code), &error),
        Some(Ok(Answer::Value(value))) => json(StatusCode::OK, value.to_string()),
        Some(Ok(Answer::Stream(value, events))) => lines(&value, events),
    }
}

/// The value and then the events, one a line, as they come.
fn lines(value: &Value, events: mpsc::UnboundedReceiver<String>) -> Response {
    let first = tokio_stream::once(value.to_string());
    let all = first.chain(UnboundedReceiverStream::new(events)).map(|line| Ok::<_, Infallible>(line + "\n"));
    let body = Body::from_stream(all);
    ([(header::CONTENT_TYPE, "application/x-ndjson")], body).into_response()
}

fn failed(status: StatusCode, error: &IpcError) -> Response {
    json(status, serde_json::to_string(error).unwrap_or_default())
}

fn json(status: StatusCode, text: String) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], text).into_response()
}

fn invalid(message: String) -> IpcError {
    IpcError { code: ErrorCode::InvalidRequest, message, hint: None, request_id: None }
}

fn status(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::NotFound => StatusCode::NOT_FOUND,
        ErrorCode::InvalidRequest | ErrorCode::PromptTooLong => StatusCode::BAD_REQUEST,
        ErrorCode::QueueFull | ErrorCode::ModelLoading | ErrorCode::ModelMissing => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
