//! Models: which there are, which one answers, how it is doing.

use crate::dto::{IpcError, ModelStatus, ModelSummary};
use crate::failure::Refusal;
use crate::{App, Sink, settings};

/// Sends the model's state to `sink` now and at every change, until the sink is gone or the page is loaded anew.
///
/// # Errors
/// Never.
pub async fn watch(app: &App, sink: impl Sink<ModelStatus>) -> Result<(), IpcError> {
    let mut status = app.model_status();
    let mut page = app.page_loads();
    let first = status.borrow_and_update().clone();
    if sink.send(first) {
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    changed = status.changed() => {
                        if changed.is_err() { break }
                        let now = status.borrow_and_update().clone();
                        if !sink.send(now) { break }
                    }
                    _ = page.changed() => break,
                }
            }
        });
    }
    Ok(())
}

/// The installed models and the demo model.
///
/// # Errors
/// When the folder of models or the store cannot be read.
pub async fn list(app: &App) -> Result<Vec<ModelSummary>, IpcError> {
    let settings = settings::get_all(app).await?;
    let active = app.active_model();
    let models = app.installed(settings.context_len).await?;
    Ok(models
        .into_iter()
        .map(|model| ModelSummary {
            fits: model.candidate.fits() || model.others.iter().any(catalog::Candidate::fits),
            active: active.as_ref() == Some(&model.candidate.id),
            id: model.candidate.id,
            name: model.candidate.name,
            quantization: model.candidate.quantization,
            file_bytes: model.file_bytes as f64,
            demo: model.candidate.demo,
        })
        .collect())
}

/// Uses the model `id` from now on, or lets Aula choose (`None`). Answers being written are stopped, their text kept.
/// Returns the list with the new choice.
///
/// # Errors
/// When no such model is installed, or the store cannot be written.
pub async fn select(app: &App, id: Option<String>) -> Result<Vec<ModelSummary>, IpcError> {
    let mut settings = settings::get_all(app).await?;
    if let Some(id) = &id
        && !app.installed(settings.context_len).await?.iter().any(|model| model.candidate.id == *id)
    {
        return Err(Refusal::NoSuchModel { id: id.clone() }.into());
    }
    if settings.model_id != id {
        settings.model_id = id;
        settings::save(app, &settings).await?;
        app.reopen_model().await;
    }
    list(app).await
}
