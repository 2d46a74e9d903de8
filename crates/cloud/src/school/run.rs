//! One action of a person: a chat answer, or a result of a given form.

use std::time::Instant;

use generation::{
    Completion, FinishReason, GenerateError, GenerateRequest, Generation, Message, Misfit, Role, Structure, Timings,
    TokenEvent, Usage,
};
use network::Purpose;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::School;
use super::call::{Answer, Listener};
use super::ladder::{Climb, Memory, Miss, Rung, Step};
use super::wire::{self, Correction};
use crate::answer;
use crate::error::{Error, Problem};
use crate::loops::Form;

/// Events that may wait for whoever reads them.
const EVENTS: usize = 64;

/// Starts `request`.
///
/// # Errors
/// If it cannot be sent as it is.
pub fn start(school: &School, request: GenerateRequest) -> Result<Generation, Error> {
    if request.messages.is_empty() || request.max_tokens == 0 {
        return Err(Error::Request { what: "there is nothing to answer".to_owned() });
    }
    if !request.images.is_empty() && school.options.vision == Some(false) {
        return Err(Error::NoVision { model: school.engine().model });
    }
    wire::check_images(&request)?;
    let runtime = tokio::runtime::Handle::try_current()
        .map_err(|_| Error::Request { what: "it was asked for outside of the program's runtime".to_owned() })?;
    let (events, received) = mpsc::channel(EVENTS);
    let cancel = CancellationToken::new();
    runtime.spawn(run(school.clone(), request, events, cancel.clone()));
    Ok(Generation::new(received, cancel))
}

async fn run(school: School, request: GenerateRequest, events: mpsc::Sender<TokenEvent>, cancel: CancellationToken) {
    let _open = school.client.gate().open(Purpose::SchoolServer);
    let began = Instant::now();
    let mut listener = Listener::new(events.clone());
    let result = tokio::select! {
        biased;
        // Dropping the other side closes the connection, which is what stops the server.
        () = cancel.cancelled() => Ok(FinishReason::Cancelled),
        result = answer(&school, &request, &mut listener) => result,
    };
    tracing::debug!(request = request.request_id, ?result, "school server");
    let end = match result {
        Ok(reason) => TokenEvent::Finished(completion(&school, &request, &listener, began, reason)),
        Err(error) => TokenEvent::Failed(GenerateError::from_explain(&error)),
    };
    let _ = events.send(end).await;
}

async fn answer(school: &School, request: &GenerateRequest, listener: &mut Listener) -> Result<FinishReason, Error> {
    listener.tell(TokenEvent::Started { engine: school.engine() }).await;
    match &request.structure {
        None => chat(school, request, listener).await,
        Some(structure) => {
            let value = structured(school, request, structure, listener).await?;
            listener.token(value.to_string()).await;
            Ok(FinishReason::Stop)
        }
    }
}

async fn chat(school: &School, request: &GenerateRequest, listener: &mut Listener) -> Result<FinishReason, Error> {
    let answer = chat_call(school, request, listener).await?;
    if answer.is_empty {
        // All of it was thoughts, or there is nothing.
        let host = school.host().to_owned();
        return Err(if answer.is_cut { Error::Cut } else { Error::Empty { host } });
    }
    let written = listener.counts.completion;
    Ok(match answer.is_cut {
        false => FinishReason::Stop,
        true if written > 0 && written < request.max_tokens => FinishReason::ContextFull,
        true => FinishReason::MaxTokens,
    })
}

/// One chat; asked again without the fields that only some servers know if it is refused with them.
async fn chat_call(school: &School, request: &GenerateRequest, listener: &mut Listener) -> Result<Answer, Error> {
    let memory = school.memory();
    let step = Step { rung: memory.rung, extras: memory.extras, correction: false };
    let with_pictures = !request.images.is_empty();
    let body = |step| wire::body(request, &school.options.model, school.options.kind, step, None);
    match school.call(&body(step), Form::Text, with_pictures, listener).await {
        Err(Error::Refused { problem: Problem::Unsupported, .. }) if step.extras => {
            let answer =
                school.call(&body(Step { extras: false, ..step }), Form::Text, with_pictures, listener).await?;
            school.remember(Memory { extras: false, ..school.memory() });
            Ok(answer)
        }
        result => result,
    }
}

