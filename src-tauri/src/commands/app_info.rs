//! Facts about the app, and the page's sign of life.

use api::App;
use api::dto::{AppInfo, IpcError};
use tauri::State;

/// Version, connections made, whether the store had to be set aside.
#[tauri::command]
#[specta::specta]
pub async fn app_info(app: State<'_, App>) -> Result<AppInfo, IpcError> {
    api::app_info::info(&app).await
}

/// The page has painted and can be used: the window waits for this sign of life.
#[tauri::command]
#[specta::specta]
pub async fn page_ready(app: State<'_, App>) -> Result<(), IpcError> {
    api::app_info::page_ready(&app).await
}
