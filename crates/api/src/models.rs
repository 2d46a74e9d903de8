//! Models.

use crate::App;
use crate::Sink;
use crate::dto::{IpcError, ModelStatus, ModelSummary};

/// (in progress)
pub async fn watch(app: &App, sink: impl Sink<ModelStatus>) -> Result<(), IpcError> {
    let _ = (app, sink);
    Err(crate::dto::IpcError {
        code: crate::dto::ErrorCode::Internal,
        message: "this command is not wired yet".into(),
        hint: None,
        request_id: None,
    })
}

/// (in progress)
pub async fn list(app: &App) -> Result<Vec<ModelSummary>, IpcError> {
    let _ = (app,);
    Err(crate::dto::IpcError {
        code: crate::dto::ErrorCode::Internal,
        message: "this command is not wired yet".into(),
        hint: None,
        request_id: None,
    })
}

/// (in progress)
pub async fn select(app: &App, id: Option<String>) -> Result<Vec<ModelSummary>, IpcError> {
    let _ = (app, id);
    Err(crate::dto::IpcError {
        code: crate::dto::ErrorCode::Internal,
        message: "this command is not wired yet".into(),
        hint: None,
        request_id: None,
    })
}
