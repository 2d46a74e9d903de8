//! One answer, from admission to its end: to the store and to the page at once.

use crate::dto::{ChatEvent, IpcError, Message, MessageState, Speaker};
use crate::engines::Where;
use crate::failure::{Refusal, explain};
use crate::{App, Sink, chat, convert};
use generation::{Completion, GenerateError, GenerateRequest, TokenEvent};
use std::time::Duration;
use store::{AnswerWriter, Ending};
use tokio_util::sync::CancellationToken;

/// After a cancellation the engine has so long to say how the answer ended.
const CANCEL_GRACE: Duration = Duration::from_secs(3);

/// An answer to be written.
pub(crate) struct Job {
    pub(crate) answer_id: String,
    pub(crate) request: GenerateRequest,
    pub(crate) by: Where,
    pub(crate) cancel: CancellationToken,
}

/// How the writing ended.
enum End {
    Completed(Completion),
    /// Cancelled before or without the engine's word.
    Cancelled,
    Failed(IpcError),
}

/// Generates, saves and reports one answer. The last state is saved before the last event is sent.
pub(crate) async fn run(app: App, job: Job, sink: impl Sink<ChatEvent>) {
    let Job { answer_id, request, by, cancel } = job;
    let request_id = request.request_id.clone();
    let Ok(open) = app.store() else { return };
    let mut writing = Writing {
        app: &app,
        sink: &sink,
        request_id: &request_id,
        writer: open.store.writer(&answer_id),
        text: String::new(),
        answer_id: &answer_id,
        cancel,
    };
    let end = writing.write(request, &by).await;
    let event = writing.end(end, &open.learner).await;
    app.unregister(&request_id);
    sink.send(event);
}

struct Writing<'a, S> {
    app: &'a App,
    sink: &'a S,
    request_id: &'a str,
    answer_id: &'a str,
    writer: AnswerWriter,
    /// All text so far, for the case that the store cannot give it back.
    text: String,
    cancel: CancellationToken,
}

impl<S: Sink<ChatEvent>> Writing<'_, S> {
    async fn write(&mut self, request: GenerateRequest, by: &Where) -> End {
        let cancel = self.cancel.clone();
        let begun = match by {
            Where::Elsewhere(..) if cancel.is_cancelled() => return End::Cancelled,
            Where::Elsewhere(engine) => engine.generate(request),
            Where::Here => {
                let host = tokio::select! {
                    biased;
                    () = cancel.cancelled() => return End::Cancelled,
                    host = chat::chosen_host(self.app) => host,
                };
                host.and_then(|host| host.generate(request))
            }
        };
        let mut generation = match begun {
            Ok(generation) => generation,
            Err(error) => return self.failed(&error),
        };
        let mut told_to_stop = false;
        loop {
            let save_due = self.writer.due();
            let event = tokio::select! {
                event = generation.next() => event,
                () = sleep_until(save_due) => {
                    match self.writer.save().await {
                        Ok(()) => continue,
                        Err(error) => return End::Failed(explain(&error, Some(self.request_id))),
                    }
                }
                () = cancel.cancelled(), if !told_to_stop => {
                    told_to_stop = true;
                    generation.cancel();
                    continue;
                }
                () = tokio::time::sleep(CANCEL_GRACE), if told_to_stop => return End::Cancelled,
            };
            match event {
                None if told_to_stop => return End::Cancelled,
                None => return self.failed(&Refusal::BrokeOff.into()),
                Some(TokenEvent::Finished(completion)) => return End::Completed(completion),
                Some(TokenEvent::Failed(error)) => return self.failed(&error),
                Some(event) => {
                    if let Err(error) = self.pass_on(event).await {
                        return End::Failed(explain(&error, Some(self.request_id)));
                    }
                }
            }
        }
    }

    /// Saves and reports what came. Where nobody listens any more, the answer is cancelled.
    async fn pass_on(&mut self, event: TokenEvent) -> store::Result<()> {
        let event = match event {
            TokenEvent::Queued { position } => ChatEvent::Queued { position: convert::count(position) },
            TokenEvent::Started { engine } => {
                if let Ok(open) = self.app.store() {
                    open.store.set_engine(self.answer_id, &convert::engine_name(&engine)).await?;
                }
                ChatEvent::Started { badge: convert::badge(&engine) }
            }
            TokenEvent::Prefill { done, total } => {
                ChatEvent::Prefill { done: convert::count(done), total: convert::count(total) }
            }
            TokenEvent::Waiting { seconds, reason } => {
                ChatEvent::Waiting { seconds, reason: convert::wait_reason(reason) }
            }
            // Only answers of a given form grow unseen; a chat has none.
            TokenEvent::Receiving { .. } => return Ok(()),
            TokenEvent::Token { text } => {
                self.text.push_str(&text);
                if self.writer.push(&text) {
                    self.writer.save().await?;
                }
                ChatEvent::Token { text }
            }
            // The caller deals with the two ends.
            TokenEvent::Finished(_) | TokenEvent::Failed(_) => return Ok(()),
        };
        if !self.cancel.is_cancelled() && !self.sink.send(event) {
            tracing::info!(request_id = self.request_id, "the page is gone; its answer is stopped");
            self.cancel.cancel();
        }
        Ok(())
    }

    fn failed(&self, error: &GenerateError) -> End {
        End::Failed(explain(error, Some(self.request_id)))
    }

    /// Saves the end and describes it.
    async fn end(&mut self, end: End, learner: &str) -> ChatEvent {
        let ending = match &end {
            End::Completed(completion) => convert::ending(completion),
            End::Cancelled => {
                Ending { state: store::MessageState::Stopped, finish_reason: Some("cancelled"), measured: None }
            }
            End::Failed(_) => {
                Ending { state: store::MessageState::Interrupted, finish_reason: Some("failed"), measured: None }
            }
        };
        let mut error = match end {
            End::Failed(error) => Some(error),
            End::Completed(_) | End::Cancelled => None,
        };
        if let Err(unsaved) = self.writer.end(ending).await {
            // The first failure is the one to tell.
            error = error.or_else(|| Some(explain(&unsaved, Some(self.request_id))));
        }
        let message = match self.app.store() {
            Ok(open) => open.store.message(learner, self.answer_id).await.map(convert::message).ok(),
            Err(_) => None,
        };
        // Unsaved text is still shown: the person can copy it.
        let message = message.filter(|saved| saved.text == self.text).unwrap_or_else(|| self.unsaved());
        match error {
            None => ChatEvent::Finished { message },
            Some(error) => ChatEvent::Failed { error, message },
        }
    }

    fn unsaved(&self) -> Message {
        Message {
            id: self.answer_id.to_owned(),
            speaker: Speaker::Tutor,
            text: self.text.clone(),
            state: MessageState::Interrupted,
            badge: None,
            tokens_per_second: None,
            seconds: None,
            created_at: 0.0,
            version_ids: vec![self.answer_id.to_owned()],
        }
    }
}

/// Sleeps until `due`, or for ever.
async fn sleep_until(due: Option<std::time::Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}
