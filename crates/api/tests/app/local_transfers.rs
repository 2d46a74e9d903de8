//! Transfers of this computer with real files: the demo model stands for any other.

use crate::say;
use api::dto::{ErrorCode, Language, PickKind, SourceKind, Transfer, TransferState};
use api::places::Places;
use api::scripted::ScriptedModels;
use api::transfers::{Pick, Picked, Picker};
use api::{App, AppOptions, LocalTransfers};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::mpsc;

const DEMO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/demo/aula-demo.gguf");

/// Picks one folder for copying from and another for copying to.
struct Picks {
    from: PathBuf,
    to: PathBuf,
}

impl Picker for Picks {
    fn pick(&self, what: Pick, _language: Language) -> Picked {
        let path = if what == Pick::FolderToCopyTo { &self.to } else { &self.from };
        Box::pin(std::future::ready(Some(path.clone())))
    }
}

struct Bench {
    app: App,
    folder: TempDir,
}

impl Bench {
    /// An app whose stick, the folder `stick`, holds the demo model under another name.
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("folder");
        for name in ["stick", "other"] {
            std::fs::create_dir(folder.path().join(name)).expect("folder");
        }
        std::fs::copy(DEMO, folder.path().join("stick/school.gguf")).expect("the demo model is part of the sources");
        let app = start(folder.path()).await;
        Self { app, folder }
    }

    fn models(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path().join("data/models")).into_iter().flatten().flatten();
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        names.filter(|name| name.ends_with(".gguf")).collect()
    }

    async fn until(&self, wanted: impl Fn(&TransferState) -> bool) -> Transfer {
        let (sender, mut all) = mpsc::unbounded_channel();
        api::transfers::watch(&self.app, move |now: Vec<Transfer>| sender.send(now).is_ok()).await.expect("watch");
        let found = async {
            let mut last = Vec::new();
            while let Some(now) = all.recv().await {
                last.clone_from(&now);
                if let Some(one) = now.into_iter().find(|one| wanted(&one.state)) {
                    return one;
                }
            }
            panic!("the watch ended: {last:?}");
        };
        tokio::time::timeout(Duration::from_secs(60), found).await.expect("the state within a minute")
    }
}

async fn start(folder: &Path) -> App {
    let places = Places { data_dir: folder.join("data"), demo_model: None, shared_models_dir: None };
    // Nobody listens on port 9 of this computer.
    let hub = catalog::hub::HubConfig { hub: "http://127.0.0.1:9".to_owned(), ..Default::default() };
    App::start(AppOptions {
        data_dir: places.data_dir.clone(),
        models: Arc::new(ScriptedModels::new(|_| say(&["4"]))),
        locale: None,
        transfers: Arc::new(LocalTransfers::with_hub(&places, hub)),
        picker: Arc::new(Picks { from: folder.join("stick"), to: folder.join("other") }),
        elsewhere: api::Elsewhere::alone(),
    })
    .await
}

