//! The first run, the profile, and answers given beforehand.

use crate::{Bench, say};
use api::dto::{ErrorCode, Language, ProfileInput, ProfileKind};
use api::places::Places;
use api::setup::Answers;

fn named(name: &str) -> ProfileInput {
    ProfileInput { name: name.to_owned(), kind: ProfileKind::Adult, pin: None, old_pin: None }
}

#[tokio::test]
async fn the_first_run_is_finished_once() {
    let bench = Bench::new(|_| say(&["4"])).await;
    let first = api::setup::get(&bench.app).await.expect("state");
    assert!(!first.done && !first.locked);
    assert_eq!(
        (first.profile.name.as_str(), first.profile.kind, first.profile.has_pin),
        ("", ProfileKind::Learner, false)
    );
    let profile = api::profile::set(&bench.app, named("  Ana\n María ")).await.expect("profile");
    assert_eq!((profile.name.as_str(), profile.kind), ("Ana María", ProfileKind::Adult));
    assert_eq!(profile.id, first.profile.id);
    assert!(api::setup::finish(&bench.app).await.expect("finished").done);
    let bench = bench.restarted().await;
    let state = api::setup::get(&bench.app).await.expect("state");
    assert!(state.done);
    assert_eq!(state.profile, profile);
}

#[tokio::test]
async fn a_name_has_forty_characters_at_most() {
    let bench = Bench::new(|_| say(&["4"])).await;
    assert!(api::profile::set(&bench.app, named(&"ñ".repeat(40))).await.is_ok());
    let error = api::profile::set(&bench.app, named(&"ñ".repeat(41))).await.expect_err("too long");
    assert_eq!(error.code, ErrorCode::InvalidRequest);
}

#[tokio::test]
async fn answers_given_beforehand_end_the_first_run_and_nothing_more() {
    let bench = Bench::new(|_| say(&["4"])).await;
    let file = bench.folder.path().join("aula.toml");
    std::fs::write(&file, "[setup]\nlanguage = \"pt\"\nkind = \"adult\"\ndone = true\n").expect("file");
    api::setup::answer_from(&bench.app, std::slice::from_ref(&file)).await;
    let state = api::setup::get(&bench.app).await.expect("state");
    assert!(state.done);
    assert_eq!(state.profile.kind, ProfileKind::Adult);
    let mut settings = api::settings::get(&bench.app).await.expect("settings");
    assert_eq!(settings.language, Language::Pt);

    // What the person chooses later stays, at every start.
    settings.language = Language::En;
    api::settings::set(&bench.app, settings).await.expect("set");
    let bench = bench.restarted().await;
    api::setup::answer_from(&bench.app, &[file]).await;
    assert_eq!(api::settings::get(&bench.app).await.expect("settings").language, Language::En);
}

#[tokio::test]
async fn a_damaged_or_undecided_answer_file_leaves_the_first_run_to_the_person() {
    let bench = Bench::new(|_| say(&["4"])).await;
    let file = bench.folder.path().join("aula.toml");
    for text in ["[setup]\nlanguage = 5\ndone = true", "[setup]\nkind = \"adult\"\n", "hub = \"https://x.example\"\n"] {
        std::fs::write(&file, text).expect("file");
        api::setup::answer_from(&bench.app, std::slice::from_ref(&file)).await;
        let state = api::setup::get(&bench.app).await.expect("state");
        assert!(!state.done && state.profile.kind == ProfileKind::Learner, "{text}");
    }
}

#[tokio::test]
async fn the_command_line_answers_before_the_first_start() {
    let bench = Bench::new(|_| say(&["4"])).await;
    let folder = tempfile::tempdir().expect("folder");
    let places = Places { data_dir: folder.path().to_owned(), demo_model: None, shared_models_dir: None };
    let answers =
        Answers { language: Some(Language::En), name: Some("Sala 3".to_owned()), done: true, ..Answers::default() };
    api::setup::configure(&places, &answers).await.expect("configured");
    let app = crate::start(&folder, &bench.models).await;
    let state = api::setup::get(&app).await.expect("state");
    assert_eq!((state.done, state.profile.name.as_str()), (true, "Sala 3"));
    assert_eq!(api::settings::get(&app).await.expect("settings").language, Language::En);

    let error = api::setup::configure(&places, &answers).await.expect_err("the window has it open");
    assert_eq!(errors::Explain::code(&error), errors::ErrorCode::AlreadyOpen);
    let long = Answers { name: Some("x".repeat(41)), ..Answers::default() };
    app.close().await;
    drop(app);
    assert!(matches!(api::setup::configure(&places, &long).await, Err(api::setup::ConfigureError::Name)));
}

#[tokio::test]
async fn this_computer_has_cores_and_memory() {
    let bench = Bench::new(|_| say(&["4"])).await;
    let computer = api::computer::get(&bench.app).await.expect("computer");
    assert!(computer.cores >= 1 && computer.ram_bytes > 0.0 && computer.ram_free_bytes <= computer.ram_bytes);
}
