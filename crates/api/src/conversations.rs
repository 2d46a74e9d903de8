//! Conversations.

use crate::App;
use crate::dto::{Conversation, ConversationSummary, IpcError};

/// (in progress)
pub async fn list(app: &App) -> Result<Vec<ConversationSummary>, IpcError> {
    let _ = (app,);
    Err(crate::dto::IpcError {
        code: crate::dto::ErrorCode::Internal,
        message: "this command is not wired yet".into(),
        hint: None,
        request_id: None,
    })
}

/// (in progress)
pub async fn get(app: &App, id: &str) -> Result<Conversation, IpcError> {
    let _ = (app, id);
    Err(crate::dto::IpcError {
        code: crate::dto::ErrorCode::Internal,
        message: "this command is not wired yet".into(),
        hint: None,
        request_id: None,
    })
}

/// (in progress)
pub async fn rename(app: &App, id: &str, title: &str) -> Result<ConversationSummary, IpcError> {
    let _ = (app, id, title);
    Err(crate::dto::IpcError {
        code: crate::dto::ErrorCode::Internal,
        message: "this command is not wired yet".into(),
        hint: None,
        request_id: None,
    })
}

/// (in progress)
pub async fn delete(app: &App, id: &str) -> Result<(), IpcError> {
    let _ = (app, id);
    Err(crate::dto::IpcError {
        code: crate::dto::ErrorCode::Internal,
        message: "this command is not wired yet".into(),
        hint: None,
        request_id: None,
    })
}

/// (in progress)
pub async fn restore(app: &App, id: &str) -> Result<ConversationSummary, IpcError> {
    let _ = (app, id);
    Err(crate::dto::IpcError {
        code: crate::dto::ErrorCode::Internal,
        message: "this command is not wired yet".into(),
        hint: None,
        request_id: None,
    })
}
