//! Who answers: what is set up, by whom, and what that changes.

use crate::say;
use api::dto::{
    BadgeKind, EnginesInput, EnginesState, ErrorCode, Feature, FeatureState, Language, Place, Places, ProfileInput,
    ProfileKind, SchoolInput, SecretKept, ServerKind, TestStepKind, ToolEvent, ToolInput, Unlock,
};
use api::elsewhere::{ManagedSchool, MemorySecrets, NoSecrets};
use api::scripted::ScriptedModels;
use api::scripted_servers::{MODEL, ScriptedServers, example};
use api::transfers::{Pick, Picked, Picker};
use api::{App, AppOptions, Elsewhere};
use generation::GenerateRequest;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::mpsc;

/// An app beside a server that is Cloud Boost and the school's server.
pub struct Served {
    pub app: App,
    pub models: ScriptedModels,
    pub servers: ScriptedServers,
    pub secrets: MemorySecrets,
    pub folder: TempDir,
}

/// Saves under the suggested name in this folder.
struct SavesIn(PathBuf);

impl Picker for SavesIn {
    fn pick(&self, what: Pick, _language: Language) -> Picked {
        let path = match what {
            Pick::SaveFile { name } => Some(self.0.join(name)),
            Pick::Picture => Some(self.0.join("photo.png")),
            _ => None,
        };
        Box::pin(std::future::ready(path))
    }
}

/// Tools get what their form asks for, questions get `4`.
pub fn answer(request: &GenerateRequest) -> Vec<api::scripted::Step> {
    match &request.structure {
        Some(structure) => say(&[&example(structure).to_string()]),
        None => say(&["4"]),
    }
}

impl Served {
    pub async fn new() -> Self {
        Self::with(ScriptedModels::new(answer), |elsewhere| elsewhere).await
    }

    pub async fn with(models: ScriptedModels, change: impl Fn(Elsewhere) -> Elsewhere) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let servers = ScriptedServers::start(0, Duration::ZERO).await.expect("a port");
        let secrets = MemorySecrets::default();
        let elsewhere = change(Elsewhere::with_secrets(Arc::new(secrets.clone())));
        let app = start(&folder, &models, elsewhere.with_cloud_at(servers.address(), MODEL)).await;
        Self { app, models, servers, secrets, folder }
    }

    pub async fn profile(&self, kind: ProfileKind) {
        let input = ProfileInput { name: String::new(), kind, pin: None, old_pin: None };
        api::profile::set(&self.app, input).await.expect("a profile");
    }

    pub async fn set(&self, cloud_on: bool, school_on: bool, place: Place) -> EnginesState {
        let places = Places { questions: place, drawings: place, reading: place, second_answer: place };
        api::engines::set(&self.app, EnginesInput { cloud_on, school_on, places }).await.expect("set")
    }

    /// All of Cloud Boost with this key, for an adult.
    pub async fn with_cloud(self, key: &str) -> Self {
        self.profile(ProfileKind::Adult).await;
        api::engines::cloud_key_set(&self.app, key.to_owned()).await.expect("kept");
        api::engines::cloud_agree(&self.app, true).await.expect("agreed");
        self.set(true, false, Place::Cloud).await;
        self
    }

    /// All of the school's server with this token, for an adult.
    pub async fn with_school(self, token: &str) -> Self {
        self.profile(ProfileKind::Adult).await;
        let input = SchoolInput { address: self.servers.address(), token: Some(token.to_owned()) };
        api::engines::school_set(&self.app, input).await.expect("set");
        let report = api::engines::school_test(&self.app).await.expect("tested");
        assert_eq!(report.failed, None, "{report:?}");
        self.set(false, true, Place::School).await;
        self
    }

    /// Starts a tool and waits for its end.
    pub async fn made(&self, input: ToolInput, engine: Option<BadgeKind>) -> Vec<ToolEvent> {
        let (sender, mut events) = mpsc::unbounded_channel();
        let sink = move |event| sender.send(event).is_ok();
        api::tools::start(&self.app, input, engine, sink).await.expect("admitted");
        let mut all = Vec::new();
        while let Ok(Some(event)) = tokio::time::timeout(Duration::from_secs(60), events.recv()).await {
            all.push(event);
        }
        all
    }

    pub async fn feature(&self, feature: Feature) -> FeatureState {
        let all = api::tools::features(&self.app).await.expect("features");
        all.into_iter().find(|state| state.feature == feature).expect("every feature")
    }

    /// Everything that the store's files hold.
    pub fn texts_sent(&self) -> Vec<String> {
        self.servers.requests().into_iter().map(|request| request.body).collect()
    }
}

