//! Models on their way in and out, the disk, the network.

use api::App;
use api::dto::{IpcError, ModelOffer, ModelSource, ModelSummary, NetworkState, PickKind, Storage, Transfer};
use tauri::State;
use tauri::ipc::Channel;

/// Everything on this computer that models can be copied from.
#[tauri::command]
#[specta::specta]
pub async fn sources_list(app: State<'_, App>) -> Result<Vec<ModelSource>, IpcError> {
    api::transfers::sources(&app).await
}

/// Lets the person pick a folder or a file in the system's own dialog; null where they thought better of it.
#[tauri::command]
#[specta::specta]
pub async fn source_pick(app: State<'_, App>, kind: PickKind) -> Result<Option<ModelSource>, IpcError> {
    api::transfers::pick_source(&app, kind).await
}

/// The models that can be downloaded. Opens no connection.
#[tauri::command]
#[specta::specta]
pub async fn offers_list(app: State<'_, App>) -> Result<Vec<ModelOffer>, IpcError> {
    api::transfers::offers(&app).await
}

/// Sends all transfers now and at every change; returns once that is arranged.
#[tauri::command]
#[specta::specta]
pub async fn transfers_watch(app: State<'_, App>, on_transfers: Channel<Vec<Transfer>>) -> Result<(), IpcError> {
    api::transfers::watch(&app, super::sink(on_transfers)).await
}

/// Begins to copy a model in.
#[tauri::command]
#[specta::specta]
pub async fn transfer_import(app: State<'_, App>, source_id: String, model_id: String) -> Result<Transfer, IpcError> {
    api::transfers::import(&app, source_id, model_id).await
}

/// Begins to download a model; the network is open to this while it runs.
#[tauri::command]
#[specta::specta]
pub async fn transfer_download(app: State<'_, App>, offer_id: String) -> Result<Transfer, IpcError> {
    api::transfers::download(&app, offer_id).await
}

/// Lets the person pick a folder and begins to copy an installed model there; null where they thought better of it.
#[tauri::command]
#[specta::specta]
pub async fn transfer_export(app: State<'_, App>, model_id: String) -> Result<Option<Transfer>, IpcError> {
    api::transfers::export(&app, model_id).await
}

/// Stops a transfer for now.
#[tauri::command]
#[specta::specta]
pub async fn transfer_pause(app: State<'_, App>, id: String) -> Result<(), IpcError> {
    api::transfers::pause(&app, id).await
}

/// Goes on with a transfer that was paused or failed.
#[tauri::command]
#[specta::specta]
pub async fn transfer_resume(app: State<'_, App>, id: String) -> Result<(), IpcError> {
    api::transfers::resume(&app, id).await
}

/// Ends a transfer, removes what it left, and takes it off the list.
#[tauri::command]
#[specta::specta]
pub async fn transfer_cancel(app: State<'_, App>, id: String) -> Result<(), IpcError> {
    api::transfers::cancel(&app, id).await
}

/// Deletes an installed model, which is closed first; returns the models that are left.
#[tauri::command]
#[specta::specta]
pub async fn model_remove(app: State<'_, App>, id: String) -> Result<Vec<ModelSummary>, IpcError> {
    api::transfers::remove(&app, id).await
}

/// Room on the disk of the models.
#[tauri::command]
#[specta::specta]
pub async fn storage_get(app: State<'_, App>) -> Result<Storage, IpcError> {
    api::transfers::storage(&app).await
}

/// The count of connections, and the latest ones.
#[tauri::command]
#[specta::specta]
pub async fn network_get(app: State<'_, App>) -> Result<NetworkState, IpcError> {
    api::network_state::get(&app).await
}