#[tokio::test]
async fn a_model_goes_in_from_a_picked_folder_and_out_to_another() {
    let bench = Bench::new().await;
    let source = api::transfers::pick_source(&bench.app, PickKind::Folder).await.expect("pick").expect("picked");
    assert_eq!((source.label.as_str(), source.kind), ("stick", SourceKind::Folder));
    let model = &source.models[0];
    assert!(model.fits && !model.installed && model.problem.is_none(), "{model:?}");
    assert!(model.details.as_ref().is_some_and(|details| details.needed_bytes > 0.0 && details.usable_bytes > 0.0));
    let listed = api::transfers::sources(&bench.app).await.expect("sources");
    assert!(listed.iter().any(|one| one.id == source.id), "what was picked stays a source");
    let text = serde_json::to_string(&listed).expect("JSON");
    assert!(!text.contains(&bench.folder.path().display().to_string()), "a path crosses: {text}");

    api::transfers::import(&bench.app, source.id.clone(), model.id.clone()).await.expect("begun");
    let done = bench.until(|state| *state == TransferState::Done).await;
    assert_eq!((done.done_bytes, done.total_bytes), (model.file_bytes, model.file_bytes));
    assert_eq!(bench.models().len(), 1);
    let again = api::transfers::sources(&bench.app).await.expect("sources");
    let again = again.iter().find(|one| one.id == source.id).expect("the same id");
    assert!(again.models[0].installed);
    assert_eq!(again.models[0].id, model.id);
    let storage = api::transfers::storage(&bench.app).await.expect("storage");
    assert_eq!((storage.models_bytes, storage.unfinished_bytes), (model.file_bytes, 0.0));
    assert!(storage.free_bytes > 0.0);
    api::transfers::cancel(&bench.app, done.id).await.expect("off the list");
    assert_eq!(bench.models().len(), 1, "what is done stays");

    let id = done.model_id.expect("the installed model");
    let left = api::transfers::remove(&bench.app, id.clone()).await.expect("removed");
    assert!(left.iter().all(|model| model.id != id));
    assert_eq!(bench.models(), Vec::<String>::new());
    assert_eq!(api::transfers::remove(&bench.app, id).await.expect_err("gone").code, ErrorCode::NotFound);
}

#[tokio::test]
async fn a_model_that_was_not_listed_cannot_be_copied() {
    let bench = Bench::new().await;
    let path = bench.folder.path().join("stick/school.gguf").display().to_string();
    let error = api::transfers::import(&bench.app, "stick".into(), path).await.expect_err("a path is no id");
    assert_eq!(error.code, ErrorCode::NotFound);
}

#[tokio::test]
async fn the_network_is_open_to_a_download_only_while_it_runs() {
    let bench = Bench::new().await;
    let network = api::network_state::get(&bench.app).await.expect("network");
    assert_eq!((network.open, network.connections, network.hub.as_str()), (false, 0, "127.0.0.1"));
    let offers = api::transfers::offers(&bench.app).await.expect("offers");
    assert!(offers.iter().all(|offer| offer.file_bytes > 1e9 && offer.needed_bytes > 0.0 && !offer.installed));
    assert!(offers.iter().filter(|offer| offer.recommended).count() <= 1);
    // Nobody is sent to somebody else's file first.
    assert!(offers.iter().filter(|offer| offer.recommended).all(|offer| offer.publisher == "google"));
    assert!(!api::network_state::get(&bench.app).await.expect("network").open, "to look opens nothing");

    let error = api::transfers::download(&bench.app, "nothing".into()).await.expect_err("no such offer");
    assert_eq!(error.code, ErrorCode::NotFound);
    assert!(!api::network_state::get(&bench.app).await.expect("network").open, "what is refused closes it again");

    let begun = api::transfers::download(&bench.app, offers[0].id.clone()).await;
    if !offers[0].has_room {
        assert_eq!(begun.expect_err("no room").code, ErrorCode::DiskFull);
        return;
    }
    let begun = begun.expect("begun");
    assert!(api::network_state::get(&bench.app).await.expect("network").open);
    api::transfers::pause(&bench.app, begun.id.clone()).await.expect("pause");
    bench.until(|state| *state == TransferState::Paused).await;
    assert!(!api::network_state::get(&bench.app).await.expect("network").open);
    api::transfers::resume(&bench.app, begun.id.clone()).await.expect("resume");
    assert!(api::network_state::get(&bench.app).await.expect("network").open);
    let waiting = bench.until(|state| matches!(state, TransferState::Waiting { .. })).await;
    assert!(matches!(waiting.state, TransferState::Waiting { error } if error.code == ErrorCode::Offline));
    api::transfers::cancel(&bench.app, begun.id).await.expect("cancel");
    for _ in 0..3000 {
        let network = api::network_state::get(&bench.app).await.expect("network");
        if !network.open {
            assert_eq!(network.connections, 0, "nobody was reached");
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the network stays open");
}