pub async fn start(folder: &TempDir, models: &ScriptedModels, elsewhere: Elsewhere) -> App {
    let script = api::scripted_transfers::TransferScript::Nothing;
    App::start(AppOptions {
        data_dir: folder.path().join("data"),
        models: Arc::new(models.clone()),
        locale: Some("en_US.UTF-8".to_owned()),
        transfers: Arc::new(api::scripted_transfers::ScriptedTransfers::new(script, Duration::ZERO, models.clone())),
        picker: Arc::new(SavesIn(folder.path().to_owned())),
        elsewhere,
    })
    .await
}

pub fn flashcards(topic: &str) -> ToolInput {
    ToolInput::Flashcards { topic: topic.to_owned(), count: 5 }
}

#[tokio::test]
async fn a_learner_changes_nothing_and_never_reaches_cloud_boost() {
    let here = Served::new().await.with_cloud("a-key").await;
    here.profile(ProfileKind::Learner).await;
    let state = api::engines::get(&here.app).await.expect("state");
    assert!(!state.editable);
    let app = &here.app;
    let input = EnginesInput { cloud_on: true, school_on: true, places: state.places };
    let school = SchoolInput { address: String::new(), token: None };
    let refused = [
        api::engines::set(app, input).await.map(drop),
        api::engines::cloud_key_set(app, "k".to_owned()).await.map(drop),
        api::engines::cloud_key_remove(app).await.map(drop),
        api::engines::cloud_agree(app, true).await.map(drop),
        api::engines::cloud_test(app).await.map(drop),
        api::engines::school_set(app, school).await.map(drop),
        api::engines::school_test(app).await.map(drop),
        api::engines::school_model(app, MODEL.to_owned()).await.map(drop),
    ];
    for refused in refused {
        assert_eq!(refused.expect_err("adults only").code, ErrorCode::AdultOnly);
    }
    let quiz = here.feature(Feature::Quiz).await;
    assert_eq!((quiz.reason, quiz.unlock), (Some(ErrorCode::AdultOnly), Some(Unlock::AskAnAdult)));
    assert_eq!(quiz.instead.map(|badge| badge.kind), Some(BadgeKind::Demo));
    for engine in [None, Some(BadgeKind::Cloud), Some(BadgeKind::School)] {
        let started = api::tools::start(app, flashcards("fractions"), engine, |_| true).await;
        assert!(started.is_err(), "{engine:?}");
    }
    assert!(here.servers.requests().is_empty(), "nothing was sent");
    assert!(here.feature(Feature::Sheet).await.hidden);
}

