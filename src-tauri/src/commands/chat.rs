//! Questions and answers.

use api::App;
use api::dto::{AskRequest, AskTicket, ChatEvent, Conversation, IpcError, SendPreview};
use tauri::State;
use tauri::ipc::Channel;

/// Asks; the ticket comes back once question and empty answer are saved, the answer arrives as events.
#[tauri::command]
#[specta::specta]
pub async fn chat_ask(
    app: State<'_, App>,
    request: AskRequest,
    on_event: Channel<ChatEvent>,
) -> Result<AskTicket, IpcError> {
    api::chat::ask(&app, request, super::sink(on_event)).await
}

/// Writes another answer to the same question; the earlier one stays as a version.
#[tauri::command]
#[specta::specta]
pub async fn chat_regenerate(
    app: State<'_, App>,
    answer_id: String,
    on_event: Channel<ChatEvent>,
) -> Result<AskTicket, IpcError> {
    api::chat::regenerate(&app, &answer_id, super::sink(on_event)).await
}

/// Asks an earlier question in other words; the earlier one stays as a version, with all that followed it.
#[tauri::command]
#[specta::specta]
pub async fn chat_edit(
    app: State<'_, App>,
    message_id: String,
    text: String,
    on_event: Channel<ChatEvent>,
) -> Result<AskTicket, IpcError> {
    api::chat::edit(&app, &message_id, text, super::sink(on_event)).await
}

/// Shows the version `message_id` of a turn, and what followed it.
#[tauri::command]
#[specta::specta]
pub async fn chat_show_version(app: State<'_, App>, message_id: String) -> Result<Conversation, IpcError> {
    api::chat::show_version(&app, &message_id).await
}

/// Stops an answer; what was written is kept. Unknown and finished requests are ignored.
#[tauri::command]
#[specta::specta]
pub async fn chat_cancel(app: State<'_, App>, request_id: String) -> Result<(), IpcError> {
    api::chat::cancel(&app, &request_id).await
}

/// Writes another version of an answer, by the larger model that an adult chose for this; the earlier one stays.
#[tauri::command]
#[specta::specta]
pub async fn chat_second_answer(
    app: State<'_, App>,
    answer_id: String,
    on_event: Channel<ChatEvent>,
) -> Result<AskTicket, IpcError> {
    api::chat::second_answer(&app, &answer_id, super::sink(on_event)).await
}

/// Exactly what `chat_second_answer` would send, and to whom. Sends nothing.
#[tauri::command]
#[specta::specta]
pub async fn chat_second_preview(app: State<'_, App>, answer_id: String) -> Result<SendPreview, IpcError> {
    api::chat::second_preview(&app, &answer_id).await
}
