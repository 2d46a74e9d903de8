//! The first run, the person who uses this computer, and the computer.

use api::App;
use api::dto::{HardwareSummary, IpcError, Profile, ProfileInput, SetupState};
use tauri::State;

/// How far the first run is, and whether a PIN is asked for.
#[tauri::command]
#[specta::specta]
pub async fn setup_get(app: State<'_, App>) -> Result<SetupState, IpcError> {
    api::setup::get(&app).await
}

/// Notes that the first run is finished.
#[tauri::command]
#[specta::specta]
pub async fn setup_finish(app: State<'_, App>) -> Result<SetupState, IpcError> {
    api::setup::finish(&app).await
}

/// Saves who uses this computer.
#[tauri::command]
#[specta::specta]
pub async fn profile_set(app: State<'_, App>, input: ProfileInput) -> Result<Profile, IpcError> {
    api::profile::set(&app, input).await
}

/// Opens the profile with its PIN.
#[tauri::command]
#[specta::specta]
pub async fn profile_unlock(app: State<'_, App>, pin: String) -> Result<SetupState, IpcError> {
    api::profile::unlock(&app, pin).await
}

/// Processor, memory and graphics cards.
#[tauri::command]
#[specta::specta]
pub async fn hardware_get(app: State<'_, App>) -> Result<HardwareSummary, IpcError> {
    api::computer::get(&app).await
}
