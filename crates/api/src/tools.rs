//! Tools: what can be made now and by whom, and making it.

use crate::dto::{BadgeKind, FeatureState, IpcError, SendPreview, ToolEvent, ToolInput, ToolTicket};
use crate::failure::Refusal;
use crate::{App, Sink};

/// Every feature with who does it, or why nobody can now.
///
/// # Errors
/// When the profile is locked or the store cannot be read.
pub async fn features(app: &App) -> Result<Vec<FeatureState>, IpcError> {
    app.store()?;
    Ok(Vec::new())
}

/// Exactly what [`start`] with the same arguments would send, and to whom. Sends nothing.
///
/// # Errors
/// As for [`start`], but for what is only missing an agreement.
pub async fn preview(app: &App, _input: ToolInput, _engine: Option<BadgeKind>) -> Result<SendPreview, IpcError> {
    app.store()?;
    Err(Refusal::NoSuchTool.into())
}

/// Begins to make something.
///
/// # Errors
/// When the input is no task, nobody can do it now, or another tool is at work.
pub async fn start(
    app: &App,
    _input: ToolInput,
    _engine: Option<BadgeKind>,
    _sink: impl Sink<ToolEvent>,
) -> Result<ToolTicket, IpcError> {
    app.store()?;
    Err(Refusal::NoSuchTool.into())
}

/// Stops a tool; nothing of it is kept. Unknown and finished requests are ignored.
///
/// # Errors
/// Never.
pub async fn cancel(app: &App, request_id: &str) -> Result<(), IpcError> {
    app.cancel_request(request_id);
    Ok(())
}