/// A result of the form of `structure`, within three calls.
async fn structured(
    school: &School,
    request: &GenerateRequest,
    structure: &Structure,
    listener: &mut Listener,
) -> Result<Value, Error> {
    let mut climb = Climb::new(school.memory());
    let mut correction: Option<Correction> = None;
    let with_pictures = !request.images.is_empty();
    loop {
        let step = climb.step();
        let said = correction.take().filter(|_| step.correction);
        let body = wire::body(request, &school.options.model, school.options.kind, step, said.as_ref());
        let with_pictures = with_pictures && said.is_none();
        let (miss, error) = match school.call(&body, Form::Json, with_pictures, listener).await {
            Ok(answer) => match result(structure, &answer) {
                Ok(value) => {
                    school.remember(climb.learnt());
                    return Ok(value);
                }
                // Half of a result is worth nothing, and asked again it would be as long.
                Err(_) if answer.is_cut => return Err(Error::Cut),
                Err(misfit) if answer.is_empty => (Miss::Empty, Error::Misfit { misfit: misfit.to_string() }),
                Err(misfit @ Misfit::Schema(_)) => return Err(Error::Misfit { misfit: misfit.to_string() }),
                Err(misfit) => {
                    let misfit = misfit.to_string();
                    let text = if answer.content.trim().is_empty() { answer.thoughts } else { answer.content };
                    correction = Some(Correction { text, misfit: misfit.clone() });
                    (Miss::Misfit, Error::Misfit { misfit })
                }
            },
            Err(Error::Looped) => (Miss::Looped, Error::Looped),
            Err(error @ Error::Refused { problem: Problem::Unsupported, .. }) => (Miss::Unsupported, error),
            Err(error) => return Err(error),
        };
        if climb.missed(miss).is_none() {
            return Err(error);
        }
    }
}

/// The result in `answer`. One that is cut counts only if it is whole all the same: the limit may have cut what follows it.
fn result(structure: &Structure, answer: &Answer) -> Result<Value, Misfit> {
    answer::result(structure, &answer.content, &answer.thoughts)
}

fn completion(
    school: &School,
    request: &GenerateRequest,
    listener: &Listener,
    began: Instant,
    finish_reason: FinishReason,
) -> Completion {
    let counts = listener.counts;
    let seconds =
        |from: Instant, to: Option<Instant>| to.map_or(0.0, |to| to.saturating_duration_since(from).as_secs_f64());
    Completion {
        finish_reason,
        usage: Usage {
            prompt_tokens: counts.prompt,
            reused_tokens: counts.cached,
            prefilled_tokens: counts.prompt - counts.cached,
            completion_tokens: counts.completion,
            seed: request.sampling.seed.unwrap_or_default(),
            ..Usage::default()
        },
        timings: Timings {
            ttft_s: seconds(began, listener.first),
            decode_s: listener.first.map_or(0.0, |first| seconds(first, listener.last)),
            ..Timings::default()
        },
        token_ids: Vec::new(),
        engine: school.engine(),
    }
}

/// A listener whom nobody hears.
fn nobody() -> Listener {
    Listener::new(mpsc::channel(1).0)
}

/// See [`School::try_reply`].
pub async fn try_reply(school: &School) -> Result<(), Error> {
    let mut request = GenerateRequest::new("try", vec![Message::new(Role::User, "Hello")]);
    request.max_tokens = 1;
    // Whatever it is: a token was written, perhaps of a thought.
    chat_call(school, &request, &mut nobody()).await.map(drop)
}

/// See [`School::try_structure`].
pub async fn try_structure(school: &School) -> Result<Rung, Error> {
    let schema = json!({
        "type": "object",
        "properties": {"sum": {"type": "integer", "minimum": 0, "maximum": 100}},
        "required": ["sum"],
        "additionalProperties": false,
    });
    let structure = Structure { name: "sum".to_owned(), schema };
    let question = "What is 2 + 3? Answer with a JSON object that has one field: sum.";
    let mut request = GenerateRequest::new("try", vec![Message::new(Role::User, question)]);
    request.max_tokens = 200;
    request.structure = Some(structure.clone());
    structured(school, &request, &structure, &mut nobody()).await?;
    Ok(school.rung())
}
