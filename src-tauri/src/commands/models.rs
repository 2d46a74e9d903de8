//! Models: what is installed, which one answers, how it is doing.

use api::App;
use api::dto::{IpcError, ModelStatus, ModelSummary};
use tauri::State;
use tauri::ipc::Channel;

/// Sends the model's state now and at every change; returns once that is arranged.
#[tauri::command]
#[specta::specta]
pub async fn model_watch(app: State<'_, App>, on_status: Channel<ModelStatus>) -> Result<(), IpcError> {
    api::models::watch(&app, super::sink(on_status)).await
}

/// The installed models and the demo model.
#[tauri::command]
#[specta::specta]
pub async fn models_list(app: State<'_, App>) -> Result<Vec<ModelSummary>, IpcError> {
    api::models::list(&app).await
}

/// Uses the model `id` from now on, or lets Aula choose when it is null; returns the list with the new choice.
#[tauri::command]
#[specta::specta]
pub async fn model_select(app: State<'_, App>, id: Option<String>) -> Result<Vec<ModelSummary>, IpcError> {
    api::models::select(&app, id).await
}
