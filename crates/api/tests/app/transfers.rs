//! Transfers as the page sees them, over scripted ones; `local_transfers` moves real files.

use crate::{Bench, say};
use api::dto::{ErrorCode, PickKind, SourceKind, Transfer, TransferState};
use api::scripted::ScriptedModels;
use api::scripted_transfers::TransferScript;
use std::time::Duration;
use tokio::sync::mpsc;

async fn bench(script: TransferScript) -> Bench {
    Bench::scripted(ScriptedModels::new(|_| say(&["4"])), script).await
}

/// Watches the one transfer until its state is `wanted`; returns all different kinds of state on the way.
async fn until(bench: &Bench, wanted: impl Fn(&TransferState) -> bool) -> (Transfer, Vec<&'static str>) {
    let (sender, mut all) = mpsc::unbounded_channel();
    api::transfers::watch(&bench.app, move |now: Vec<Transfer>| sender.send(now).is_ok()).await.expect("watch");
    let mut seen = Vec::new();
    let found = async {
        while let Some(now) = all.recv().await {
            let Some(one) = now.into_iter().next_back() else { continue };
            let word = match one.state {
                TransferState::Running => "running",
                TransferState::Waiting { .. } => "waiting",
                TransferState::Verifying => "verifying",
                TransferState::Paused => "paused",
                TransferState::Done => "done",
                TransferState::Failed { .. } => "failed",
            };
            if seen.last() != Some(&word) {
                seen.push(word);
            }
            if wanted(&one.state) {
                return one;
            }
        }
        panic!("the watch ended");
    };
    let one = tokio::time::timeout(Duration::from_secs(60), found).await.expect("the state within a minute");
    (one, seen)
}

async fn model_ids(bench: &Bench) -> Vec<String> {
    api::models::list(&bench.app).await.expect("list").into_iter().map(|model| model.id).collect()
}

