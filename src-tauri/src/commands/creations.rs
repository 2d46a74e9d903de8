//! What tools made.

use api::App;
use api::dto::{Creation, CreationSummary, DrawingView, ExportFormat, IpcError, Work};
use tauri::State;

/// Everything that tools made, latest first.
#[tauri::command]
#[specta::specta]
pub async fn creation_list(app: State<'_, App>) -> Result<Vec<CreationSummary>, IpcError> {
    api::creations::list(&app).await
}

/// One of them, whole.
#[tauri::command]
#[specta::specta]
pub async fn creation_get(app: State<'_, App>, id: String) -> Result<Creation, IpcError> {
    api::creations::get(&app, &id).await
}

/// Saves what a person did with it.
#[tauri::command]
#[specta::specta]
pub async fn creation_work(app: State<'_, App>, id: String, work: Work) -> Result<Creation, IpcError> {
    api::creations::work(&app, &id, work).await
}

/// Takes it off the list; `creation_restore` brings it back.
#[tauri::command]
#[specta::specta]
pub async fn creation_delete(app: State<'_, App>, id: String) -> Result<(), IpcError> {
    api::creations::delete(&app, &id).await
}

/// Undoes `creation_delete`.
#[tauri::command]
#[specta::specta]
pub async fn creation_restore(app: State<'_, App>, id: String) -> Result<CreationSummary, IpcError> {
    api::creations::restore(&app, &id).await
}

/// A mind map or an illustration with every position computed.
#[tauri::command]
#[specta::specta]
pub async fn creation_drawing(app: State<'_, App>, id: String) -> Result<DrawingView, IpcError> {
    api::creations::drawing(&app, &id).await
}

/// Saves it as a file where the person says, in the system's own dialog; false where they thought better of it.
#[tauri::command]
#[specta::specta]
pub async fn creation_export(app: State<'_, App>, id: String, format: ExportFormat) -> Result<bool, IpcError> {
    api::creations::export(&app, &id, format).await
}
