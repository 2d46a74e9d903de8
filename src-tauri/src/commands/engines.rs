//! Who answers: Cloud Boost, the school's server, what each group of features uses. Keys go in and never come out.

use api::App;
use api::dto::{EnginesInput, EnginesState, IpcError, SchoolInput, TestReport};
use tauri::State;

/// Everything that is set up.
#[tauri::command]
#[specta::specta]
pub async fn engines_get(app: State<'_, App>) -> Result<EnginesState, IpcError> {
    api::engines::get(&app).await
}

/// Switches on and off, and says what each group uses.
#[tauri::command]
#[specta::specta]
pub async fn engines_set(app: State<'_, App>, input: EnginesInput) -> Result<EnginesState, IpcError> {
    api::engines::set(&app, input).await
}

/// Keeps the key of Cloud Boost in the system's keychain, or until the program ends where there is none.
#[tauri::command]
#[specta::specta]
pub async fn cloud_key_set(app: State<'_, App>, key: String) -> Result<EnginesState, IpcError> {
    api::engines::cloud_key_set(&app, key).await
}

/// Removes the key, and with it what was agreed to.
#[tauri::command]
#[specta::specta]
pub async fn cloud_key_remove(app: State<'_, App>) -> Result<EnginesState, IpcError> {
    api::engines::cloud_key_remove(&app).await
}

/// An adult agrees to what Cloud Boost sends, or withdraws that.
#[tauri::command]
#[specta::specta]
pub async fn cloud_agree(app: State<'_, App>, agree: bool) -> Result<EnginesState, IpcError> {
    api::engines::cloud_agree(&app, agree).await
}

/// Lists the models with the key, then asks for one token.
#[tauri::command]
#[specta::specta]
pub async fn cloud_test(app: State<'_, App>) -> Result<TestReport, IpcError> {
    api::engines::cloud_test(&app).await
}

/// The school server's address and token.
#[tauri::command]
#[specta::specta]
pub async fn school_set(app: State<'_, App>, input: SchoolInput) -> Result<EnginesState, IpcError> {
    api::engines::school_set(&app, input).await
}

/// Looks what the school's server is and offers, then asks for one token and for a reply of a given form.
#[tauri::command]
#[specta::specta]
pub async fn school_test(app: State<'_, App>) -> Result<TestReport, IpcError> {
    api::engines::school_test(&app).await
}

/// Uses this one of the models that the school's server offers.
#[tauri::command]
#[specta::specta]
pub async fn school_model(app: State<'_, App>, id: String) -> Result<EnginesState, IpcError> {
    api::engines::school_model(&app, id).await
}
