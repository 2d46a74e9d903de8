//! Chat.

use crate::App;
use crate::Sink;
use crate::dto::{AskRequest, AskTicket, ChatEvent, Conversation, IpcError};

/// (in progress)
pub async fn ask(app: &App, request: AskRequest, sink: impl Sink<ChatEvent>) -> Result<AskTicket, IpcError> {
    let _ = (app, request, sink);
    Err(crate::dto::IpcError {
        code: crate::dto::ErrorCode::Internal,
        message: "this command is not wired yet".into(),
        hint: None,
        request_id: None,
    })
}

/// (in progress)
pub async fn regenerate(app: &App, answer_id: &str, sink: impl Sink<ChatEvent>) -> Result<AskTicket, IpcError> {
    let _ = (app, answer_id, sink);
    Err(crate::dto::IpcError {
        code: crate::dto::ErrorCode::Internal,
        message: "this command is not wired yet".into(),
        hint: None,
        request_id: None,
    })
}

/// (in progress)
pub async fn edit(
    app: &App,
    message_id: &str,
    text: String,
    sink: impl Sink<ChatEvent>,
) -> Result<AskTicket, IpcError> {
    let _ = (app, message_id, text, sink);
    Err(crate::dto::IpcError {
        code: crate::dto::ErrorCode::Internal,
        message: "this command is not wired yet".into(),
        hint: None,
        request_id: None,
    })
}

/// (in progress)
pub async fn show_version(app: &App, message_id: &str) -> Result<Conversation, IpcError> {
    let _ = (app, message_id);
    Err(crate::dto::IpcError {
        code: crate::dto::ErrorCode::Internal,
        message: "this command is not wired yet".into(),
        hint: None,
        request_id: None,
    })
}

/// (in progress)
pub async fn cancel(app: &App, request_id: &str) -> Result<(), IpcError> {
    let _ = (app, request_id);
    Err(crate::dto::IpcError {
        code: crate::dto::ErrorCode::Internal,
        message: "this command is not wired yet".into(),
        hint: None,
        request_id: None,
    })
}
