//! Tools: what can be made now and by whom, and making it.
//!
//! [`preview`] and [`start`] build their request in the same place ([`task::prepare`]), so what is shown is what is sent.

mod features;
mod making;
mod progress;
mod task;

pub(crate) use task::shown;

use crate::app::Busy;
use crate::dto::{BadgeKind, FeatureState, IpcError, Language, SendPreview, ToolEvent, ToolInput, ToolTicket};
use crate::engines::{Facts, Where};
use crate::failure::Refusal;
use crate::{App, Sink};
use making::Job;

/// Every feature with who does it, or why nobody can now. Opens no connection and asks no keychain.
///
/// # Errors
/// When the profile is locked or the store cannot be read.
pub async fn features(app: &App) -> Result<Vec<FeatureState>, IpcError> {
    let facts = Facts::now(app).await?;
    Ok(features::states(app, &facts))
}

/// Exactly what [`start`] with the same arguments would send, and to whom. Sends nothing.
///
/// # Errors
/// As for [`start`]; that an adult must still agree is part of the answer, not an error.
pub async fn preview(app: &App, input: ToolInput, engine: Option<BadgeKind>) -> Result<SendPreview, IpcError> {
    let facts = Facts::now(app).await?;
    let prepared = task::prepare(app, &facts, &input, engine, None, true).await?;
    let image_id = if let ToolInput::Reading { image_id, .. } = &input { Some(image_id.as_str()) } else { None };
    Ok(task::shown(&prepared.request, &prepared.who, image_id))
}

/// Begins to make something: as chosen in Settings, or by `engine` where that was offered. What comes arrives at `sink`.
///
/// # Errors
/// When the input is no task, nobody can do it now (nobody else does it then), or another tool is at work.
pub async fn start(
    app: &App,
    input: ToolInput,
    engine: Option<BadgeKind>,
    sink: impl Sink<ToolEvent>,
) -> Result<ToolTicket, IpcError> {
    start_in(app, input, engine, None, sink).await
}

/// [`start`], for something in another `language` than the one chosen in Settings.
///
/// # Errors
/// As for [`start`].
pub async fn start_in(
    app: &App,
    input: ToolInput,
    engine: Option<BadgeKind>,
    language: Option<Language>,
    sink: impl Sink<ToolEvent>,
) -> Result<ToolTicket, IpcError> {
    app.admit()?;
    let _admitted = app.admission().await;
    if app.is_at_work(&Busy::Tool) {
        return Err(Refusal::ToolAtWork.into());
    }
    let facts = Facts::now(app).await?;
    let prepared = task::prepare(app, &facts, &input, engine, language, false).await?;
    let by = Where::of(app, prepared.who.kind, &facts.setup).await?;
    let request_id = prepared.request.request_id.clone();
    let cancel = app.register(&request_id, Busy::Tool, prepared.who.kind);
    // Whoever switched something off meanwhile could not stop what was not registered yet.
    let still = Facts::now(app).await.and_then(|now| now.who(app, prepared.feature, engine, false));
    if let Err(error) = still {
        app.unregister(&request_id);
        return Err(error);
    }
    let job = Job { task: prepared.task, request: prepared.request, input, by, instead: prepared.instead, cancel };
    tokio::spawn(making::run(app.clone(), job, sink));
    Ok(ToolTicket { request_id })
}

/// Stops a tool; nothing of it is kept. Unknown and finished requests are ignored.
///
/// # Errors
/// Never.
pub async fn cancel(app: &App, request_id: &str) -> Result<(), IpcError> {
    app.cancel_request(request_id);
    Ok(())
}
