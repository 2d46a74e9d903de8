//! One tool's work, from admission to its end.

use super::progress::Growing;
use crate::dto::{Badge, IpcError, ToolEvent, ToolInput};
use crate::engines::Where;
use crate::failure::{Refusal, explain};
use crate::{App, Sink, chat, convert, creations};
use errors::{ErrorCode, Explain};
use generation::{EngineInfo, FinishReason, GenerateError, GenerateRequest, TokenEvent};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tutor::tools::{Content, NotAResult, Task};

/// After a cancellation the engine has so long to let go.
const CANCEL_GRACE: Duration = Duration::from_secs(3);
/// How often this computer begins again after a result that contradicts itself. A server's allowance is not spent so.
const SECOND_TRIES: usize = 2;

/// Something to be made.
pub(super) struct Job {
    pub(super) task: Task,
    pub(super) request: GenerateRequest,
    pub(super) input: ToolInput,
    pub(super) by: Where,
    pub(super) instead: Option<Badge>,
    pub(super) cancel: CancellationToken,
}

/// How one attempt ended.
enum End {
    Made(Content, EngineInfo),
    Contradicts(NotAResult),
    Failed(IpcError),
    Cancelled,
}

/// The result reached its limit before it was whole.
#[derive(Debug, thiserror::Error)]
#[error("the result was not finished within its limit")]
struct Cut;

impl Explain for Cut {
    fn code(&self) -> ErrorCode {
        ErrorCode::ResultCut
    }

    fn hint(&self) -> Option<String> {
        Some("Ask for something shorter.".to_owned())
    }
}

/// Makes, saves and reports. What was made is saved before it is told.
pub(super) async fn run(app: App, job: Job, sink: impl Sink<ToolEvent>) {
    let request_id = job.request.request_id.clone();
    let end = Making { app: &app, job: &job, sink: &sink }.tries().await;
    let event = match end {
        End::Made(content, engine) => match creations::save(&app, &job.input, &content, &engine).await {
            Ok(creation) => ToolEvent::Finished { creation },
            Err(error) => {
                ToolEvent::Failed { error: IpcError { request_id: Some(request_id.clone()), ..error }, instead: None }
            }
        },
        End::Contradicts(reason) => failed(explain(&reason, Some(&request_id)), job.instead),
        End::Failed(error) => failed(error, job.instead),
        End::Cancelled => ToolEvent::Cancelled,
    };
    app.unregister(&request_id);
    sink.send(event);
}

fn failed(error: IpcError, instead: Option<Badge>) -> ToolEvent {
    ToolEvent::Failed { error, instead }
}

struct Making<'a, S> {
    app: &'a App,
    job: &'a Job,
    sink: &'a S,
}

impl<S: Sink<ToolEvent>> Making<'_, S> {
    async fn tries(&self) -> End {
        let more = if matches!(self.job.by, Where::Here) { SECOND_TRIES } else { 0 };
        for n in 0..=more {
            match self.attempt(n).await {
                End::Contradicts(reason) if n < more => {
                    tracing::info!(%reason, request_id = self.job.request.request_id, "made anew");
                }
                end => return end,
            }
        }
        self.failed(&Refusal::BrokeOff.into())
    }

    async fn attempt(&self, n: usize) -> End {
        let cancel = &self.job.cancel;
        // Without a seed every attempt draws its own.
        let mut request = self.job.request.clone();
        if n > 0 {
            request.request_id = format!("{}-{n}", request.request_id);
        }
        let begun = match &self.job.by {
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
        let mut growing = Growing::new(&self.job.task);
        loop {
            let event = tokio::select! {
                biased;
                () = cancel.cancelled() => {
                    generation.cancel();
                    // It is waited for, so that nothing runs on once this is reported.
                    let rest = async { while generation.next().await.is_some() {} };
                    let _ = tokio::time::timeout(CANCEL_GRACE, rest).await;
                    return End::Cancelled;
                }
                event = generation.next() => event,
            };
            let told = match event {
                None => return self.failed(&Refusal::BrokeOff.into()),
                Some(TokenEvent::Failed(error)) => return self.failed(&error),
                Some(TokenEvent::Finished(done)) => return self.finished(done.finish_reason, done.engine, &growing),
                Some(TokenEvent::Queued { position }) => Some(ToolEvent::Queued { position: convert::count(position) }),
                Some(TokenEvent::Started { engine }) => Some(ToolEvent::Started { badge: convert::badge(&engine) }),
                Some(TokenEvent::Prefill { done, total }) => {
                    Some(ToolEvent::Prefill { done: convert::count(done), total: convert::count(total) })
                }
                Some(TokenEvent::Waiting { seconds, reason }) => {
                    Some(ToolEvent::Waiting { seconds, reason: convert::wait_reason(reason) })
                }
                Some(TokenEvent::Receiving { characters }) => Some(growing.receiving(characters)),
                Some(TokenEvent::Token { text }) => growing.push(&text),
            };
            if let Some(told) = told
                && !self.sink.send(told)
            {
                tracing::info!(request_id = self.job.request.request_id, "the page is gone; its tool is stopped");
                cancel.cancel();
            }
        }
    }

    fn finished(&self, reason: FinishReason, engine: EngineInfo, growing: &Growing<'_>) -> End {
        match reason {
            FinishReason::Cancelled => End::Cancelled,
            FinishReason::MaxTokens | FinishReason::ContextFull => {
                End::Failed(explain(&Cut, Some(&self.job.request.request_id)))
            }
            FinishReason::Stop => {
                self.sink.send(growing.event());
                match self.job.task.read(&growing.text) {
                    Ok(content) => End::Made(content, engine),
                    Err(reason) => End::Contradicts(reason),
                }
            }
        }
    }

    fn failed(&self, error: &GenerateError) -> End {
        End::Failed(explain(error, Some(&self.job.request.request_id)))
    }
}
