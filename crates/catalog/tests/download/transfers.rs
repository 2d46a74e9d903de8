//! The state machine over downloads and imports.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use catalog::transfers::{ImportSource, TransferKind, TransferState, TransferView, Transfers};
use catalog::{Error, ImportOptions};
use errors::ErrorCode;
use network::{Permit, Purpose};
use test_support::faulty_server::{Fault, FaultyServer};

use super::support::{PART_BYTES, Scene, assert_installed, model, other_model, pause_after, policy, published};

struct Stage {
    scene: Scene,
    transfers: Transfers,
}

impl Stage {
    async fn new() -> Self {
        Self::of(Scene::new().await)
    }

    fn of(scene: Scene) -> Self {
        let (client, addresses) = (scene.download.client.clone(), scene.download.addresses.clone());
        let transfers = Transfers::with_policy(scene.catalog(), client, addresses, policy());
        Self { scene, transfers }
    }

    fn open(&self) -> Permit {
        self.scene.download.client.gate().open(Purpose::ModelDownload)
    }

    fn start(&self) -> TransferView {
        self.transfers.start_download_of(published(model()), self.open()).expect("begun")
    }

    /// Waits until the transfers are as `wanted`.
    async fn until(&self, wanted: impl Fn(&[TransferView]) -> bool) -> Vec<TransferView> {
        let mut views = self.transfers.watch();
        let patience = Duration::from_secs(60);
        let found = tokio::time::timeout(patience, views.wait_for(|views| wanted(views))).await;
        match found {
            Ok(views) => views.expect("the transfers are there").clone(),
            Err(_) => panic!("it never came to that: {:?}", self.transfers.watch().borrow()),
        }
    }

    async fn until_state(&self, wanted: impl Fn(&TransferState) -> bool) -> TransferView {
        self.until(|views| views.first().is_some_and(|view| wanted(&view.state))).await.remove(0)
    }
}

#[tokio::test]
async fn a_download_runs_and_the_network_closes_behind_it() {
    let stage = Stage::new().await;
    let begun = stage.start();
    assert_eq!(
        (begun.id.as_str(), begun.kind, begun.model.as_str()),
        ("download-tiny", TransferKind::Download, "Tiny")
    );
    assert_eq!(begun.total_bytes, model().len() as u64);
    let done = stage.until_state(|state| *state == TransferState::Done).await;
    assert_eq!((done.done_bytes, done.parts_done), (done.total_bytes, done.parts));
    let installed = stage.scene.catalog().list().expect("a folder").models.remove(0);
    assert_eq!(done.model_id, Some(installed.id));
    stage.scene.assert_installed(model());
    assert!(!stage.scene.download.client.gate().is_open_at_all());
    let again = stage.transfers.start_download_of(published(model()), stage.open());
    assert!(matches!(again, Err(Error::AlreadyInstalled { .. })), "{again:?}");
    assert!(!stage.scene.download.client.gate().is_open_at_all());
    stage.transfers.cancel(&done.id).expect("taken off");
    assert_eq!(*stage.transfers.watch().borrow(), []);
    stage.scene.assert_installed(model());
}

#[tokio::test]
async fn a_pause_closes_the_network_and_a_restart_does_not_open_it() {
    let stage = Stage::new().await;
    stage.scene.server.next([Fault::None, Fault::None, Fault::None]);
    stage.scene.server.always(Fault::StallAfter(10));
    let id = stage.start().id;
    stage.until(|views| views[0].parts_done == 3).await;
    assert!(stage.scene.download.client.gate().is_open_at_all());
    stage.transfers.pause(&id).expect("there");
    let paused = stage.until_state(|state| *state == TransferState::Paused).await;
    assert_eq!((paused.parts_done, paused.bytes_per_second, paused.seconds_left), (3, None, None));
    assert!(!stage.scene.download.client.gate().is_open_at_all());

    stage.scene.server.always(Fault::None);
    let asked = stage.scene.server.record().asked.len();
    stage.transfers.resume(&id, || stage.open()).expect("there");
    stage.until_state(|state| *state == TransferState::Done).await;
    stage.scene.assert_installed(model());
    let first = stage.scene.server.record().asked[asked..].iter().find_map(|asked| asked.range);
    assert_eq!(first.expect("a range").0, 3 * PART_BYTES);
    assert!(matches!(stage.transfers.pause("nothing"), Err(Error::NoSuchTransfer { .. })));
}

#[tokio::test]
async fn an_offer_that_was_unfinished_is_there_again_and_waits_for_a_person() {
    // What a real offer's download left behind, as the next start finds it.
    let offer = &catalog::manifest::offers()[0];
    let mut scene = Scene::new().await;
    scene.download.manifest = catalog::manifest::Manifest { id: offer.id.clone(), ..published(model()) };
    assert!(matches!(scene.run_with(&pause_after(5), |_| {}).await, Err(Error::Paused)));
    let connections = scene.download.client.gate().count();
    let stage = Stage::of(scene);
    let views = stage.transfers.watch().borrow().clone();
    assert_eq!((views.len(), &views[0].state), (1, &TransferState::Paused));
    assert_eq!(views[0].id, format!("download-{}", offer.id));
    assert!(views[0].parts_done >= 5 && views[0].done_bytes >= 5 * PART_BYTES, "{views:?}");
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(stage.scene.download.client.gate().count(), connections);
    stage.transfers.cancel(&views[0].id).expect("there");
    assert_eq!(catalog::incoming::unfinished(stage.scene.models.path()), []);
    assert_eq!(*stage.transfers.watch().borrow(), []);
}

