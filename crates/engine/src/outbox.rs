//! Between the supervisor, which must never wait, and a consumer, who may: events pile up here in little space.
//!
//! Text is joined to text, progress replaces progress and position replaces position, so a consumer that stops
//! reading costs at most the length of the answer, holds up nobody, and can still cancel.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use generation::TokenEvent;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

/// Capacity of the channel to the consumer; beyond it events are joined.
pub(crate) const CHANNEL_CAPACITY: usize = 64;

/// Events of one request on their way to its consumer.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    waiting: Mutex<VecDeque<TokenEvent>>,
    filled: Notify,
}

impl Outbox {
    /// Adds `event`, joined to the last one where that loses nothing.
    pub(crate) fn push(&self, event: TokenEvent) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        match (waiting.back_mut(), event) {
            (Some(TokenEvent::Token { text }), TokenEvent::Token { text: more }) => text.push_str(&more),
            (Some(last @ TokenEvent::Prefill { .. }), event @ TokenEvent::Prefill { .. })
            | (Some(last @ TokenEvent::Queued { .. }), event @ TokenEvent::Queued { .. }) => *last = event,
            (_, event) => waiting.push_back(event),
        }
        drop(waiting);
        self.filled.notify_one();
    }

    fn pop(&self) -> Option<TokenEvent> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    fn is_empty(&self) -> bool {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Waits until there is an event and room for it.
    async fn room<'a>(
        &self,
        to: &'a mpsc::Sender<TokenEvent>,
    ) -> Result<mpsc::Permit<'a, TokenEvent>, mpsc::error::SendError<()>> {
        while self.is_empty() {
            tokio::select! {
                () = self.filled.notified() => {}
                () = to.closed() => return Err(mpsc::error::SendError(())),
            }
        }
        to.reserve().await
    }

    /// Carries events to the consumer until the last one, or until nobody listens; calls `stop` once when the
    /// request is cancelled or abandoned.
    pub(crate) async fn carry(&self, to: mpsc::Sender<TokenEvent>, cancel: CancellationToken, stop: impl FnOnce()) {
        let mut stop = Some(stop);
        loop {
            tokio::select! {
                biased;
                () = cancel.cancelled(), if stop.is_some() => {
                    if let Some(stop) = stop.take() {
                        stop();
                    }
                }
                room = self.room(&to) => {
                    let Ok(permit) = room else { break };
                    let Some(event) = self.pop() else { continue };
                    let last = matches!(event, TokenEvent::Finished(_) | TokenEvent::Failed(_));
                    permit.send(event);
                    if last {
                        return;
                    }
                }
            }
        }
        if let Some(stop) = stop {
            stop();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, atomic::AtomicUsize, atomic::Ordering};

    use generation::{Completion, FinishReason};

    use super::*;

    fn text(text: &str) -> TokenEvent {
        TokenEvent::Token { text: text.into() }
    }

    fn finished() -> TokenEvent {
        TokenEvent::Finished(Completion {
            finish_reason: FinishReason::Stop,
            usage: Default::default(),
            timings: Default::default(),
            token_ids: Vec::new(),
            engine: crate::engine::no_engine(),
        })
    }

    #[tokio::test]
    async fn a_slow_consumer_gets_everything_joined() {
        let outbox = Arc::new(Outbox::default());
        let (to, mut from) = mpsc::channel(1);
        let carrier = Arc::clone(&outbox);
        let task = tokio::spawn(async move { carrier.carry(to, CancellationToken::new(), || {}).await });
        outbox.push(TokenEvent::Queued { position: 3 });
        outbox.push(TokenEvent::Queued { position: 2 });
        let mut expected = String::new();
        for index in 0..10_000 {
            outbox.push(TokenEvent::Prefill { done: index, total: 10_000 });
        }
        for index in 0..10_000 {
            let piece = format!("{index} ");
            expected.push_str(&piece);
            outbox.push(text(&piece));
        }
        assert!(outbox.waiting.lock().expect("sound").len() <= 4, "nothing piles up");
        outbox.push(finished());
        let (mut received, mut n_events, mut last) = (String::new(), 0, None);
        while let Some(event) = from.recv().await {
            n_events += 1;
            if let TokenEvent::Token { text } = &event {
                received.push_str(text);
            }
            last = Some(event);
        }
        assert_eq!(received, expected);
        assert_eq!(last, Some(finished()));
        assert!(n_events < 10, "{n_events} events");
        task.await.expect("ends after the last event");
    }

    #[tokio::test]
    async fn cancelling_gets_through_while_the_consumer_does_not_read() {
        let outbox = Arc::new(Outbox::default());
        let (to, from) = mpsc::channel(1);
        let stops = Arc::new(AtomicUsize::new(0));
        let cancel = CancellationToken::new();
        for _ in 0..3 {
            outbox.push(text("a"));
            outbox.push(TokenEvent::Prefill { done: 0, total: 1 });
        }
        let (carrier, counter, token) = (Arc::clone(&outbox), Arc::clone(&stops), cancel.clone());
        let task = tokio::spawn(async move {
            carrier.carry(to, token, || _ = counter.fetch_add(1, Ordering::Relaxed)).await;
        });
        cancel.cancel();
        while stops.load(Ordering::Relaxed) == 0 {
            tokio::task::yield_now().await;
        }
        drop(from);
        task.await.expect("ends when nobody listens");
        assert_eq!(stops.load(Ordering::Relaxed), 1, "told once");
    }

    #[tokio::test]
    async fn an_abandoned_request_is_stopped() {
        let outbox = Arc::new(Outbox::default());
        let (to, from) = mpsc::channel(1);
        drop(from);
        let stops = AtomicUsize::new(0);
        outbox.carry(to, CancellationToken::new(), || _ = stops.fetch_add(1, Ordering::Relaxed)).await;
        assert_eq!(stops.load(Ordering::Relaxed), 1);
    }
}
