//! From what a person asked for to the request that an engine gets. The preview is made from the same request.

use crate::dto::{AboutInput, Badge, BadgeKind, Language, SendPreview, SentText, ToolInput};
use crate::engines::{Facts, Who};
use crate::failure::{Refusal, Reply};
use crate::{App, convert, images, settings};
use generation::{EngineKind, GenerateRequest, Role};
use router::Feature;
use tutor::tools::{About, Task};

/// A prompt has about so many characters in a token, counted high.
const CHARS_PER_TOKEN: usize = 3;

/// A tool's work before it is handed out.
pub(super) struct Prepared {
    pub(super) feature: Feature,
    pub(super) task: Task,
    pub(super) request: GenerateRequest,
    pub(super) who: Who,
    /// Who on this computer could do it, should the other one fail.
    pub(super) instead: Option<Badge>,
}

/// Checks `input`, decides who does it, and builds the request.
///
/// # Errors
/// When the input is no task, or nobody can do it now; that only an agreement is missing is none `before_consent`.
pub(super) async fn prepare(
    app: &App,
    facts: &Facts,
    input: &ToolInput,
    engine: Option<BadgeKind>,
    language: Option<Language>,
    before_consent: bool,
) -> Reply<Prepared> {
    let feature = feature(input);
    // Who may not have it at all need not hear what is wrong with their input.
    let who = facts.who(app, feature, engine, before_consent)?;
    let task = task(app, input).await?;
    task.check()?;
    let settings = settings::get_all(app).await?;
    let messages = task.messages(convert::language(language.unwrap_or(settings.language)));
    let mut request = GenerateRequest::new(app.new_request_id(), messages);
    request.max_tokens = task.max_tokens();
    request.structure = Some(task.structure());
    if let ToolInput::Reading { image_id, .. } = input {
        request.images.push(app.images().get(image_id)?);
    }
    if matches!(who.kind, EngineKind::Local | EngineKind::Demo) {
        fit(&mut request, settings.context_len as usize)?;
    }
    let instead = match who.kind {
        EngineKind::Local | EngineKind::Demo => None,
        EngineKind::Cloud | EngineKind::School => {
            router::instead(feature, &facts.of(feature)).map(|kind| facts.badge(app, kind))
        }
    };
    Ok(Prepared { feature, task, request, who, instead })
}

/// Makes the reply cap fit into the context length, if there is a chance that the result does.
fn fit(request: &mut GenerateRequest, context: usize) -> Result<(), Refusal> {
    let chars: usize = request.messages.iter().map(|message| message.content.chars().count()).sum();
    let prompt = chars.div_ceil(CHARS_PER_TOKEN);
    // The cap is about twice what a result needs.
    let needed = prompt + request.max_tokens / 2;
    if needed > context {
        return Err(Refusal::ContextTooShort { needed: needed.next_multiple_of(256), context });
    }
    request.max_tokens = request.max_tokens.min(context.saturating_sub(1));
    Ok(())
}

/// The feature that a tool belongs to.
fn feature(input: &ToolInput) -> Feature {
    match input {
        ToolInput::Quiz { .. } => Feature::Quiz,
        ToolInput::Practice { .. } => Feature::Practice,
        ToolInput::MindMap { .. } => Feature::MindMap,
        ToolInput::Illustration { .. } => Feature::Illustration,
        ToolInput::Flashcards { .. } => Feature::Flashcards,
        ToolInput::Sheet { .. } => Feature::Sheet,
        ToolInput::Reading { handwriting: true, .. } => Feature::Handwriting,
        ToolInput::Reading { handwriting: false, .. } => Feature::Photo,
    }
}

async fn task(app: &App, input: &ToolInput) -> Reply<Task> {
    Ok(match input.clone() {
        ToolInput::Quiz { topic, count, level } => Task::Quiz { topic, count, level },
        ToolInput::Practice { topic, level, used } => Task::Practice { topic, level, used },
        ToolInput::MindMap { about: what } => Task::MindMap { about: about(app, what).await? },
        ToolInput::Illustration { about: what } => Task::Illustration { about: about(app, what).await? },
        ToolInput::Flashcards { topic, count } => Task::Flashcards { topic, count },
        ToolInput::Sheet { topic, grade, count, form } => Task::Sheet { topic, grade, count, form },
        ToolInput::Reading { handwriting, .. } => Task::Reading { handwriting },
    })
}

async fn about(app: &App, about: AboutInput) -> Reply<About> {
    Ok(match about {
        AboutInput::Topic { topic } => About::Topic(topic),
        AboutInput::Answer { message_id } => {
            let open = app.store()?;
            let message = open.store.message(&open.learner, &message_id).await?;
            if message.role != store::Role::Tutor || message.text.trim().is_empty() {
                return Err(Refusal::NoText.into());
            }
            About::Text(message.text)
        }
    })
}

/// `request` as it would be sent to `who`.
pub(crate) fn shown(request: &GenerateRequest, who: &Who, image_id: Option<&str>) -> SendPreview {
    let texts = request.messages.iter().map(|message| SentText {
        role: match message.role {
            Role::System => "system",
            Role::User => "user",
            Role::Assistant => "assistant",
        }
        .to_owned(),
        text: message.content.clone(),
    });
    SendPreview {
        badge: who.badge.clone(),
        host: who.host.clone(),
        texts: texts.collect(),
        image: request.images.first().map(|image| images::describe(image_id.unwrap_or_default(), image)),
        needs_consent: who.needs_consent,
    }
}
