//! Conversations: list, read, rename, delete and undo.

use crate::dto::{Conversation, ConversationSummary, IpcError};
use crate::failure::Refusal;
use crate::{App, convert};

/// A title has at most so many characters.
pub const MAX_TITLE_CHARS: usize = 120;

/// All conversations that are not deleted, latest first.
///
/// # Errors
/// When the store cannot be read.
pub async fn list(app: &App) -> Result<Vec<ConversationSummary>, IpcError> {
    let open = app.store()?;
    Ok(open.store.conversations(&open.learner).await?.into_iter().map(convert::summary).collect())
}

/// The conversation `id` with the turns of its active branch.
///
/// # Errors
/// When there is no such conversation.
pub async fn get(app: &App, id: &str) -> Result<Conversation, IpcError> {
    let open = app.store()?;
    Ok(convert::conversation(open.store.branch(&open.learner, id).await?))
}

/// Gives the conversation `id` another title, spaces around it removed.
///
/// # Errors
/// When there is no such conversation, or the title is empty or over [`MAX_TITLE_CHARS`].
pub async fn rename(app: &App, id: &str, title: &str) -> Result<ConversationSummary, IpcError> {
    let open = app.store()?;
    let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
    if title.is_empty() || title.chars().count() > MAX_TITLE_CHARS {
        return Err(Refusal::Title { most: MAX_TITLE_CHARS }.into());
    }
    Ok(convert::summary(open.store.rename(&open.learner, id, &title).await?))
}

/// Deletes the conversation `id`, stopping an answer that is being written in it. [`restore`] brings it back.
///
/// # Errors
/// When there is no such conversation.
pub async fn delete(app: &App, id: &str) -> Result<(), IpcError> {
    let open = app.store()?;
    open.store.delete(&open.learner, id).await?;
    app.cancel_conversation(id);
    // Bringing it back brings back its text; the model reads that again.
    app.forget_kept(id);
    Ok(())
}

/// Brings a deleted conversation back.
///
/// # Errors
/// When there is no such conversation, or it was removed for good.
pub async fn restore(app: &App, id: &str) -> Result<ConversationSummary, IpcError> {
    let open = app.store()?;
    Ok(convert::summary(open.store.restore(&open.learner, id).await?))
}
