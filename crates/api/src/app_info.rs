//! App information.

use crate::App;
use crate::dto::{AppInfo, IpcError};

/// (in progress)
pub async fn info(app: &App) -> Result<AppInfo, IpcError> {
    let _ = (app,);
    Err(crate::dto::IpcError {
        code: crate::dto::ErrorCode::Internal,
        message: "this command is not wired yet".into(),
        hint: None,
        request_id: None,
    })
}

/// (in progress)
pub async fn page_ready(app: &App) -> Result<(), IpcError> {
    let _ = (app,);
    Err(crate::dto::IpcError {
        code: crate::dto::ErrorCode::Internal,
        message: "this command is not wired yet".into(),
        hint: None,
        request_id: None,
    })
}
