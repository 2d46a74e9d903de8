//! What tools made: list, read, work on, delete and undo, draw, export.

use crate::App;
use crate::dto::{Creation, CreationSummary, DrawingView, ExportFormat, IpcError, Work};
use crate::failure::Refusal;

/// Everything that tools made, latest first.
///
/// # Errors
/// When the profile is locked or the store cannot be read.
pub async fn list(app: &App) -> Result<Vec<CreationSummary>, IpcError> {
    app.store()?;
    Ok(Vec::new())
}

/// One of them, whole.
///
/// # Errors
/// When there is none with this id, or the store cannot be read.
pub async fn get(app: &App, _id: &str) -> Result<Creation, IpcError> {
    app.store()?;
    Err(Refusal::NoSuchTool.into())
}

/// Saves what a person did with it.
///
/// # Errors
/// When there is none with this id, or the store cannot be written.
pub async fn work(app: &App, _id: &str, _work: Work) -> Result<Creation, IpcError> {
    app.store()?;
    Err(Refusal::NoSuchTool.into())
}

/// Takes it off the list; [`restore`] brings it back.
///
/// # Errors
/// When there is none with this id, or the store cannot be written.
pub async fn delete(app: &App, _id: &str) -> Result<(), IpcError> {
    app.store()?;
    Err(Refusal::NoSuchTool.into())
}

/// Undoes [`delete`].
///
/// # Errors
/// When there is none with this id, or the store cannot be written.
pub async fn restore(app: &App, _id: &str) -> Result<CreationSummary, IpcError> {
    app.store()?;
    Err(Refusal::NoSuchTool.into())
}

/// A mind map or an illustration with every position computed.
///
/// # Errors
/// When there is none with this id, or it is no drawing.
pub async fn drawing(app: &App, _id: &str) -> Result<DrawingView, IpcError> {
    app.store()?;
    Err(Refusal::NoSuchTool.into())
}

/// Saves it as a file where the person says; `false` where they thought better of it.
///
/// # Errors
/// When there is none with this id, it cannot be written in this format, or the disk does not take it.
pub async fn export(app: &App, _id: &str, _format: ExportFormat) -> Result<bool, IpcError> {
    app.store()?;
    Err(Refusal::NoSuchTool.into())
}
