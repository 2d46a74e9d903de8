//! A locked profile refuses every command but the few that draw the lock.

use crate::{Bench, say};
use api::App;
use api::dto::{
    AskRequest, EnginesInput, ErrorCode, ExportFormat, IpcError, PickKind, Place, Places, ProfileInput, ProfileKind,
    SchoolInput, Settings, Theme, ToolInput, Work,
};

/// What a locked profile does with a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Locked {
    Refuses,
    Answers,
}

/// Every command. A new one fails this test until somebody has thought about it.
fn classified(command: &str) -> Option<Locked> {
    Some(match command {
        // What draws the lock, with nothing of a person in it: the version, the look, this computer, the model's name.
        "app_info" | "page_ready" | "setup_get" | "settings_get" | "hardware_get" | "model_watch" => Locked::Answers,
        // Opens it.
        "profile_unlock" => Locked::Answers,
        // Stops an answer of this run: there is none while it is locked.
        "chat_cancel" | "tool_cancel" => Locked::Answers,
        "setup_finish"
        | "profile_set"
        | "settings_set"
        | "models_list"
        | "model_select"
        | "model_remove"
        | "storage_get"
        | "sources_list"
        | "source_pick"
        | "offers_list"
        | "transfers_watch"
        | "transfer_import"
        | "transfer_download"
        | "transfer_export"
        | "transfer_pause"
        | "transfer_resume"
        | "transfer_cancel"
        | "network_get"
        | "conversation_list"
        | "conversation_get"
        | "conversation_rename"
        | "conversation_delete"
        | "conversation_restore"
        | "chat_ask"
        | "chat_regenerate"
        | "chat_edit"
        | "chat_show_version"
        | "chat_second_answer"
        | "chat_second_preview"
        | "features_get"
        | "tool_preview"
        | "tool_start"
        | "creation_list"
        | "creation_get"
        | "creation_work"
        | "creation_delete"
        | "creation_restore"
        | "creation_drawing"
        | "creation_export"
        | "image_take"
        | "image_pick"
        | "engines_get"
        | "engines_set"
        | "cloud_key_set"
        | "cloud_key_remove"
        | "cloud_agree"
        | "cloud_test"
        | "school_set"
        | "school_test"
        | "school_model" => Locked::Refuses,
        _ => return None,
    })
}