#[tokio::test]
async fn a_model_copied_in_is_installed_and_opened() {
    let bench = bench(TransferScript::Smooth).await;
    let sources = api::transfers::sources(&bench.app).await.expect("sources");
    assert_eq!((sources[0].label.as_str(), sources[0].kind), ("AULA", SourceKind::Removable));
    let begun = api::transfers::import(&bench.app, "stick".into(), "e2b".into()).await.expect("begun");
    assert_eq!(begun.state, TransferState::Running);
    let (done, seen) = until(&bench, |state| *state == TransferState::Done).await;
    assert_eq!(seen.last(), Some(&"done"));
    assert_eq!((done.id, done.model_id.as_deref()), (begun.id, Some("e2b")));
    assert!(model_ids(&bench).await.contains(&"e2b".to_owned()));
    // It is opened by itself: the app saw that it arrived.
    for _ in 0..3000 {
        if bench.models.opened().last().is_some_and(|(id, _)| id == "e2b") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never opened: {:?}", bench.models.opened());
}

#[tokio::test]
async fn what_cannot_be_copied_is_refused_with_its_reason() {
    let bench = bench(TransferScript::Smooth).await;
    for (source, model, code) in [
        ("stick", "damaged", ErrorCode::ModelFileDamaged),
        ("stick", "nothing", ErrorCode::NotFound),
        ("nothing", "e2b", ErrorCode::NotFound),
    ] {
        let error = api::transfers::import(&bench.app, source.into(), model.into()).await.expect_err("refused");
        assert_eq!(error.code, code, "{source} {model}");
    }
    assert_eq!(api::transfers::download(&bench.app, "x".into()).await.expect_err("x").code, ErrorCode::NotFound);
    assert_eq!(api::transfers::export(&bench.app, "x".into()).await.expect_err("x").code, ErrorCode::NotFound);
    for result in [
        api::transfers::pause(&bench.app, "x".into()).await,
        api::transfers::resume(&bench.app, "x".into()).await,
        api::transfers::cancel(&bench.app, "x".into()).await,
    ] {
        assert_eq!(result.expect_err("unknown").code, ErrorCode::NotFound);
    }
}

#[tokio::test]
async fn waiting_and_failing_are_said_and_can_be_gone_on_from() {
    let waits = bench(TransferScript::Waits).await;
    api::transfers::download(&waits.app, "e2b".into()).await.expect("begun");
    let (_, seen) =
        until(&waits, |state| matches!(state, TransferState::Waiting { error } if error.code == ErrorCode::Offline))
            .await;
    assert_eq!(seen.last(), Some(&"waiting"));
    until(&waits, |state| *state == TransferState::Done).await;

    let fails = bench(TransferScript::Fails(ErrorCode::DiskFull)).await;
    let begun = api::transfers::download(&fails.app, "e2b".into()).await.expect("begun");
    let (failed, _) =
        until(&fails, |state| matches!(state, TransferState::Failed { error } if error.code == ErrorCode::DiskFull))
            .await;
    assert!(failed.done_bytes > 0.0 && failed.done_bytes < failed.total_bytes);
    api::transfers::resume(&fails.app, begun.id).await.expect("again");
    until(&fails, |state| *state == TransferState::Done).await;
}

#[tokio::test]
async fn a_transfer_is_paused_resumed_and_cancelled() {
    let bench = bench(TransferScript::Still).await;
    let begun = api::transfers::download(&bench.app, "e2b".into()).await.expect("begun");
    assert!(api::network_state::get(&bench.app).await.expect("network").open);
    api::transfers::pause(&bench.app, begun.id.clone()).await.expect("paused");
    until(&bench, |state| *state == TransferState::Paused).await;
    assert!(!api::network_state::get(&bench.app).await.expect("network").open, "closed while nothing moves");
    api::transfers::resume(&bench.app, begun.id.clone()).await.expect("resumed");
    until(&bench, |state| *state == TransferState::Running).await;
    let storage = api::transfers::storage(&bench.app).await.expect("storage");
    assert!(storage.free_bytes > 0.0 && storage.models_bytes > 0.0);
    api::transfers::cancel(&bench.app, begun.id).await.expect("cancelled");
    let (sender, mut all) = mpsc::unbounded_channel();
    api::transfers::watch(&bench.app, move |now: Vec<Transfer>| sender.send(now).is_ok()).await.expect("watch");
    assert_eq!(all.recv().await, Some(Vec::new()));
    assert_eq!(model_ids(&bench).await, ["demo"]);
}

#[tokio::test]
async fn what_was_picked_is_a_source_and_shows_no_path() {
    let bench = bench(TransferScript::Smooth).await;
    let source = api::transfers::pick_source(&bench.app, PickKind::Folder).await.expect("pick").expect("picked");
    assert_eq!((source.label.as_str(), source.kind), ("USB", SourceKind::Folder));
    let all = serde_json::to_string(&api::transfers::sources(&bench.app).await.expect("sources")).expect("JSON");
    assert!(all.contains("\"USB\"") && !all.contains('/'), "{all}");
    let begun = api::transfers::export(&bench.app, "demo".into()).await.expect("export").expect("picked");
    until(&bench, |state| *state == TransferState::Done).await;
    assert_eq!(begun.model, "Scripted demo");
}

#[tokio::test]
async fn every_connection_is_counted_and_written_down() {
    let bench = bench(TransferScript::Still).await;
    for n in 0..205 {
        bench.transfers.connect(&format!("host-{n}.example"));
    }
    let network = api::network_state::get(&bench.app).await.expect("network");
    assert_eq!((network.connections, network.open, network.hub.as_str()), (205, false, "huggingface.co"));
    assert_eq!(network.recent.len(), 200);
    assert_eq!(
        (network.recent[0].host.as_str(), network.recent[199].host.as_str()),
        ("host-204.example", "host-5.example")
    );
    bench.transfers.connect("last.example");
    let bench = bench.restarted().await;
    assert_eq!(api::app_info::info(&bench.app).await.expect("info").connections, 206, "also just before the end");
}

#[tokio::test]
async fn the_cap_on_downloads_holds_at_once_and_after_a_restart() {
    let bench = bench(TransferScript::Smooth).await;
    let mut settings = api::settings::get(&bench.app).await.expect("settings");
    settings.download_limit_kb = 300;
    api::settings::set(&bench.app, settings).await.expect("set");
    assert_eq!(bench.transfers.limited_to(), 300);
    api::TransferPort::limit(&bench.transfers, 0);
    let bench = bench.restarted().await;
    assert_eq!(bench.transfers.limited_to(), 300);
}

#[tokio::test]
async fn a_model_in_use_is_removed_and_another_answers() {
    let models = ScriptedModels::new(|_| say(&["4"]));
    models.install(&["demo", "e2b"]);
    let bench = Bench::scripted(models, TransferScript::Smooth).await;
    bench.answered(None, "q").await;
    assert_eq!(bench.models.opened().last().map(|(id, _)| id.clone()).as_deref(), Some("e2b"));
    let left = api::transfers::remove(&bench.app, "e2b".into()).await.expect("removed");
    assert_eq!(left.iter().map(|model| model.id.as_str()).collect::<Vec<_>>(), ["demo"]);
    bench.answered(None, "q").await;
    assert_eq!(bench.models.opened().last().map(|(id, _)| id.clone()).as_deref(), Some("demo"));

    assert_eq!(api::transfers::remove(&bench.app, "e2b".into()).await.expect_err("gone").code, ErrorCode::NotFound);
    assert_eq!(
        api::transfers::remove(&bench.app, "demo".into()).await.expect_err("stays").code,
        ErrorCode::InvalidRequest
    );
    // A failure leaves the tutor answering.
    bench.answered(None, "q").await;
}
