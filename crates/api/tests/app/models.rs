//! Which model answers, how it is watched, and choosing another.

use crate::{Bench, say};
use api::dto::{AskRequest, ErrorCode, MessageState, ModelStatus};
use api::scripted::{Loading, ScriptedModels, Step};
use std::time::Duration;
use tokio::sync::mpsc;

async fn statuses(bench: &Bench) -> mpsc::UnboundedReceiver<ModelStatus> {
    let (sender, receiver) = mpsc::unbounded_channel();
    api::models::watch(&bench.app, move |status| sender.send(status).is_ok()).await.expect("watch");
    receiver
}

/// Waits for a state of which `wanted` holds.
async fn wait_for(statuses: &mut mpsc::UnboundedReceiver<ModelStatus>, wanted: impl Fn(&ModelStatus) -> bool) {
    let seen = async {
        while let Some(status) = statuses.recv().await {
            if wanted(&status) {
                return;
            }
        }
        panic!("the watch ended");
    };
    tokio::time::timeout(Duration::from_secs(60), seen).await.expect("the state within a minute");
}

fn ready(model: &'static str) -> impl Fn(&ModelStatus) -> bool {
    move |status| matches!(status, ModelStatus::Ready { badge, .. } if badge.model == model)
}

async fn active(bench: &Bench) -> Option<String> {
    let models = api::models::list(&bench.app).await.expect("list");
    models.into_iter().find(|model| model.active).map(|model| model.id)
}

#[tokio::test]
async fn questions_wait_while_the_model_is_opened() {
    let models = ScriptedModels::new(|_| say(&["4"]));
    models.loading(Loading::Takes(Duration::from_millis(300)));
    let bench = Bench::with(models).await;
    let mut statuses = statuses(&bench).await;
    assert_eq!(statuses.recv().await, Some(ModelStatus::Loading));
    let (ticket, mut events) = bench.ask(None, "2+2?").await;
    assert_eq!(ticket.conversation.messages.len(), 2, "admitted and saved at once");
    assert_eq!(events.finished().await.text, "4");
    wait_for(&mut statuses, ready("Scripted demo")).await;
}

#[tokio::test]
async fn a_question_that_waits_for_the_model_can_be_stopped() {
    let models = ScriptedModels::new(|_| say(&["4"]));
    models.loading(Loading::Never);
    let bench = Bench::with(models).await;
    let (ticket, mut events) = bench.ask(None, "2+2?").await;
    api::chat::cancel(&bench.app, &ticket.request_id).await.expect("cancel");
    assert_eq!(events.finished().await.state, MessageState::Stopped);
}

#[tokio::test]
async fn without_a_model_nothing_is_admitted() {
    let models = ScriptedModels::new(|_| say(&["4"]));
    models.install(&[]);
    let bench = Bench::with(models).await;
    wait_for(&mut statuses(&bench).await, |status| *status == ModelStatus::Absent).await;
    let request = AskRequest { conversation_id: None, text: "q".into() };
    let error = api::chat::ask(&bench.app, request, crate::sink().0).await.expect_err("no model");
    assert_eq!(error.code, ErrorCode::ModelMissing);
    assert!(error.hint.is_some());
    assert!(api::conversations::list(&bench.app).await.expect("list").is_empty());
}

#[tokio::test]
async fn the_real_model_is_preferred_to_the_demo() {
    let models = ScriptedModels::new(|_| say(&["4"]));
    models.install(&["demo", "e2b"]);
    models.install_too_large("e4b");
    let bench = Bench::with(models).await;
    wait_for(&mut statuses(&bench).await, ready("Scripted e2b")).await;
    let list = api::models::list(&bench.app).await.expect("list");
    let lines: Vec<_> = list.iter().map(|m| (m.id.as_str(), m.demo, m.fits, m.active)).collect();
    assert_eq!(lines, [("demo", true, true, false), ("e2b", false, true, true), ("e4b", false, false, false)]);
}

#[tokio::test]
async fn choosing_a_model_opens_it_and_is_remembered() {
    let models = ScriptedModels::new(|_| {
        let mut steps = say(&["half"]);
        steps.push(Step::Wait(Duration::from_secs(3600)));
        steps
    });
    models.install(&["demo", "e2b"]);
    let bench = Bench::with(models).await;
    let mut statuses = statuses(&bench).await;
    wait_for(&mut statuses, ready("Scripted e2b")).await;
    let (_, mut events) = bench.ask(None, "q").await;
    events.until_token("half").await;

    let list = api::models::select(&bench.app, Some("demo".to_owned())).await.expect("select");
    assert_eq!(list.iter().find(|model| model.active).map(|model| model.id.as_str()), Some("demo"));
    wait_for(&mut statuses, ready("Scripted demo")).await;
    assert_eq!(events.finished().await.state, MessageState::Stopped, "the answer of the model before");

    let error = api::models::select(&bench.app, Some("nothing".to_owned())).await.expect_err("unknown");
    assert_eq!(error.code, ErrorCode::NotFound);
    assert_eq!(active(&bench).await.as_deref(), Some("demo"));

    let bench = bench.restarted().await;
    wait_for(&mut self::statuses(&bench).await, ready("Scripted demo")).await;
    api::models::select(&bench.app, None).await.expect("automatic");
    assert_eq!(active(&bench).await.as_deref(), Some("e2b"));
}

#[tokio::test]
async fn a_page_that_loads_anew_ends_the_watch_of_the_page_before() {
    let bench = Bench::new(|_| say(&["4"])).await;
    let mut before = statuses(&bench).await;
    wait_for(&mut before, ready("Scripted demo")).await;
    bench.app.page_started();
    while before.recv().await.is_some() {}
    let mut after = statuses(&bench).await;
    assert!(ready("Scripted demo")(&after.recv().await.expect("the state now")));
}