/// Calls a command with arguments that are right but for naming nothing that exists.
async fn call(app: &App, command: &str, settings: &Settings) -> Result<(), IpcError> {
    use api::{chat, conversations, creations, engines, images, models, tools, transfers};
    let id = || "x".to_owned();
    match command {
        "app_info" => api::app_info::info(app).await.map(drop),
        "page_ready" => api::app_info::page_ready(app).await,
        "setup_get" => api::setup::get(app).await.map(drop),
        "setup_finish" => api::setup::finish(app).await.map(drop),
        "profile_set" => api::profile::set(app, input(None, None)).await.map(drop),
        "profile_unlock" => api::profile::unlock(app, "4711".to_owned()).await.map(drop),
        "hardware_get" => api::computer::get(app).await.map(drop),
        "settings_get" => api::settings::get(app).await.map(drop),
        "settings_set" => api::settings::set(app, settings.clone()).await.map(drop),
        "model_watch" => models::watch(app, |_| true).await,
        "models_list" => models::list(app).await.map(drop),
        "model_select" => models::select(app, None).await.map(drop),
        "model_remove" => transfers::remove(app, id()).await.map(drop),
        "storage_get" => transfers::storage(app).await.map(drop),
        "sources_list" => transfers::sources(app).await.map(drop),
        "source_pick" => transfers::pick_source(app, PickKind::Folder).await.map(drop),
        "offers_list" => transfers::offers(app).await.map(drop),
        "transfers_watch" => transfers::watch(app, |_| true).await,
        "transfer_import" => transfers::import(app, id(), id()).await.map(drop),
        "transfer_download" => transfers::download(app, id()).await.map(drop),
        "transfer_export" => transfers::export(app, id()).await.map(drop),
        "transfer_pause" => transfers::pause(app, id()).await,
        "transfer_resume" => transfers::resume(app, id()).await,
        "transfer_cancel" => transfers::cancel(app, id()).await,
        "network_get" => api::network_state::get(app).await.map(drop),
        "conversation_list" => conversations::list(app).await.map(drop),
        "conversation_get" => conversations::get(app, "x").await.map(drop),
        "conversation_rename" => conversations::rename(app, "x", "title").await.map(drop),
        "conversation_delete" => conversations::delete(app, "x").await,
        "conversation_restore" => conversations::restore(app, "x").await.map(drop),
        "chat_ask" => {
            let request = AskRequest { conversation_id: None, text: "2+2?".to_owned() };
            chat::ask(app, request, |_| true).await.map(drop)
        }
        "chat_regenerate" => chat::regenerate(app, "x", |_| true).await.map(drop),
        "chat_edit" => chat::edit(app, "x", "2+2?".to_owned(), |_| true).await.map(drop),
        "chat_show_version" => chat::show_version(app, "x").await.map(drop),
        "chat_cancel" => chat::cancel(app, "x").await,
        "chat_second_answer" => chat::second_answer(app, "x", |_| true).await.map(drop),
        "chat_second_preview" => chat::second_preview(app, "x").await.map(drop),
        "features_get" => tools::features(app).await.map(drop),
        "tool_preview" => tools::preview(app, flashcards(), None).await.map(drop),
        "tool_start" => tools::start(app, flashcards(), None, |_| true).await.map(drop),
        "tool_cancel" => tools::cancel(app, "x").await,
        "creation_list" => creations::list(app).await.map(drop),
        "creation_get" => creations::get(app, "x").await.map(drop),
        "creation_work" => creations::work(app, "x", Work::default()).await.map(drop),
        "creation_delete" => creations::delete(app, "x").await,
        "creation_restore" => creations::restore(app, "x").await.map(drop),
        "creation_drawing" => creations::drawing(app, "x").await.map(drop),
        "creation_export" => creations::export(app, "x", ExportFormat::Markdown).await.map(drop),
        "image_take" => images::take(app, id()).await.map(drop),
        "image_pick" => images::pick(app).await.map(drop),
        "engines_get" => engines::get(app).await.map(drop),
        "engines_set" => engines::set(app, engines_input()).await.map(drop),
        "cloud_key_set" => engines::cloud_key_set(app, id()).await.map(drop),
        "cloud_key_remove" => engines::cloud_key_remove(app).await.map(drop),
        "cloud_agree" => engines::cloud_agree(app, false).await.map(drop),
        "cloud_test" => engines::cloud_test(app).await.map(drop),
        "school_set" => engines::school_set(app, SchoolInput { address: String::new(), token: None }).await.map(drop),
        "school_test" => engines::school_test(app).await.map(drop),
        "school_model" => engines::school_model(app, id()).await.map(drop),
        other => panic!("`{other}` is not called by this test"),
    }
}

fn flashcards() -> ToolInput {
    ToolInput::Flashcards { topic: "fractions".to_owned(), count: 5 }
}

fn engines_input() -> EnginesInput {
    let here = Place::Device;
    let places = Places { questions: here, drawings: here, reading: here, second_answer: here };
    EnginesInput { cloud_on: false, school_on: false, places }
}

fn input(pin: Option<&str>, old_pin: Option<&str>) -> ProfileInput {
    ProfileInput {
        name: "Ana".to_owned(),
        kind: ProfileKind::Learner,
        pin: pin.map(str::to_owned),
        old_pin: old_pin.map(str::to_owned),
    }
}

/// A profile with the PIN 4711 and a conversation, started anew.
async fn locked() -> Bench {
    let bench = Bench::new(|_| say(&["4"])).await;
    bench.answered(None, "2+2?").await;
    let dark =
        Settings { theme: Theme::Dark, idle_unload_minutes: 99, ..api::settings::get(&bench.app).await.expect("get") };
    api::settings::set(&bench.app, dark).await.expect("set");
    api::profile::set(&bench.app, input(Some("4711"), None)).await.expect("a PIN");
    bench.restarted().await
}

