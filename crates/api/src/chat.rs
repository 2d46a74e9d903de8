//! Questions and answers: admission. What happens then is in `answer`.

use crate::answer::{self, Job};
use crate::app::Busy;
use crate::convert;
use crate::dto::{AskRequest, AskTicket, ChatEvent, Conversation, IpcError, SendPreview};
use crate::engines::{Facts, Where, on_device};
use crate::failure::{Refusal, Reply};
use crate::host::ModelHost;
use crate::opening::Slot;
use crate::{App, Sink, settings, tools};
use generation::{EngineKind, GenerateError, GenerateRequest, Role};
use router::{Cloud, Decision, Feature, Network, Person, Place, School, Situation};
use std::sync::Arc;
use store::{Asked, Branch};

/// A question has at most so many characters.
pub const MAX_QUESTION_CHARS: usize = 20_000;

/// Saves the question and an empty answer, and begins to generate. The answer arrives at `sink`.
///
/// # Errors
/// When the question is empty or too long, no model can answer, the conversation does not exist or is busy, or the
/// store cannot be written. What fails later arrives as [`ChatEvent::Failed`].
pub async fn ask(app: &App, request: AskRequest, sink: impl Sink<ChatEvent>) -> Result<AskTicket, IpcError> {
    let text = question(&request.text)?;
    can_answer(app)?;
    let open = app.store()?;
    let _admitted = app.admission().await;
    if let Some(id) = &request.conversation_id {
        must_be_free(app, id)?;
    }
    let title = tutor::title_from(text);
    let asked = open.store.ask(&open.learner, request.conversation_id.as_deref(), &title, text).await?;
    begin(app, asked, sink).await
}

/// Begins another answer to the question that `answer_id` answers.
///
/// # Errors
/// As for [`ask`]; also when `answer_id` is not an answer.
pub async fn regenerate(app: &App, answer_id: &str, sink: impl Sink<ChatEvent>) -> Result<AskTicket, IpcError> {
    can_answer(app)?;
    let open = app.store()?;
    let _admitted = app.admission().await;
    must_be_free(app, &open.store.conversation_of(&open.learner, answer_id).await?)?;
    let asked = open.store.answer_again(&open.learner, answer_id).await?;
    begin(app, asked, sink).await
}

/// Saves `text` as another version of the question `message_id`, and begins to answer it.
///
/// # Errors
/// As for [`ask`]; also when `message_id` is not a question.
pub async fn edit(
    app: &App,
    message_id: &str,
    text: String,
    sink: impl Sink<ChatEvent>,
) -> Result<AskTicket, IpcError> {
    let text = question(&text)?;
    can_answer(app)?;
    let open = app.store()?;
    let _admitted = app.admission().await;
    must_be_free(app, &open.store.conversation_of(&open.learner, message_id).await?)?;
    let asked = open.store.edit(&open.learner, message_id, text).await?;
    begin(app, asked, sink).await
}

/// Begins another version of the answer `answer_id`, by the larger model that an adult chose for this; the earlier one
/// stays. Where that model fails, what it had written is kept, and nobody else writes in its place.
///
/// # Errors
/// As for [`ask`]; also when `answer_id` is not an answer, or nobody but this computer may answer.
pub async fn second_answer(app: &App, answer_id: &str, sink: impl Sink<ChatEvent>) -> Result<AskTicket, IpcError> {
    let open = app.store()?;
    let _admitted = app.admission().await;
    let facts = Facts::now(app).await?;
    let who = facts.who(app, Feature::SecondAnswer, None, false)?;
    must_be_free(app, &open.store.conversation_of(&open.learner, answer_id).await?)?;
    let by = Where::of(app, who.kind, &facts.setup).await?;
    let asked = open.store.answer_again(&open.learner, answer_id).await?;
    begin_by(app, asked, by, who.kind, sink).await
}

/// Exactly what [`second_answer`] would send, and to whom. Sends nothing.
///
/// # Errors
/// As for [`second_answer`]; that an adult must still agree is part of the answer, not an error.
pub async fn second_preview(app: &App, answer_id: &str) -> Result<SendPreview, IpcError> {
    let open = app.store()?;
    let who = Facts::now(app).await?.who(app, Feature::SecondAnswer, None, true)?;
    let conversation = open.store.conversation_of(&open.learner, answer_id).await?;
    let branch = open.store.branch(&open.learner, &conversation).await?;
    let is_shown = |message: &store::Message| message.id == answer_id && message.role == store::Role::Tutor;
    if !branch.messages.iter().any(is_shown) {
        return Err(Refusal::NotShown.into());
    }
    Ok(tools::shown(&request(app, &branch, answer_id, String::new(), false).await?, &who, None))
}

