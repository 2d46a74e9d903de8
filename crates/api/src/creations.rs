//! What tools made: list, read, work on, delete and undo, draw, export.

mod export;
mod saved;

pub(crate) use saved::save;

use crate::App;
use crate::dto::{Creation, CreationSummary, DrawingView, ExportFormat, IpcError, Language, Work};
use crate::failure::{Refusal, Reply};
use crate::settings;
use crate::transfers::Pick;
use store::LearnerKind;
use tutor::tools::{Content, ToolKind};

/// Most questions, exercises or cards that work is kept for, and tries of each.
const MOST_WORK: usize = 64;
/// Most characters of one try.
const MOST_TRY_CHARS: usize = 500;

/// Everything that tools made, latest first. A learner does not see the sheets of an adult.
///
/// # Errors
/// When the profile is locked or the store cannot be read.
pub async fn list(app: &App) -> Result<Vec<CreationSummary>, IpcError> {
    let open = app.store()?;
    let adult = is_adult(app).await?;
    let lines = open.store.creations(&open.learner).await?;
    let all = lines.into_iter().filter_map(saved::summary);
    Ok(all.filter(|one| adult || one.tool != ToolKind::Sheet).collect())
}

/// One of them, whole.
///
/// # Errors
/// When there is none with this id for this profile, or the store cannot be read.
pub async fn get(app: &App, id: &str) -> Result<Creation, IpcError> {
    let open = app.store()?;
    let creation = saved::creation(open.store.creation(&open.learner, id).await?)?;
    if creation.summary.tool == ToolKind::Sheet && !is_adult(app).await? {
        return Err(Refusal::AdultsOnly.into());
    }
    Ok(creation)
}

/// Saves what a person did with it.
///
/// # Errors
/// When there is none with this id, `work` is larger than any work is, or the store cannot be written.
pub async fn work(app: &App, id: &str, work: Work) -> Result<Creation, IpcError> {
    let fits = work.items.len() <= MOST_WORK
        && work.items.iter().all(|item| item.tries.len() <= MOST_WORK)
        && work.items.iter().flat_map(|item| &item.tries).all(|text| text.chars().count() <= MOST_TRY_CHARS);
    if !fits {
        return Err(Refusal::WorkTooLarge.into());
    }
    let before = get(app, id).await?;
    let progress = saved::progress(&before.content, &work);
    let open = app.store()?;
    saved::creation(open.store.set_work(&open.learner, id, &saved::json(&work)?, progress).await?)
}

/// Takes it off the list; [`restore`] brings it back.
///
/// # Errors
/// When there is none with this id, or the store cannot be written.
pub async fn delete(app: &App, id: &str) -> Result<(), IpcError> {
    let open = app.store()?;
    Ok(open.store.delete_creation(&open.learner, id).await?)
}

/// Undoes [`delete`].
///
/// # Errors
/// When there is none with this id, or the store cannot be written.
pub async fn restore(app: &App, id: &str) -> Result<CreationSummary, IpcError> {
    let open = app.store()?;
    let line = open.store.restore_creation(&open.learner, id).await?;
    Ok(saved::summary(line).ok_or(Refusal::NotOurs)?)
}

/// A mind map or an illustration with every position computed.
///
/// # Errors
/// When there is none with this id, or it is no drawing.
pub async fn drawing(app: &App, id: &str) -> Result<DrawingView, IpcError> {
    let content = get(app, id).await?.content;
    let drawn = move || match &content {
        Content::MindMap(map) => {
            Ok(DrawingView { drawing: drawing::mind_map(map), mermaid: Some(drawing::mermaid(map)) })
        }
        Content::Illustration(scene) => Ok(DrawingView { drawing: drawing::illustration(scene), mermaid: None }),
        _ => Err(Refusal::NoDrawing),
    };
    Ok(tokio::task::spawn_blocking(drawn).await.map_err(|_| Refusal::TaskDied { what: "drawing" })??)
}

/// Saves it as a file where the person says; `false` where they thought better of it.
///
/// # Errors
/// When there is none with this id, it cannot be written in this format, or the disk does not take it.
pub async fn export(app: &App, id: &str, format: ExportFormat) -> Result<bool, IpcError> {
    let creation = get(app, id).await?;
    let language = settings::get_all(app).await?.language;
    // Made before anybody is asked for a place: what cannot be made is said at once.
    let name = export::suggested_name(&creation, format);
    let bytes = file(creation, format, language).await?;
    let Some(path) = app.picker().pick(Pick::SaveFile { name }, language).await else { return Ok(false) };
    let written = tokio::task::spawn_blocking(move || export::write(&path, format, &bytes)).await;
    written.map_err(|_| Refusal::TaskDied { what: "writing the file" })??;
    Ok(true)
}

/// The bytes of the file that [`export`] writes of `creation`, with headings in `language`.
///
/// # Errors
/// When it cannot be written in this format.
pub async fn file(creation: Creation, format: ExportFormat, language: Language) -> Result<Vec<u8>, IpcError> {
    let made = tokio::task::spawn_blocking(move || export::bytes(&creation, format, language)).await;
    made.map_err(|_| Refusal::TaskDied { what: "making the file" })?
}

async fn is_adult(app: &App) -> Reply<bool> {
    Ok(app.store()?.store.default_learner().await?.kind == LearnerKind::Adult)
}