#[tokio::test]
async fn every_command_is_refused_or_was_let_through_on_purpose() {
    let bench = locked().await;
    let settings = api::settings::get(&bench.app).await.expect("get");
    for command in api::COMMANDS {
        let class = classified(command).unwrap_or_else(|| panic!("`{command}` is not classified"));
        if command == "profile_unlock" {
            continue;
        }
        let code = call(&bench.app, command, &settings).await.err().map(|error| error.code);
        assert_eq!(code == Some(ErrorCode::Locked), class == Locked::Refuses, "{command}: {code:?}");
    }
    call(&bench.app, "profile_unlock", &settings).await.expect("the right PIN");
    for command in api::COMMANDS {
        let code = call(&bench.app, command, &settings).await.err().map(|error| error.code);
        assert_ne!(code, Some(ErrorCode::Locked), "{command}");
    }
}

#[tokio::test]
async fn a_locked_profile_shows_how_the_page_looks_and_nothing_else() {
    let bench = locked().await;
    let state = api::setup::get(&bench.app).await.expect("state");
    assert!(state.locked && state.profile.has_pin);
    let settings = api::settings::get(&bench.app).await.expect("settings");
    assert_eq!((settings.theme, settings.idle_unload_minutes), (Theme::Dark, 10));

    let state = api::profile::unlock(&bench.app, "4711".to_owned()).await.expect("opened");
    assert!(!state.locked);
    assert_eq!(api::settings::get(&bench.app).await.expect("settings").idle_unload_minutes, 99);
    assert_eq!(api::conversations::list(&bench.app).await.expect("list").len(), 1);
    // Opened is opened: another PIN changes nothing until the next start.
    assert!(!api::profile::unlock(&bench.app, "0000".to_owned()).await.expect("open already").locked);
}

#[tokio::test]
async fn wrong_pins_cost_time() {
    let bench = locked().await;
    for attempt in 1..=5 {
        let error = api::profile::unlock(&bench.app, "0000".to_owned()).await.expect_err("wrong");
        assert_eq!(error.code, ErrorCode::WrongPin);
        let waits = error.hint.expect("a hint").contains("Wait");
        assert_eq!(waits, attempt == 5, "attempt {attempt}");
    }
    let error = api::profile::unlock(&bench.app, "4711".to_owned()).await.expect_err("not yet");
    assert_eq!(error.code, ErrorCode::WrongPin);
    let state = api::setup::get(&bench.app).await.expect("state");
    assert!(state.locked && state.wait_seconds > 0 && state.wait_seconds <= 30, "{state:?}");
}

#[tokio::test]
async fn a_pin_changes_only_for_who_knows_it() {
    let bench = Bench::new(|_| say(&["4"])).await;
    for bad in ["12", "123456789", "abcd"] {
        let error = api::profile::set(&bench.app, input(Some(bad), None)).await.expect_err("no PIN");
        assert_eq!(error.code, ErrorCode::InvalidRequest, "{bad}");
    }
    assert!(api::profile::set(&bench.app, input(Some("4711"), None)).await.expect("a PIN").has_pin);
    assert!(!api::setup::get(&bench.app).await.expect("state").locked, "whoever set it is inside");
    for (pin, old) in [("1234", None), ("1234", Some("0000")), ("", None)] {
        let error = api::profile::set(&bench.app, input(Some(pin), old)).await.expect_err("the PIN until now");
        assert_eq!(error.code, ErrorCode::WrongPin, "{pin:?} {old:?}");
    }
    // The name changes without it.
    assert_eq!(api::profile::set(&bench.app, input(None, None)).await.expect("a name").name, "Ana");
    assert!(api::profile::set(&bench.app, input(Some("1234"), Some("4711"))).await.expect("another").has_pin);
    assert!(!api::profile::set(&bench.app, input(Some(""), Some("1234"))).await.expect("removed").has_pin);
    let bench = bench.restarted().await;
    assert!(!api::setup::get(&bench.app).await.expect("state").locked);
}

#[tokio::test]
async fn a_forgotten_pin_is_removed_from_outside() {
    let bench = locked().await;
    bench.app.close().await;
    let Bench { app, models, folder, .. } = bench;
    drop(app);
    let places = api::places::Places { data_dir: folder.path().to_owned(), demo_model: None, shared_models_dir: None };
    assert!(api::profile::reset_pin(&places).await.expect("reset"));
    assert!(!api::profile::reset_pin(&places).await.expect("nothing to do"));
    let app = crate::start(&folder, &models).await;
    assert!(!api::setup::get(&app).await.expect("state").locked);
    assert_eq!(api::conversations::list(&app).await.expect("list").len(), 1);
}
