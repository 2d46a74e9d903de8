//! Tools: what can be made now and by whom, and making it.

use api::App;
use api::dto::{BadgeKind, FeatureState, IpcError, SendPreview, ToolEvent, ToolInput, ToolTicket};
use tauri::State;
use tauri::ipc::Channel;

/// Every feature with who does it, or why nobody can now.
#[tauri::command]
#[specta::specta]
pub async fn features_get(app: State<'_, App>) -> Result<Vec<FeatureState>, IpcError> {
    api::tools::features(&app).await
}

/// Exactly what `tool_start` with the same arguments would send, and to whom. Sends nothing.
#[tauri::command]
#[specta::specta]
pub async fn tool_preview(
    app: State<'_, App>,
    input: ToolInput,
    engine: Option<BadgeKind>,
) -> Result<SendPreview, IpcError> {
    api::tools::preview(&app, input, engine).await
}

/// Begins to make something: as chosen in Settings, or by `engine` where that was offered. What comes arrives as events.
#[tauri::command]
#[specta::specta]
pub async fn tool_start(
    app: State<'_, App>,
    input: ToolInput,
    engine: Option<BadgeKind>,
    on_event: Channel<ToolEvent>,
) -> Result<ToolTicket, IpcError> {
    api::tools::start(&app, input, engine, super::sink(on_event)).await
}

/// Stops a tool; nothing of it is kept. Unknown and finished requests are ignored.
#[tauri::command]
#[specta::specta]
pub async fn tool_cancel(app: State<'_, App>, request_id: String) -> Result<(), IpcError> {
    api::tools::cancel(&app, &request_id).await
}
