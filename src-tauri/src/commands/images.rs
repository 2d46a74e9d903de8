//! Pictures that a person gives.

use api::App;
use api::dto::{IpcError, PreparedImage};
use tauri::State;

/// Makes a picture anew from its pixels; what else was in the file is gone. Kept in memory only.
#[tauri::command]
#[specta::specta]
pub async fn image_take(app: State<'_, App>, base64: String) -> Result<PreparedImage, IpcError> {
    api::images::take(&app, base64).await
}

/// Lets the person pick a picture in the system's own dialog; null where they thought better of it.
#[tauri::command]
#[specta::specta]
pub async fn image_pick(app: State<'_, App>) -> Result<Option<PreparedImage>, IpcError> {
    api::images::pick(&app).await
}
