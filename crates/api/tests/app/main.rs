//! The app on a temporary store with scripted models: every command, as the page uses it.

mod canary;
mod chat;
mod elsewhere;
mod failures;
mod json;
mod killed;
mod local_transfers;
mod lock;
mod models;
mod second;
mod settings;
mod setup;
mod tools;
mod transfers;
mod trials;

use api::dto::{AskRequest, AskTicket, ChatEvent, Language, Message, MessageState, Speaker};
use api::scripted::{ScriptedModels, Step};
use api::scripted_transfers::{ScriptedTransfers, TransferScript};
use api::transfers::{Pick, Picked, Picker};
use api::{App, AppOptions};
use generation::GenerateRequest;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::mpsc;

/// An app in a folder that goes away with it.
struct Bench {
    app: App,
    models: ScriptedModels,
    transfers: ScriptedTransfers,
    folder: TempDir,
}

impl Bench {
    async fn new(script: impl Fn(&GenerateRequest) -> Vec<Step> + Send + Sync + 'static) -> Self {
        Self::with(ScriptedModels::new(script)).await
    }

    async fn with(models: ScriptedModels) -> Self {
        Self::scripted(models, TransferScript::Smooth).await
    }

    async fn scripted(models: ScriptedModels, script: TransferScript) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let transfers = ScriptedTransfers::new(script, Duration::from_millis(1), models.clone());
        let app = start_with(&folder, &models, &transfers).await;
        Self { app, models, transfers, folder }
    }

    /// Ends the app and starts it anew on the same data.
    async fn restarted(self) -> Self {
        self.app.close().await;
        drop(self.app);
        let app = start_with(&self.folder, &self.models, &self.transfers).await;
        Self { app, ..self }
    }

    async fn ask(&self, conversation: Option<&str>, text: &str) -> (AskTicket, Events) {
        let (sink, events) = sink();
        let request = AskRequest { conversation_id: conversation.map(str::to_owned), text: text.to_owned() };
        let ticket = api::chat::ask(&self.app, request, sink).await.expect("admitted");
        (ticket, events)
    }

    /// Asks and waits for the end; returns the conversation's id and the answer.
    async fn answered(&self, conversation: Option<&str>, text: &str) -> (String, Message) {
        let (ticket, mut events) = self.ask(conversation, text).await;
        (ticket.conversation.summary.id, events.finished().await)
    }

    async fn messages(&self, conversation: &str) -> Vec<Message> {
        api::conversations::get(&self.app, conversation).await.expect("conversation").messages
    }
}

async fn start(folder: &TempDir, models: &ScriptedModels) -> App {
    start_with(folder, models, &ScriptedTransfers::new(TransferScript::Nothing, Duration::ZERO, models.clone())).await
}

async fn start_with(folder: &TempDir, models: &ScriptedModels, transfers: &ScriptedTransfers) -> App {
    App::start(AppOptions {
        data_dir: folder.path().to_owned(),
        models: Arc::new(models.clone()),
        locale: Some("en_US.UTF-8".to_owned()),
        transfers: Arc::new(transfers.clone()),
        picker: Arc::new(PicksHome),
        elsewhere: api::Elsewhere::alone(),
    })
    .await
}

/// A person who always picks the folder `/home/ana/USB`.
struct PicksHome;

impl Picker for PicksHome {
    fn pick(&self, _what: Pick, _language: Language) -> Picked {
        Box::pin(std::future::ready(Some("/home/ana/USB".into())))
    }
}

/// The events of one answer.
struct Events(mpsc::UnboundedReceiver<ChatEvent>);

impl Events {
    async fn next(&mut self) -> Option<ChatEvent> {
        let next = tokio::time::timeout(std::time::Duration::from_secs(60), self.0.recv());
        next.await.expect("an event within a minute")
    }

    /// Everything up to the end.
    async fn all(&mut self) -> Vec<ChatEvent> {
        let mut all = Vec::new();
        while let Some(event) = self.next().await {
            all.push(event);
        }
        all
    }

    async fn until_token(&mut self, wanted: &str) {
        while let Some(event) = self.next().await {
            if matches!(&event, ChatEvent::Token { text } if text == wanted) {
                return;
            }
        }
        panic!("no token `{wanted}`");
    }

    async fn finished(&mut self) -> Message {
        match self.all().await.pop() {
            Some(ChatEvent::Finished { message }) => message,
            other => panic!("not finished: {other:?}"),
        }
    }
}

fn sink() -> (impl api::Sink<ChatEvent>, Events) {
    let (sender, events) = mpsc::unbounded_channel();
    (move |event| sender.send(event).is_ok(), Events(events))
}

/// A script that says these pieces.
fn say(pieces: &[&str]) -> Vec<Step> {
    let mut steps = vec![Step::Started];
    steps.extend(pieces.iter().map(|piece| Step::Say((*piece).to_owned())));
    steps
}

/// Turns as lines: who, state, version of how many, text.
fn show(messages: &[Message]) -> String {
    let line = |message: &Message| {
        let who = if message.speaker == Speaker::Student { "student" } else { "tutor" };
        let state = match message.state {
            MessageState::Streaming => "streaming",
            MessageState::Complete => "complete",
            MessageState::Stopped => "stopped",
            MessageState::Cut => "cut",
            MessageState::Interrupted => "interrupted",
        };
        let version = message.version_ids.iter().position(|id| *id == message.id).map_or(0, |i| i + 1);
        format!("{who} {state} {version}/{} {}", message.version_ids.len(), message.text)
    };
    messages.iter().map(line).collect::<Vec<_>>().join("\n")
}