#[tokio::test]
async fn cloud_boost_needs_its_switch_a_key_and_an_agreement_in_this_order() {
    let here = Served::new().await;
    here.profile(ProfileKind::Adult).await;
    let why = async |here: &Served| here.feature(Feature::Quiz).await.reason;
    here.set(false, false, Place::Cloud).await;
    assert_eq!(why(&here).await, Some(ErrorCode::EngineOff));
    here.set(true, false, Place::Cloud).await;
    assert_eq!(why(&here).await, Some(ErrorCode::KeyMissing));
    for bad in ["", "  ", "two words", "ñandú", &"x".repeat(600)] {
        let error = api::engines::cloud_key_set(&here.app, bad.to_owned()).await.expect_err(bad);
        assert_eq!(error.code, ErrorCode::InvalidRequest);
    }
    let state = api::engines::cloud_key_set(&here.app, "  a-key\n".to_owned()).await.expect("kept");
    assert_eq!(state.cloud.key, SecretKept::Keychain);
    assert_eq!(why(&here).await, Some(ErrorCode::ConsentNeeded));
    let error = api::engines::cloud_test(&here.app).await.expect_err("nobody agreed");
    assert_eq!(error.code, ErrorCode::ConsentNeeded);
    let error = api::tools::start(&here.app, flashcards("fractions"), None, |_| true).await.expect_err("nobody agreed");
    assert_eq!(error.code, ErrorCode::ConsentNeeded);
    let preview = api::tools::preview(&here.app, flashcards("fractions"), None).await.expect("shown");
    assert!(preview.needs_consent && preview.badge.kind == BadgeKind::Cloud);
    assert!(here.servers.requests().is_empty(), "nothing was sent before an adult agreed");

    api::engines::cloud_agree(&here.app, true).await.expect("agreed");
    assert_eq!(here.feature(Feature::Quiz).await.badge.map(|badge| badge.kind), Some(BadgeKind::Cloud));
    let report = api::engines::cloud_test(&here.app).await.expect("tested");
    assert_eq!(report.failed, None, "{report:?}");
    let steps: Vec<TestStepKind> = report.steps.iter().map(|step| step.step).collect();
    assert_eq!(steps, [TestStepKind::Models, TestStepKind::Reply]);
    let network = api::network_state::get(&here.app).await.expect("network");
    assert!(network.connections > 0 && !network.open);
    assert!(network.recent.iter().all(|line| line.host == "127.0.0.1"));

    let state = api::engines::cloud_key_remove(&here.app).await.expect("removed");
    assert_eq!((state.cloud.key, state.cloud.agreed_at), (SecretKept::None, None));
    assert_eq!(why(&here).await, Some(ErrorCode::KeyMissing));
}

#[tokio::test]
async fn a_wrong_key_fails_the_test_at_its_first_step() {
    let here = Served::new().await.with_cloud("a-wrong-key").await;
    let report = api::engines::cloud_test(&here.app).await.expect("a report");
    assert_eq!((report.failed, report.steps.len()), (Some(ErrorCode::KeyRejected), 1), "{report:?}");
}

#[tokio::test]
async fn a_key_outlives_the_program_only_in_a_keychain() {
    let here = Served::new().await.with_cloud("a-key").await;
    let Served { app, models, servers, secrets, folder } = here;
    app.close().await;
    drop(app);
    let again = Elsewhere::with_secrets(Arc::new(secrets)).with_cloud_at(servers.address(), MODEL);
    let app = start(&folder, &models, again).await;
    assert_eq!(api::engines::get(&app).await.expect("state").cloud.key, SecretKept::Keychain);
    assert_eq!(api::engines::cloud_test(&app).await.expect("tested").failed, None);

    let alone = Served::with(ScriptedModels::new(answer), |_| Elsewhere::with_secrets(Arc::new(NoSecrets))).await;
    let alone = alone.with_cloud("a-key").await;
    assert_eq!(api::engines::get(&alone.app).await.expect("state").cloud.key, SecretKept::Session);
    assert_eq!(api::engines::cloud_test(&alone.app).await.expect("tested").failed, None);
    let Served { app, models, servers, folder, .. } = alone;
    app.close().await;
    drop(app);
    let again = Elsewhere::with_secrets(Arc::new(NoSecrets)).with_cloud_at(servers.address(), MODEL);
    let app = start(&folder, &models, again).await;
    assert_eq!(api::engines::get(&app).await.expect("state").cloud.key, SecretKept::None);
}

#[tokio::test]
async fn the_schools_server_is_looked_at_and_its_models_can_be_chosen() {
    let here = Served::new().await.with_school("a-token").await;
    let state = api::engines::get(&here.app).await.expect("state").school;
    assert_eq!((state.kind, state.model.as_deref()), (Some(ServerKind::Vllm), Some(MODEL)));
    assert_eq!((state.models.len(), state.token), (2, SecretKept::Keychain));
    assert!(api::engines::school_model(&here.app, "another".to_owned()).await.is_err());
    let state = api::engines::school_model(&here.app, "gemma-4-e4b-it".to_owned()).await.expect("chosen").school;
    assert_eq!(state.model.as_deref(), Some("gemma-4-e4b-it"));
    // A learner uses what an adult set up.
    here.profile(ProfileKind::Learner).await;
    let events = here.made(flashcards("fractions"), None).await;
    let Some(ToolEvent::Finished { creation }) = events.last() else { panic!("{events:?}") };
    assert_eq!(
        (creation.summary.badge.kind, creation.summary.badge.model.as_str()),
        (BadgeKind::School, "gemma-4-e4b-it")
    );
}

