//! A generator that plays a script: what the crates above `generation` are tested with instead of an engine.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use generation::{
    Completion, EngineInfo, EngineKind, FinishReason, GenerateError, GenerateRequest, Generation, Generator, Timings,
    TokenEvent, Usage,
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// One step of a scripted answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// So many requests are ahead.
    Queued(usize),
    /// Progress through the prompt.
    Prefill(usize, usize),
    /// A piece of text.
    Text(String),
    /// A pause; a cancellation ends it.
    Wait(Duration),
    /// The end by a failure.
    Fail(GenerateError),
    /// The end for this reason; a script without an end stops of itself.
    Finish(FinishReason),
}

/// Plays scripts in the order given, one for each request; needs a tokio runtime.
#[derive(Debug, Default)]
pub struct ScriptedGenerator {
    scripts: Mutex<VecDeque<Result<Vec<Step>, GenerateError>>>,
    requests: Mutex<Vec<GenerateRequest>>,
}

impl ScriptedGenerator {
    /// A generator that answers nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Plays `steps` for the next request without a script.
    pub fn then(self, steps: Vec<Step>) -> Self {
        self.scripts.lock().unwrap_or_else(PoisonError::into_inner).push_back(Ok(steps));
        self
    }

    /// Answers the next request without a script with `text`, word by word.
    pub fn then_text(self, text: &str) -> Self {
        self.then(text.split_inclusive(' ').map(|word| Step::Text(word.to_owned())).collect())
    }

    /// Refuses the next request without a script.
    pub fn then_refuse(self, error: GenerateError) -> Self {
        self.scripts.lock().unwrap_or_else(PoisonError::into_inner).push_back(Err(error));
        self
    }

    /// The requests so far.
    pub fn requests(&self) -> Vec<GenerateRequest> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Generator for ScriptedGenerator {
    /// # Panics
    /// If no script is left: the test asked more often than it said.
    fn generate(&self, request: GenerateRequest) -> Result<Generation, GenerateError> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).push(request);
        let script = self.scripts.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let Some(script) = script else { panic!("a request for which the test gave no script") };
        let steps = script?;
        let (to, events) = mpsc::channel(64);
        let cancel = CancellationToken::new();
        tokio::spawn(play(steps, to, cancel.clone()));
        Ok(Generation::new(events, cancel))
    }
}

/// Sends the events of `steps`. An error of sending means that nobody listens, which ends the play.
async fn play(
    steps: Vec<Step>,
    to: mpsc::Sender<TokenEvent>,
    cancel: CancellationToken,
) -> Result<(), mpsc::error::SendError<TokenEvent>> {
    let engine = EngineInfo { kind: EngineKind::Local, model: "Scripted".into(), device: "CPU".into() };
    let (mut started, mut n_tokens) = (false, 0);
    let mut reason = FinishReason::Stop;
    for step in steps {
        if cancel.is_cancelled() {
            reason = FinishReason::Cancelled;
            break;
        }
        if !started && !matches!(step, Step::Queued(_) | Step::Wait(_)) {
            started = true;
            to.send(TokenEvent::Started { engine: engine.clone() }).await?;
        }
        match step {
            Step::Queued(position) => to.send(TokenEvent::Queued { position }).await?,
            Step::Prefill(done, total) => to.send(TokenEvent::Prefill { done, total }).await?,
            Step::Text(text) => {
                n_tokens += 1;
                to.send(TokenEvent::Token { text }).await?;
            }
            // A cancellation is seen before the next step.
            Step::Wait(time) => drop(tokio::time::timeout(time, cancel.cancelled()).await),
            Step::Fail(error) => return to.send(TokenEvent::Failed(error)).await,
            Step::Finish(end) => {
                reason = end;
                break;
            }
        }
    }
    if cancel.is_cancelled() {
        reason = FinishReason::Cancelled;
    }
    let usage = Usage { completion_tokens: n_tokens, ..Usage::default() };
    let token_ids = (0u32..).take(n_tokens).collect();
    let completion = Completion { finish_reason: reason, usage, timings: Timings::default(), token_ids, engine };
    to.send(TokenEvent::Finished(completion)).await
}

#[cfg(test)]
mod tests {
    use generation::{Message, Role};

    use super::*;

    fn request(id: &str) -> GenerateRequest {
        GenerateRequest::new(id, vec![Message::new(Role::User, "?")])
    }

    async fn collect(generator: &ScriptedGenerator, id: &str) -> (String, Option<TokenEvent>) {
        let mut generation = generator.generate(request(id)).expect("admitted");
        let (mut text, mut last) = (String::new(), None);
        while let Some(event) = generation.next().await {
            if let TokenEvent::Token { text: piece } = &event {
                text.push_str(piece);
            }
            last = Some(event);
        }
        (text, last)
    }

    #[tokio::test]
    async fn scripts_are_played_in_order() {
        let error = GenerateError { code: errors::ErrorCode::QueueFull, message: "full".into(), hint: None };
        let generator = ScriptedGenerator::new()
            .then_text("two and two is four")
            .then_refuse(error.clone())
            .then(vec![Step::Text("tw".into()), Step::Fail(error.clone())]);
        let (text, last) = collect(&generator, "a").await;
        assert_eq!(text, "two and two is four");
        assert!(matches!(last, Some(TokenEvent::Finished(end)) if end.finish_reason == FinishReason::Stop));
        assert_eq!(generator.generate(request("b")).expect_err("refused"), error);
        assert_eq!(collect(&generator, "c").await, ("tw".to_owned(), Some(TokenEvent::Failed(error))));
        let ids: Vec<String> = generator.requests().into_iter().map(|request| request.request_id).collect();
        assert_eq!(ids, ["a", "b", "c"]);
    }

    #[tokio::test]
    async fn a_cancellation_ends_a_pause() {
        let steps = vec![Step::Text("one".into()), Step::Wait(Duration::from_secs(3600)), Step::Text("two".into())];
        let generator = ScriptedGenerator::new().then(steps);
        let mut generation = generator.generate(request("a")).expect("admitted");
        while !matches!(generation.next().await, Some(TokenEvent::Token { .. })) {}
        generation.cancel();
        match generation.next().await {
            Some(TokenEvent::Finished(end)) => assert_eq!(end.finish_reason, FinishReason::Cancelled),
            other => panic!("{other:?}"),
        }
    }
}
