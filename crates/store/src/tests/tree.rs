//! Conversations as trees: asking, answering again, editing, going back, deleting.

use super::{Bench, complete, explain, show};
use crate::{Ending, EngineKind, EngineName, Measured, MessageState, Opened, Store};
use expect_test::expect;

#[tokio::test]
async fn a_conversation_grows_turn_by_turn() {
    let bench = Bench::new().await;
    let (id, _) = bench.exchange(None, "2+2?", "4").await;
    bench.exchange(Some(&id), "3+3?", "6").await;
    expect![[r#"
        # title
        student complete 1/1 2+2?
        tutor complete 1/1 4
        student complete 1/1 3+3?
        tutor complete 1/1 6
    "#]]
    .assert_eq(&show(&bench.branch(&id).await));
}

#[tokio::test]
async fn answering_again_and_editing_lose_nothing() {
    let bench = Bench::new().await;
    let learner = bench.learner.id.clone();
    let (id, first) = bench.exchange(None, "2+2?", "5").await;
    bench.exchange(Some(&id), "Sure?", "Yes").await;

    let again = bench.store.answer_again(&learner, &first).await.expect("again");
    bench.answer(&again.answer_id, "4").await;
    expect![[r#"
        # title
        student complete 1/1 2+2?
        tutor complete 2/2 4
    "#]]
    .assert_eq(&show(&bench.branch(&id).await));

    let question = bench.branch(&id).await.messages[0].id.clone();
    let edited = bench.store.edit(&learner, &question, "3+3?").await.expect("edit");
    bench.answer(&edited.answer_id, "6").await;
    expect![[r#"
        # title
        student complete 2/2 3+3?
        tutor complete 1/1 6
    "#]]
    .assert_eq(&show(&bench.branch(&id).await));

    // Back to the first answer: what followed it is there again.
    bench.store.show_version(&learner, &first).await.expect("show");
    expect![[r#"
        # title
        student complete 1/2 2+2?
        tutor complete 1/2 5
        student complete 1/1 Sure?
        tutor complete 1/1 Yes
    "#]]
    .assert_eq(&show(&bench.branch(&id).await));

    // Back to the question: its latest answer is shown.
    bench.store.show_version(&learner, &question).await.expect("show");
    expect![[r#"
        # title
        student complete 1/2 2+2?
        tutor complete 2/2 4
    "#]]
    .assert_eq(&show(&bench.branch(&id).await));
}

#[tokio::test]
async fn the_kinds_of_message_are_told_apart() {
    let bench = Bench::new().await;
    let (id, answer) = bench.exchange(None, "q", "a").await;
    let question = bench.branch(&id).await.messages[0].id.clone();
    let learner = &bench.learner.id;
    let folder = bench.folder.path();
    let wrong = bench.store.edit(learner, &answer, "x").await.expect_err("an answer");
    assert!(explain(&wrong, folder).ends_with("is not a question | "), "{wrong}");
    let wrong = bench.store.answer_again(learner, &question).await.expect_err("a question");
    assert!(explain(&wrong, folder).ends_with("is not an answer | "), "{wrong}");
    let wrong = bench.store.show_version(learner, "nothing").await.expect_err("unknown");
    assert_eq!(explain(&wrong, folder), "not_found | there is no message `nothing` | ");
}

#[tokio::test]
async fn numbers_and_writer_of_an_answer_come_back() {
    let bench = Bench::new().await;
    let asked = bench.store.ask(&bench.learner.id, None, "", "q").await.expect("ask");
    let engine = EngineName { kind: EngineKind::Demo, model: "Demo".into(), device: "CPU".into() };
    bench.store.set_engine(&asked.answer_id, &engine).await.expect("engine");
    let measured = Measured {
        prompt_tokens: 20,
        reused_tokens: 5,
        completion_tokens: 7,
        seed: u64::MAX - 3,
        queue_s: 0.25,
        prefill_s: 0.5,
        ttft_s: 0.75,
        decode_s: 1.5,
    };
    let ending = Ending { state: MessageState::Cut, finish_reason: Some("max_tokens"), measured: Some(measured) };
    bench.store.writer(&asked.answer_id).end(ending).await.expect("end");
    let message = bench.store.message(&bench.learner.id, &asked.answer_id).await.expect("message");
    assert_eq!(message.engine, Some(engine));
    assert_eq!(message.measured, Some(measured));
    assert_eq!(message.state, MessageState::Cut);
    assert!(message.finished_at.is_some());
}

#[tokio::test]
async fn an_ended_answer_takes_no_more_text() {
    let bench = Bench::new().await;
    let (id, answer) = bench.exchange(None, "q", "whole").await;
    let mut late = bench.store.writer(&answer);
    let _ = late.push(" and more");
    assert!(late.save().await.is_err());
    assert!(late.end(complete()).await.is_err());
    assert_eq!(bench.branch(&id).await.messages[1].text, "whole");
}

#[tokio::test]
async fn deleting_can_be_undone_until_the_purge() {
    let bench = Bench::new().await;
    let learner = bench.learner.id.clone();
    let (kept, _) = bench.exchange(None, "q", "a").await;
    let (gone, _) = bench.exchange(None, "r", "b").await;
    for id in [&kept, &gone] {
        bench.store.delete(&learner, id).await.expect("delete");
        assert!(bench.store.branch(&learner, id).await.is_err());
        assert!(bench.store.delete(&learner, id).await.is_err(), "twice");
    }
    assert!(bench.store.conversations(&learner).await.expect("list").is_empty());
    assert_eq!(bench.store.restore(&learner, &kept).await.expect("restore").id, kept);
    assert_eq!(bench.branch(&kept).await.messages.len(), 2);

    // As if `gone` had been deleted long ago.
    sqlx::query("UPDATE conversation SET deleted_at = 1 WHERE id = ?1")
        .bind(&gone)
        .execute(&bench.store.pool)
        .await
        .expect("age");
    let folder = bench.folder;
    bench.store.close().await;
    drop(bench.store);
    let Opened { store, .. } = Store::open(folder.path()).await.expect("open");
    assert!(store.restore(&learner, &gone).await.is_err(), "purged");
    assert_eq!(store.conversations(&learner).await.expect("list").len(), 1);
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM message").fetch_one(&store.pool).await.expect("count");
    assert_eq!(left, 2);
}

#[tokio::test]
async fn what_belongs_to_another_learner_is_not_found() {
    let bench = Bench::new().await;
    let (id, answer) = bench.exchange(None, "q", "a").await;
    let other = "somebody else";
    let store = &bench.store;
    assert!(store.conversations(other).await.expect("list").is_empty());
    assert!(store.branch(other, &id).await.is_err());
    assert!(store.rename(other, &id, "x").await.is_err());
    assert!(store.delete(other, &id).await.is_err());
    assert!(store.ask(other, Some(&id), "", "q").await.is_err());
    assert!(store.answer_again(other, &answer).await.is_err());
    assert!(store.show_version(other, &answer).await.is_err());
    assert!(store.message(other, &answer).await.is_err());
    assert_eq!(bench.branch(&id).await.line.title, "title");
}

#[tokio::test]
async fn settings_and_counters_are_kept() {
    let bench = Bench::new().await;
    let learner = bench.learner.id.clone();
    let one = [("theme".to_owned(), "dark".into()), ("size".to_owned(), 3.into())].into();
    bench.store.set_settings(&learner, &one).await.expect("set");
    bench.store.set_settings(&learner, &[("size".to_owned(), 4.into())].into()).await.expect("set");
    bench.store.count(&learner, "connections", 2).await.expect("count");
    bench.store.count(&learner, "connections", 1).await.expect("count");
    let folder = bench.folder;
    bench.store.close().await;
    drop(bench.store);
    let Opened { store, .. } = Store::open(folder.path()).await.expect("open");
    let settings = store.settings(&learner).await.expect("settings");
    assert_eq!(serde_json::json!(settings), serde_json::json!({ "size": 4, "theme": "dark" }));
    assert_eq!(store.counted("connections").await.expect("counted"), 3);
    assert_eq!(store.counted("never").await.expect("counted"), 0);
    assert_eq!(store.default_learner().await.expect("learner").id, learner);
}
