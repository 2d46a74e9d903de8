//! Conversations.

use api::App;
use api::dto::{Conversation, ConversationSummary, IpcError};
use tauri::State;

/// All conversations that are not deleted, latest first.
#[tauri::command]
#[specta::specta]
pub async fn conversation_list(app: State<'_, App>) -> Result<Vec<ConversationSummary>, IpcError> {
    api::conversations::list(&app).await
}

/// One conversation with the turns of its active branch.
#[tauri::command]
#[specta::specta]
pub async fn conversation_get(app: State<'_, App>, id: String) -> Result<Conversation, IpcError> {
    api::conversations::get(&app, &id).await
}

/// Gives a conversation another title.
#[tauri::command]
#[specta::specta]
pub async fn conversation_rename(
    app: State<'_, App>,
    id: String,
    title: String,
) -> Result<ConversationSummary, IpcError> {
    api::conversations::rename(&app, &id, &title).await
}

/// Deletes a conversation; `conversation_restore` brings it back.
#[tauri::command]
#[specta::specta]
pub async fn conversation_delete(app: State<'_, App>, id: String) -> Result<(), IpcError> {
    api::conversations::delete(&app, &id).await
}

/// Brings a deleted conversation back.
#[tauri::command]
#[specta::specta]
pub async fn conversation_restore(app: State<'_, App>, id: String) -> Result<ConversationSummary, IpcError> {
    api::conversations::restore(&app, &id).await
}
