//! Conversations kept ready on disk, through worker processes: switched on and off, reopened, forgotten.

#[path = "support/harness.rs"]
mod harness;

use std::{path::Path, time::Duration};

use engine::{Engine, EngineOptions};
use generation::{GenerateRequest, Role};
use harness::*;

const LONG: &str =
    "len=400 why is the sky blue, and why is it red in the evening, and what does the air have to do with it?";

fn named(conversation: &str, turns: &[(Role, &str)]) -> GenerateRequest {
    GenerateRequest { conversation: Some(conversation.into()), ..harness::conversation(turns) }
}

fn options(folder: &Path, keep_ready: bool) -> impl FnOnce(&mut EngineOptions) {
    let cache_dir = folder.to_owned();
    move |options| {
        options.cache_dir = cache_dir;
        options.keep_ready = keep_ready;
    }
}

fn kept(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder.join("conversations")).into_iter().flatten().flatten();
    entries.filter(|entry| entry.path().extension().is_some_and(|extension| extension == "kv")).count()
}

/// Waits until so many conversations are kept.
async fn until_kept(folder: &Path, count: usize) {
    soon("conversations are kept", async {
        while kept(folder) != count {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}

async fn shut(engine: Engine) {
    engine.shutdown().await;
}

#[tokio::test]
async fn a_conversation_goes_on_in_another_process_where_it_was_left() {
    let folder = test_support::temp_folder();
    let first = [(Role::User, LONG)];
    let engine = start("toy", options(folder.path(), true));
    let (text, completion) = answer(&engine, named("a", &first)).await;
    until_kept(folder.path(), 1).await;
    shut(engine).await;

    let second = [(Role::User, LONG), (Role::Assistant, text.as_str()), (Role::User, "len=30 and the sea?")];
    let fresh = start("toy", options(folder.path(), false));
    let (expected, unkept) = answer(&fresh, named("a", &second)).await;
    assert_eq!(unkept.usage.reused_tokens, 0, "nothing is read where that was not allowed");
    shut(fresh).await;

    let engine = start("toy", options(folder.path(), true));
    let (again, reopened) = answer(&engine, named("a", &second)).await;
    assert_eq!(again, expected);
    assert_eq!(reopened.token_ids, unkept.token_ids);
    assert_eq!(reopened.usage.reused_tokens, completion.usage.prompt_tokens + completion.usage.completion_tokens - 1);
    // Another conversation takes the memory; the first comes back from the disk, without a pause between them.
    answer(&engine, named("b", &[(Role::User, "len=200 what is a prime?")])).await;
    let third = [&second[..], &[(Role::Assistant, again.as_str()), (Role::User, "len=10 thank you")]].concat();
    let (_, back) = answer(&engine, named("a", &third)).await;
    assert!(back.usage.reused_tokens > reopened.usage.prompt_tokens, "{:?}", back.usage);
    until_kept(folder.path(), 2).await;

    engine.forget_conversation("a");
    until_kept(folder.path(), 1).await;
    let (_, forgotten) = answer(&engine, named("a", &third)).await;
    assert_eq!(forgotten.usage.reused_tokens, 0);
    until_kept(folder.path(), 2).await;
    engine.set_keep_ready(false);
    until_kept(folder.path(), 0).await;
    answer(&engine, named("a", &third)).await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(kept(folder.path()), 0, "nothing is kept any more");
    shut(engine).await;
}

#[tokio::test]
async fn nothing_is_kept_unless_allowed_or_without_a_name() {
    let folder = test_support::temp_folder();
    let engine = start("toy", options(folder.path(), false));
    answer(&engine, named("a", &[(Role::User, LONG)])).await;
    engine.set_keep_ready(true);
    // Battery or mains: the model is told how many threads may compute.
    engine.set_battery_saver(true);
    answer(&engine, ask(LONG)).await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(kept(folder.path()), 0);
    answer(&engine, named("a", &[(Role::User, LONG)])).await;
    until_kept(folder.path(), 1).await;
    // The choice outlives the process.
    let pid = pid(&engine);
    engine.use_model(Some("other".into()));
    gone(pid).await;
    ready(&engine).await;
    answer(&engine, named("b", &[(Role::User, LONG)])).await;
    until_kept(folder.path(), 2).await;
    shut(engine).await;
}

#[tokio::test]
async fn the_model_that_rests_loses_what_is_forgotten_too() {
    let folder = test_support::temp_folder();
    let engine = start("toy", options(folder.path(), true));
    answer(&engine, named("a", &[(Role::User, LONG)])).await;
    until_kept(folder.path(), 1).await;
    engine.close_model().await;
    engine.forget_conversation("a");
    until_kept(folder.path(), 0).await;
    shut(engine).await;
}
