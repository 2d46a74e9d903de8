//! Asking, stopping, answering again, editing, versions, leaving.

use crate::{Bench, say, show, sink};
use api::dto::{AskRequest, BadgeKind, ChatEvent, ErrorCode, MessageState};
use api::scripted::{ScriptedModels, Step};
use expect_test::expect;
use generation::{FinishReason, GenerateRequest, Role};
use std::time::Duration;

/// Answers `A<n>`, n counting the requests, and then the question.
fn numbered() -> impl Fn(&GenerateRequest) -> Vec<Step> {
    let n = std::sync::atomic::AtomicUsize::new(1);
    move |request: &GenerateRequest| {
        let question = &request.messages.last().expect("a question").content;
        let n = n.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        say(&[&format!("A{n} "), &format!("to {question}")])
    }
}

/// Says one word and then nothing until it is cancelled.
fn endless(_: &GenerateRequest) -> Vec<Step> {
    let mut steps = say(&["one "]);
    steps.push(Step::Wait(Duration::from_secs(3600)));
    steps
}

#[tokio::test]
async fn an_answer_streams_and_is_saved() {
    let bench = Bench::new(|_| {
        let mut steps = vec![Step::Queued(1), Step::Queued(0)];
        steps.extend(say(&["Two ", "and two ", "is $4$."]));
        steps.insert(3, Step::Prefill(5, 10));
        steps
    })
    .await;
    let (ticket, mut events) = bench.ask(None, "  What is 2+2?  ").await;
    assert_eq!(show(&ticket.conversation.messages), "student complete 1/1 What is 2+2?\ntutor streaming 1/1 ");
    assert_eq!(ticket.conversation.messages[1].id, ticket.answer_id);
    assert_eq!(ticket.conversation.summary.title, "What is 2+2?");

    let all = events.all().await;
    let names: Vec<String> = all
        .iter()
        .map(|event| match event {
            ChatEvent::Queued { position } => format!("queued {position}"),
            ChatEvent::Started { badge } => format!("started {:?} {}", badge.kind, badge.model),
            ChatEvent::Waiting { seconds, .. } => format!("waiting {seconds}"),
            ChatEvent::Prefill { done, total } => format!("prefill {done}/{total}"),
            ChatEvent::Token { text } => format!("token {text}"),
            ChatEvent::Finished { message } => format!("finished {}", message.text),
            ChatEvent::Failed { error, .. } => format!("failed {}", error.message),
        })
        .collect();
    expect![[r#"
        queued 1
        queued 0
        started Demo Scripted demo
        prefill 5/10
        token Two 
        token and two 
        token is $4$.
        finished Two and two is $4$."#]]
    .assert_eq(&names.join("\n"));

    let saved = bench.messages(&ticket.conversation.summary.id).await;
    let Some(ChatEvent::Finished { message }) = all.last() else { panic!("not finished") };
    assert_eq!(saved[1], *message, "the last event is what was saved");
    assert_eq!(message.badge.as_ref().map(|badge| badge.kind), Some(BadgeKind::Demo));
    // Three tokens, half a second from the first to the last.
    assert_eq!(message.tokens_per_second, Some(4.0));
    assert!(message.seconds.is_some());

    let bench = bench.restarted().await;
    assert_eq!(bench.messages(&ticket.conversation.summary.id).await, saved);
}

#[tokio::test]
async fn the_model_gets_instructions_and_the_active_branch() {
    let bench = Bench::new(numbered()).await;
    let (id, _) = bench.answered(None, "one?").await;
    let (_, answer) = bench.answered(Some(&id), "two?").await;
    assert_eq!(answer.text, "A2 to two?");
    let requests = bench.models.requests();
    let turns: Vec<_> = requests[1].messages.iter().map(|m| (m.role, m.content.chars().take(15).collect())).collect();
    let expected: [(Role, String); 4] = [
        (Role::System, "You are Aula, a".into()),
        (Role::User, "one?".into()),
        (Role::Assistant, "A1 to one?".into()),
        (Role::User, "two?".into()),
    ];
    assert_eq!(turns, expected);
    assert_eq!(requests[1].max_tokens, 1024);
    assert_ne!(requests[0].request_id, requests[1].request_id);
}

#[tokio::test]
async fn answering_again_editing_and_going_back() {
    let bench = Bench::new(numbered()).await;
    let (id, first) = bench.answered(None, "one?").await;
    bench.answered(Some(&id), "two?").await;

    let (s, mut events) = sink();
    let ticket = api::chat::regenerate(&bench.app, &first.id, s).await.expect("again");
    assert_eq!(show(&ticket.conversation.messages), "student complete 1/1 one?\ntutor streaming 2/2 ");
    events.finished().await;
    // The new answer was generated without what had followed the old one.
    assert_eq!(bench.models.requests()[2].messages.len(), 2);

    let question = bench.messages(&id).await[0].id.clone();
    let (s, mut events) = sink();
    api::chat::edit(&bench.app, &question, " ONE? ".to_owned(), s).await.expect("edit");
    events.finished().await;
    expect![[r#"
        student complete 2/2 ONE?
        tutor complete 1/1 A4 to ONE?"#]]
    .assert_eq(&show(&bench.messages(&id).await));

    let shown = api::chat::show_version(&bench.app, &first.id).await.expect("show");
    expect![[r#"
        student complete 1/2 one?
        tutor complete 1/2 A1 to one?
        student complete 1/1 two?
        tutor complete 1/1 A2 to two?"#]]
    .assert_eq(&show(&shown.messages));
    assert_eq!(bench.messages(&id).await, shown.messages);
}

#[tokio::test]
async fn stopping_keeps_the_text() {
    let bench = Bench::new(endless).await;
    let (ticket, mut events) = bench.ask(None, "Tell me").await;
    events.until_token("one ").await;
    api::chat::cancel(&bench.app, &ticket.request_id).await.expect("cancel");
    let message = events.finished().await;
    assert_eq!((message.state, message.text.as_str()), (MessageState::Stopped, "one "));
    assert_eq!(bench.models.cancelled(), 1);
    // Twice, and for something that never was: nothing happens.
    api::chat::cancel(&bench.app, &ticket.request_id).await.expect("cancel");
    api::chat::cancel(&bench.app, "nothing").await.expect("cancel");
    // The conversation is free again.
    let (_, mut events) = bench.ask(Some(&ticket.conversation.summary.id), "More").await;
    events.until_token("one ").await;
}

#[tokio::test]
async fn an_engine_that_does_not_let_go_is_left_behind() {
    let bench = Bench::new(|_| {
        let mut steps = say(&["one "]);
        steps.push(Step::Hang);
        steps
    })
    .await;
    let (ticket, mut events) = bench.ask(None, "Tell me").await;
    events.until_token("one ").await;
    api::chat::cancel(&bench.app, &ticket.request_id).await.expect("cancel");
    let message = events.finished().await;
    assert_eq!((message.state, message.text.as_str()), (MessageState::Stopped, "one "));
}

#[tokio::test]
async fn a_page_that_is_gone_cancels_its_answer() {
    let bench = Bench::new(endless).await;
    let (ticket, events) = bench.ask(None, "Tell me").await;
    drop(events);
    stopped(&bench, &ticket.conversation.summary.id).await;
    assert_eq!(bench.models.cancelled(), 1);
}

#[tokio::test]
async fn a_page_that_loads_anew_cancels_what_it_left() {
    let bench = Bench::new(endless).await;
    let (ticket, mut events) = bench.ask(None, "Tell me").await;
    events.until_token("one ").await;
    bench.app.page_started();
    assert_eq!(events.finished().await.state, MessageState::Stopped);
    assert_eq!(bench.messages(&ticket.conversation.summary.id).await[1].text, "one ");
}

#[tokio::test]
async fn deleting_a_conversation_cancels_its_answer_and_keeps_it() {
    let bench = Bench::new(endless).await;
    let (ticket, mut events) = bench.ask(None, "Tell me").await;
    let id = ticket.conversation.summary.id;
    events.until_token("one ").await;
    api::conversations::delete(&bench.app, &id).await.expect("delete");
    events.finished().await;
    assert_eq!(bench.models.forgotten(), std::slice::from_ref(&id));
    assert!(api::conversations::list(&bench.app).await.expect("list").is_empty());
    api::conversations::restore(&bench.app, &id).await.expect("restore");
    assert_eq!(show(&bench.messages(&id).await), "student complete 1/1 Tell me\ntutor stopped 1/1 one ");
}

#[tokio::test]
async fn one_answer_at_a_time_in_a_conversation() {
    let bench = Bench::new(endless).await;
    let (ticket, mut events) = bench.ask(None, "Tell me").await;
    let id = ticket.conversation.summary.id.clone();
    let request = AskRequest { conversation_id: Some(id.clone()), text: "And?".into() };
    let busy = api::chat::ask(&bench.app, request, sink().0).await.expect_err("busy");
    assert_eq!(busy.code, ErrorCode::InvalidRequest);
    assert!(api::chat::regenerate(&bench.app, &ticket.answer_id, sink().0).await.is_err());
    assert!(api::chat::show_version(&bench.app, &ticket.answer_id).await.is_err());
    // Elsewhere one may ask.
    bench.ask(None, "Another conversation").await;
    events.until_token("one ").await;
    assert_eq!(bench.messages(&id).await.len(), 2, "nothing was added");
}

#[tokio::test]
async fn limits_cut_an_answer() {
    for reason in [FinishReason::MaxTokens, FinishReason::ContextFull] {
        let bench = Bench::with(ScriptedModels::new(move |_| {
            let mut steps = say(&["half"]);
            steps.push(Step::Finish(reason));
            steps
        }))
        .await;
        let (_, answer) = bench.answered(None, "q").await;
        assert_eq!(answer.state, MessageState::Cut);
    }
}

#[tokio::test]
async fn what_cannot_be_a_question_is_refused_and_not_saved() {
    let bench = Bench::new(numbered()).await;
    for text in ["", " \n\t", &"x".repeat(20_001)] {
        let request = AskRequest { conversation_id: None, text: text.to_owned() };
        let error = api::chat::ask(&bench.app, request, sink().0).await.expect_err("refused");
        assert_eq!(error.code, ErrorCode::InvalidRequest);
    }
    let request = AskRequest { conversation_id: Some("no such".into()), text: "q".into() };
    let error = api::chat::ask(&bench.app, request, sink().0).await.expect_err("refused");
    assert_eq!(error.code, ErrorCode::NotFound);
    assert!(api::conversations::list(&bench.app).await.expect("list").is_empty());
    let (_, answer) = bench.answered(None, &"ñ".repeat(20_000)).await;
    assert_eq!(answer.state, MessageState::Complete);
}

#[tokio::test]
async fn the_list_is_latest_first_and_titles_can_be_changed() {
    let bench = Bench::new(numbered()).await;
    let (first, _) = bench.answered(None, "first question").await;
    tokio::time::sleep(Duration::from_millis(5)).await;
    let (second, _) = bench.answered(None, "second question").await;
    tokio::time::sleep(Duration::from_millis(5)).await;
    bench.answered(Some(&first), "again").await;
    let list = api::conversations::list(&bench.app).await.expect("list");
    let ids: Vec<_> = list.iter().map(|line| line.id.as_str()).collect();
    assert_eq!(ids, [&first, &second]);
    let renamed = api::conversations::rename(&bench.app, &first, "  Fractions \n 1 ").await.expect("rename");
    assert_eq!(renamed.title, "Fractions 1");
    for bad in ["", "  ", &"x".repeat(121)] {
        assert!(api::conversations::rename(&bench.app, &first, bad).await.is_err());
    }
}

/// Waits until the answer of `conversation` is stopped.
async fn stopped(bench: &Bench, conversation: &str) {
    for _ in 0..3000 {
        if bench.messages(conversation).await[1].state == MessageState::Stopped {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("never stopped");
}
