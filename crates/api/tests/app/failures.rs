//! Engines that fail before, during and without an end; stores that cannot be opened or written.

use crate::{Bench, Events, say, show, start};
use api::dto::{AskRequest, ChatEvent, ErrorCode, IpcError, Message, MessageState, ModelStatus};
use api::scripted::{Loading, ScriptedModels, Step, queue_full, worker_crashed};
use generation::GenerateRequest;

async fn failed(events: &mut Events) -> (IpcError, Message) {
    match events.all().await.pop() {
        Some(ChatEvent::Failed { error, message }) => (error, message),
        other => panic!("not failed: {other:?}"),
    }
}

#[tokio::test]
async fn a_refused_request_keeps_the_question() {
    let bench = Bench::new(|_| vec![Step::Fail(queue_full())]).await;
    let (ticket, mut events) = bench.ask(None, "q").await;
    let (error, message) = failed(&mut events).await;
    assert_eq!((error.code, error.request_id.as_ref()), (ErrorCode::QueueFull, Some(&ticket.request_id)));
    assert_eq!((message.state, message.text.as_str()), (MessageState::Interrupted, ""));
    let saved = bench.messages(&ticket.conversation.summary.id).await;
    assert_eq!(show(&saved), "student complete 1/1 q\ntutor interrupted 1/1 ");
}

#[tokio::test]
async fn a_crash_in_the_middle_keeps_half_the_answer_and_the_next_question_works() {
    let bench = Bench::new(|request: &GenerateRequest| {
        let mut steps = say(&["half an ", "answer"]);
        if request.messages.last().is_some_and(|m| m.content == "crash") {
            steps.push(Step::Fail(worker_crashed()));
        }
        steps
    })
    .await;
    let (ticket, mut events) = bench.ask(None, "crash").await;
    let (error, message) = failed(&mut events).await;
    assert_eq!(error.code, ErrorCode::WorkerCrashed);
    assert_eq!(error.hint.as_deref(), Some("Ask again; it was started anew."));
    assert_eq!((message.state, message.text.as_str()), (MessageState::Interrupted, "half an answer"));
    let (_, answer) = bench.answered(Some(&ticket.conversation.summary.id), "go on").await;
    assert_eq!(answer.state, MessageState::Complete);
}

#[tokio::test]
async fn an_engine_that_disappears_is_a_crash() {
    let bench = Bench::new(|_| {
        let mut steps = say(&["half"]);
        steps.push(Step::BreakOff);
        steps
    })
    .await;
    let (_, mut events) = bench.ask(None, "q").await;
    let (error, message) = failed(&mut events).await;
    assert_eq!(error.code, ErrorCode::WorkerCrashed);
    assert_eq!((message.state, message.text.as_str()), (MessageState::Interrupted, "half"));
}

#[tokio::test]
async fn a_model_that_cannot_be_opened_is_said_with_the_answer() {
    let models = ScriptedModels::new(|_| say(&["never"]));
    models.loading(Loading::Fails(worker_crashed()));
    let bench = Bench::with(models).await;
    let (_, mut events) = bench.ask(None, "q").await;
    let (error, _) = failed(&mut events).await;
    assert_eq!(error.code, ErrorCode::WorkerCrashed);
}

#[tokio::test]
async fn without_a_store_every_command_says_why() {
    let folder = tempfile::tempdir().expect("folder");
    let models = ScriptedModels::new(|_| say(&["never"]));
    let first = start(&folder, &models).await;
    let app = start(&folder, &models).await;
    let in_use = |error: IpcError| {
        assert_eq!(error.code, ErrorCode::AlreadyOpen);
        assert_eq!(error.hint.as_deref(), Some("Close the other Aula window first."));
    };
    in_use(api::app_info::info(&app).await.expect_err("in use"));
    in_use(api::settings::get(&app).await.expect_err("in use"));
    in_use(api::conversations::list(&app).await.expect_err("in use"));
    let (sink, _events) = crate::sink();
    let request = AskRequest { conversation_id: None, text: "q".into() };
    // There is no model either: none is opened for an app that can save nothing.
    assert!(api::chat::ask(&app, request, sink).await.is_err());
    let (sender, mut statuses) = tokio::sync::mpsc::unbounded_channel();
    api::models::watch(&app, move |status| sender.send(status).is_ok()).await.expect("watch");
    assert!(matches!(statuses.recv().await, Some(ModelStatus::Failed { .. })));
    assert!(api::app_info::info(&first).await.is_ok());
}

#[tokio::test]
async fn a_damaged_store_is_reported_and_the_app_works() {
    let bench = Bench::new(|_| say(&["4"])).await;
    bench.answered(None, "2+2?").await;
    bench.app.close().await;
    let database = bench.folder.path().join("aula.db");
    let mut bytes = std::fs::read(&database).expect("read");
    bytes[..100].fill(0);
    std::fs::write(&database, bytes).expect("write");
    let folder = bench.folder;
    drop(bench.app);
    let app = start(&folder, &bench.models).await;
    assert!(api::app_info::info(&app).await.expect("info").store_was_damaged);
    let bench = Bench { app, folder, ..bench };
    bench.answered(None, "2+2?").await;
    let bench = bench.restarted().await;
    assert!(!api::app_info::info(&bench.app).await.expect("info").store_was_damaged);
}

#[tokio::test]
async fn closing_saves_what_was_written() {
    let bench = Bench::new(|_| {
        let mut steps = say(&["half"]);
        steps.push(Step::Wait(std::time::Duration::from_secs(3600)));
        steps
    })
    .await;
    let (ticket, mut events) = bench.ask(None, "q").await;
    events.until_token("half").await;
    let bench = bench.restarted().await;
    let saved = bench.messages(&ticket.conversation.summary.id).await;
    assert_eq!(show(&saved), "student complete 1/1 q\ntutor stopped 1/1 half");
}
