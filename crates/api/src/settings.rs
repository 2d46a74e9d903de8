//! Settings.

use crate::App;
use crate::dto::{IpcError, Settings};

/// (in progress)
pub async fn get(app: &App) -> Result<Settings, IpcError> {
    let _ = (app,);
    Err(crate::dto::IpcError {
        code: crate::dto::ErrorCode::Internal,
        message: "this command is not wired yet".into(),
        hint: None,
        request_id: None,
    })
}

/// (in progress)
pub async fn set(app: &App, settings: Settings) -> Result<Settings, IpcError> {
    let _ = (app, settings);
    Err(crate::dto::IpcError {
        code: crate::dto::ErrorCode::Internal,
        message: "this command is not wired yet".into(),
        hint: None,
        request_id: None,
    })
}