/// Shows the version `message_id` of a turn and what followed it.
///
/// # Errors
/// When there is no such message, or an answer is being written in its conversation.
pub async fn show_version(app: &App, message_id: &str) -> Result<Conversation, IpcError> {
    let open = app.store()?;
    let _admitted = app.admission().await;
    must_be_free(app, &open.store.conversation_of(&open.learner, message_id).await?)?;
    let id = open.store.show_version(&open.learner, message_id).await?;
    Ok(convert::conversation(open.store.branch(&open.learner, &id).await?))
}

/// Stops an answer; what was written is kept. Unknown and finished requests are ignored.
///
/// # Errors
/// Never.
pub async fn cancel(app: &App, request_id: &str) -> Result<(), IpcError> {
    app.cancel_request(request_id);
    Ok(())
}

fn question(text: &str) -> Result<&str, Refusal> {
    let text = text.trim();
    let chars = text.chars().count();
    match chars {
        0 => Err(Refusal::Empty),
        1..=MAX_QUESTION_CHARS => Ok(text),
        _ => Err(Refusal::TooLong { chars, most: MAX_QUESTION_CHARS }),
    }
}

fn must_be_free(app: &App, conversation_id: &str) -> Result<(), Refusal> {
    if app.is_busy(conversation_id) { Err(Refusal::Busy) } else { Ok(()) }
}

/// Whether anything can answer now or, while a model is opened, soon.
fn can_answer(app: &App) -> Reply<()> {
    // The tutor answers on this computer whatever else is set up.
    let situation = Situation {
        on_device: on_device(app),
        person: Person::Learner,
        place: Place::Device,
        cloud: Cloud { on: false, key: false, agreed: false },
        school: School { on: false, address: false, model: false, vision: None },
        network: Network::Down,
    };
    match router::decide(Feature::Chat, &situation) {
        Decision::Run(_) | Decision::Hidden => Ok(()),
        Decision::Unavailable { why, .. } => Err(why.into()),
    }
}

async fn begin(app: &App, asked: Asked, sink: impl Sink<ChatEvent>) -> Reply<AskTicket> {
    begin_by(app, asked, Where::Here, EngineKind::Local, sink).await
}

/// Registers the answer, hands it to a task of its own and describes it to the page.
async fn begin_by(
    app: &App,
    asked: Asked,
    by: Where,
    kind: EngineKind,
    sink: impl Sink<ChatEvent>,
) -> Reply<AskTicket> {
    let open = app.store()?;
    let branch = open.store.branch(&open.learner, &asked.conversation_id).await?;
    let request_id = app.new_request_id();
    let here = matches!(by, Where::Here);
    let request = request(app, &branch, &asked.answer_id, request_id.clone(), here).await?;
    let cancel = app.register(&request_id, Busy::Conversation(asked.conversation_id.clone()), kind);
    if !here && Facts::now(app).await.and_then(|now| now.who(app, Feature::SecondAnswer, None, false)).is_err() {
        // Somebody switched it off meanwhile: the answer ends before anything is sent.
        cancel.cancel();
    }
    let job = Job { answer_id: asked.answer_id.clone(), request, by, cancel };
    tokio::spawn(answer::run(app.clone(), job, sink));
    Ok(AskTicket { request_id, answer_id: asked.answer_id, conversation: convert::conversation(branch) })
}

/// The request for the answer `answer_id` at the end of what stands before it in `branch`. Only this computer hears which
/// conversation it is, so that it can keep what it has read of it.
async fn request(
    app: &App,
    branch: &Branch,
    answer_id: &str,
    request_id: String,
    here: bool,
) -> Reply<GenerateRequest> {
    let settings = settings::load(app).await?;
    let before = branch.messages.iter().take_while(|message| message.id != answer_id);
    let turns = before.map(|message| {
        let role = match message.role {
            store::Role::Student => Role::User,
            store::Role::Tutor => Role::Assistant,
        };
        generation::Message::new(role, message.text.clone())
    });
    let mut request = GenerateRequest::new(request_id, tutor::messages(convert::language(settings.language), turns));
    request.max_tokens = settings.max_reply_tokens as usize;
    request.conversation = here.then(|| branch.line.id.clone());
    Ok(request)
}

/// Waits until a model is chosen and, where it never was, tried; what it then says is final. A trial under way is ended
/// as soon as it can say something.
pub(crate) async fn chosen_host(app: &App) -> Result<Arc<dyn ModelHost>, GenerateError> {
    let mut slot = app.slot();
    let _waiting = app.opening().wait();
    let chosen = slot.wait_for(|slot| !matches!(slot, Slot::Choosing | Slot::Trying(_))).await.map(|slot| slot.clone());
    match chosen {
        Ok(Slot::Open(open)) => Ok(open.host),
        Ok(Slot::Failed(error)) => Err(error),
        Ok(Slot::Empty | Slot::Choosing | Slot::Trying(_)) => {
            Err(GenerateError::from_explain(&router::Unavailable::NoModel))
        }
        Err(_) => Err(Refusal::TaskDied { what: "the app" }.into()),
    }
}