#[tokio::test]
async fn a_token_stays_with_the_address_that_it_was_entered_for() {
    let here = Served::new().await.with_school("a-token").await;
    let elsewhere = ScriptedServers::start(0, Duration::ZERO).await.expect("a port");
    let input = |address: String| SchoolInput { address, token: None };
    // The same server in other words keeps it.
    let state =
        api::engines::school_set(&here.app, input(format!("{}/v1", here.servers.address()))).await.expect("set");
    assert_eq!(state.school.token, SecretKept::Keychain);
    let state = api::engines::school_set(&here.app, input(elsewhere.address())).await.expect("set");
    assert_eq!((state.school.token, state.school.model, state.school.kind), (SecretKept::None, None, None));
    api::engines::school_test(&here.app).await.expect("tested");
    assert!(elsewhere.requests().iter().all(|request| request.header("authorization").is_none()));
    for bad in ["http://aula.example.org", "ftp://a", "https://me:secret@host", "not an address"] {
        let error = api::engines::school_set(&here.app, input(bad.to_owned())).await.expect_err(bad);
        assert!(!error.message.contains("secret"), "{error:?}");
    }
    let state = api::engines::school_set(&here.app, input(String::new())).await.expect("removed");
    assert_eq!(
        (state.school.address.as_str(), here.feature(Feature::Quiz).await.reason),
        ("", Some(ErrorCode::EngineOff))
    );
}

#[tokio::test]
async fn a_managed_server_is_used_and_cannot_be_changed() {
    let folder = tempfile::tempdir().expect("folder");
    let token_file = folder.path().join("token");
    std::fs::write(&token_file, "lab-token\n").expect("written");
    let servers = ScriptedServers::start(0, Duration::ZERO).await.expect("a port");
    let managed = ManagedSchool { address: servers.address(), model: MODEL.to_owned(), token_file: Some(token_file) };
    let here = Served::with(ScriptedModels::new(answer), |elsewhere| elsewhere.with_managed(managed.clone())).await;
    here.profile(ProfileKind::Adult).await;
    let state = here.set(false, false, Place::School).await.school;
    assert!(state.managed && state.on && state.model.as_deref() == Some(MODEL));
    let input = SchoolInput { address: "http://127.0.0.1:1".to_owned(), token: None };
    assert!(api::engines::school_set(&here.app, input).await.is_err());
    assert!(api::engines::school_model(&here.app, "gemma-4-e4b-it".to_owned()).await.is_err());
    let events = here.made(flashcards("fractions"), None).await;
    assert!(matches!(events.last(), Some(ToolEvent::Finished { .. })), "{events:?}");
    assert!(servers.requests().iter().all(|request| request.header("authorization") == Some("Bearer lab-token")));
}

#[tokio::test]
async fn without_a_network_what_is_elsewhere_says_so_and_offers_this_computer() {
    let here = Served::with(ScriptedModels::new(answer), |elsewhere| elsewhere.with_connected(|_| false)).await;
    let here = here.with_cloud("a-key").await;
    let quiz = here.feature(Feature::Quiz).await;
    assert_eq!((quiz.reason, quiz.unlock), (Some(ErrorCode::Offline), Some(Unlock::Connect)));
    let error = api::tools::start(&here.app, flashcards("fractions"), None, |_| true).await.expect_err("offline");
    assert_eq!(error.code, ErrorCode::Offline);
    let events = here.made(flashcards("fractions"), Some(BadgeKind::Local)).await;
    assert!(matches!(events.last(), Some(ToolEvent::Finished { .. })), "{events:?}");
    assert!(here.servers.requests().is_empty());
}