#[tokio::test]
async fn a_running_download_that_is_cancelled_leaves_nothing() {
    let stage = Stage::new().await;
    stage.scene.server.next([Fault::None]);
    stage.scene.server.always(Fault::StallAfter(10));
    let id = stage.start().id;
    stage.until(|views| views[0].parts_done == 1).await;
    stage.transfers.cancel(&id).expect("there");
    stage.until(|views| views.is_empty()).await;
    assert_eq!(catalog::incoming::unfinished(stage.scene.models.path()), []);
    assert!(!stage.scene.download.client.gate().is_open_at_all());
}

#[tokio::test]
async fn a_server_that_is_away_is_waited_for_and_a_refusal_is_final_until_a_person_repeats() {
    let stage = Stage::new().await;
    stage.scene.server.always(Fault::Status(503));
    let id = stage.start().id;
    let is_waiting = |state: &TransferState| matches!(state, TransferState::Waiting(_));
    let waiting = stage.until_state(is_waiting).await;
    let TransferState::Waiting(problem) = waiting.state else { panic!("{waiting:?}") };
    assert_eq!((problem.code, problem.hint.is_some()), (ErrorCode::ServerRefused, true));
    assert!(stage.scene.download.client.gate().is_open_at_all(), "it goes on by itself");
    stage.scene.server.always(Fault::Status(404));
    let failed = stage.until_state(|state| matches!(state, TransferState::Failed(_))).await;
    assert!(matches!(&failed.state, TransferState::Failed(problem) if problem.message.contains("404")), "{failed:?}");
    assert!(!stage.scene.download.client.gate().is_open_at_all());
    stage.scene.server.always(Fault::None);
    stage.transfers.resume(&id, || stage.open()).expect("there");
    stage.until_state(|state| *state == TransferState::Done).await;
    stage.scene.assert_installed(model());
}

#[tokio::test]
async fn downloads_take_turns() {
    let stage = Stage::new().await;
    stage.scene.server.next([Fault::StallAfter(10)]);
    stage.start();
    let second = catalog::manifest::Manifest { id: "second".to_owned(), ..published(model()) };
    stage.transfers.start_download_of(second, stage.open()).expect("begun");
    let views = stage.until(|views| matches!(views[0].state, TransferState::Waiting(_))).await;
    assert_eq!(views[1].state, TransferState::Queued);
    assert_eq!(stage.scene.server.record().gets(), 1, "only the first one asks");
    let views = stage.until(|views| matches!(views[1].state, TransferState::Failed(_))).await;
    assert_eq!(views[0].state, TransferState::Done);
    let TransferState::Failed(problem) = &views[1].state else { panic!("{views:?}") };
    assert_eq!(problem.message, "`tiny.gguf` is already installed", "it is the same model, and its turn came after");
}

#[tokio::test]
async fn a_stick_that_is_pulled_out_is_waited_for_and_finished_parts_are_not_copied_again() {
    let scene = Scene::new().await;
    let sticks = test_support::temp_folder();
    let (stick, away) = (sticks.path().join("stick"), sticks.path().join("away"));
    fs::create_dir(&stick).expect("a folder");
    let path = stick.join("m.gguf");
    fs::write(&path, other_model()).expect("a file");
    let options = ImportOptions { part_bytes: PART_BYTES, ..ImportOptions::default() };
    let stopped = scene.catalog().import_with(&path, &options, &pause_after(4));
    assert!(matches!(stopped, Err(Error::Paused)), "{stopped:?}");

    let stage = Stage::of(scene);
    let found = stage.transfers.watch().borrow()[0].clone();
    assert_eq!((found.kind, &found.state), (TransferKind::Import, &TransferState::Paused));
    fs::rename(&stick, &away).expect("pulled out");
    stage.transfers.resume(&found.id, || panic!("an import needs no network")).expect("there");
    let waiting = stage.until_state(|state| matches!(state, TransferState::Waiting(_))).await;
    let TransferState::Waiting(problem) = &waiting.state else { panic!("{waiting:?}") };
    assert_eq!(problem.code, ErrorCode::SourceGone);
    assert!(waiting.done_bytes >= 4 * PART_BYTES, "{waiting:?}");
    fs::rename(&away, &stick).expect("plugged in");
    stage.until_state(|state| *state == TransferState::Done).await;
    assert_installed(stage.scene.models.path(), &other_model());
}

#[tokio::test]
async fn an_import_and_an_export_go_through_the_same_states() {
    let scene = Scene::with(FaultyServer::start(Vec::new()).await, published(model()));
    let stick = test_support::temp_folder();
    let path = stick.path().join("m.gguf");
    fs::write(&path, model()).expect("a file");
    let stage = Stage::of(scene);
    let total_bytes = model().len() as u64;
    let source = ImportSource { path, model: "M".to_owned(), total_bytes, sha256: None };
    stage.transfers.start_import(source).expect("begun");
    let done = stage.until_state(|state| *state == TransferState::Done).await;
    let model_id = done.model_id.expect("installed");
    let target = test_support::temp_folder();
    stage.transfers.start_export(&model_id, target.path().to_owned()).expect("begun");
    stage.until(|views| views.len() == 2 && views[1].state == TransferState::Done).await;
    assert!(target.path().join("AULA/m.gguf").exists());
    assert!(matches!(
        stage.transfers.start_export("nothing", target.path().to_owned()),
        Err(Error::NoSuchModel { .. })
    ));
    assert_eq!(stage.scene.download.client.gate().count(), 0);
}

#[tokio::test]
async fn a_transfer_that_a_person_cannot_see_any_more_goes_on() {
    let stage = Stage::new().await;
    let page = stage.transfers.watch();
    stage.start();
    drop(page);
    let again = Arc::new(stage.transfers.clone());
    stage.until_state(|state| *state == TransferState::Done).await;
    assert_eq!(again.get("download-tiny").expect("still listed").state, TransferState::Done);
}
