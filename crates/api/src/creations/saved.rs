//! Between what the store keeps and what the page sees.

use crate::App;
use crate::convert;
use crate::dto::{Creation, CreationSummary, ToolInput, Work};
use crate::failure::{Refusal, Reply};
use generation::EngineInfo;
use serde::Serialize;
use serde_json::Value;
use store::{CreationLine, NewCreation};
use tutor::tools::{Content, ToolKind};

/// Saves what `engine` made of `input`.
pub(crate) async fn save(app: &App, input: &ToolInput, content: &Content, engine: &EngineInfo) -> Reply<Creation> {
    let open = app.store()?;
    let work = Work::default();
    let new = NewCreation {
        tool: content.kind().name().to_owned(),
        title: content.title(),
        input: json(input)?,
        content: json(content)?,
        work: json(&work)?,
        progress: progress(content, &work),
        engine: convert::engine_name(engine),
    };
    creation(open.store.create_creation(&open.learner, &new).await?)
}

/// A line of the list; `None` for a tool that this version does not know.
pub(super) fn summary(line: CreationLine) -> Option<CreationSummary> {
    let tool = ToolKind::ALL.into_iter().find(|kind| kind.name() == line.tool)?;
    Some(CreationSummary {
        id: line.id,
        tool,
        title: line.title,
        badge: convert::stored_badge(&line.engine),
        created_at: convert::milliseconds(line.created_at),
        progress: line.progress.filter(|progress| progress.is_finite()),
    })
}

pub(super) fn creation(stored: store::Creation) -> Reply<Creation> {
    let store::Creation { line, input, content, work } = stored;
    let unread = |error: serde_json::Error| {
        tracing::warn!(%error, "something that was made cannot be read");
        Refusal::NotOurs
    };
    Ok(Creation {
        summary: summary(line).ok_or(Refusal::NotOurs)?,
        input: serde_json::from_value(input).map_err(unread)?,
        content: serde_json::from_value(content).map_err(unread)?,
        // What was made is worth more than how far somebody got with it.
        work: serde_json::from_value(work).unwrap_or_default(),
    })
}

/// How far `work` is through `content`, 0 to 1; none where there is nothing to get through.
pub(super) fn progress(content: &Content, work: &Work) -> Option<f64> {
    let items = match content {
        Content::Quiz(quiz) => quiz.questions.len(),
        Content::Practice(practice) => practice.exercises.len(),
        Content::Flashcards(cards) => cards.cards.len(),
        Content::MindMap(_) | Content::Illustration(_) | Content::Sheet(_) | Content::Reading(_) => return None,
    };
    let done = work.items.iter().take(items).filter(|item| item.done).count();
    (items > 0).then(|| done as f64 / items as f64)
}

pub(super) fn json(value: &impl Serialize) -> Reply<Value> {
    serde_json::to_value(value).map_err(|error| {
        tracing::error!(%error, "what was made could not be written as JSON");
        Refusal::TaskDied { what: "writing what was made" }.into()
    })
}
