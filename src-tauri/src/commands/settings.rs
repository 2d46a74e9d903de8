//! Settings.

use api::App;
use api::dto::{IpcError, Settings};
use tauri::State;

/// The settings in force.
#[tauri::command]
#[specta::specta]
pub async fn settings_get(app: State<'_, App>) -> Result<Settings, IpcError> {
    api::settings::get(&app).await
}

/// Saves all settings; returns them as saved.
#[tauri::command]
#[specta::specta]
pub async fn settings_set(app: State<'_, App>, settings: Settings) -> Result<Settings, IpcError> {
    api::settings::set(&app, settings).await
}
