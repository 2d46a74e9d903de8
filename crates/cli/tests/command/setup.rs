//! `aula setup` and `aula profile`, read back as the window does.

use std::fs;
use std::future::Future;
use std::sync::Arc;

use api::App;
use api::dto::{Language, ProfileInput, ProfileKind};
use api::places::Places;
use expect_test::expect;
use serde_json::json;

use crate::support::Machine;

/// Opens the data as the window does, and closes it again.
fn in_the_window<T, F: Future<Output = T>>(machine: &Machine, work: impl FnOnce(App) -> F) -> T {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let places = Places { data_dir: machine.data_dir(), demo_model: None, shared_models_dir: None };
        let worker = api::WorkerCommand::new(env!("CARGO_BIN_EXE_aula"));
        let app = App::start(api::AppOptions {
            models: Arc::new(api::InstalledModels::new(&places, worker)),
            transfers: Arc::new(api::LocalTransfers::new(&places)),
            picker: Arc::new(api::NoPicker),
            elsewhere: api::Elsewhere::alone(),
            data_dir: places.data_dir,
            locale: None,
        })
        .await;
        let done = work(app.clone()).await;
        app.close().await;
        done
    })
}

#[test]
fn the_window_begins_with_what_was_answered_beforehand() {
    let machine = Machine::new();
    let ran = machine.run(["setup", "--language", "pt", "--learner", "--name", "  Ana  Souza ", "--done"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    expect![[r#"
        The first run is answered; the window begins without it.
    "#]]
    .assert_eq(&ran.stdout);
    in_the_window(&machine, |app| async move {
        let setup = api::setup::get(&app).await.expect("readable");
        assert!(setup.done && !setup.locked, "{setup:?}");
        assert_eq!((setup.profile.name.as_str(), setup.profile.kind), ("Ana Souza", ProfileKind::Learner));
        assert_eq!(api::settings::get(&app).await.expect("readable").language, Language::Pt);
    });

    // What is not said again stays.
    let again = machine.json(["setup", "--language", "es", "--adult", "--json"]);
    assert_eq!(again, json!({"language": "es", "kind": "adult", "name": "Ana Souza", "done": true}));
}

#[test]
fn without_done_the_person_still_goes_through_the_first_run() {
    let machine = Machine::new();
    let saved = machine.json(["setup", "--language", "en", "--adult", "--json"]);
    assert_eq!(saved, json!({"language": "en", "kind": "adult", "name": "", "done": false}));
    let setup = in_the_window(&machine, |app| async move { api::setup::get(&app).await.expect("readable") });
    assert!(!setup.done);
    assert_eq!(setup.profile.kind, ProfileKind::Adult);
}

#[test]
fn what_cannot_be_saved_is_said() {
    let machine = Machine::new();
    let long = machine.run(["setup", "--language", "es", "--adult", "--name", &"a".repeat(41)]);
    expect![[r#"
        error: a name has at most 40 characters
        hint: See what the command takes with `--help`
    "#]]
    .assert_eq(&long.failure(&machine));

    fs::create_dir_all(machine.data_dir()).expect("a folder");
    let lock = fs::File::create(machine.data_dir().join("aula.lock")).expect("a file");
    lock.lock().expect("locked");
    let refused = machine.run(["setup", "--language", "es", "--learner", "--done"]);
    expect![[r#"
        error: Aula is already open with the data in `<root>/data`
        hint: Close the other Aula window first.
    "#]]
    .assert_eq(&refused.failure(&machine));
}

#[test]
fn how_it_is_called() {
    let machine = Machine::new();
    expect![[r#"
        Answer the first run beforehand, for installing many computers

        Usage: aula setup [OPTIONS] --language <LANGUAGE> <--learner|--adult>

        Options:
              --language <LANGUAGE>
                  Language of the window and the tutor

                  Possible values:
                  - es: Spanish
                  - en: English
                  - pt: Portuguese

              --learner
                  A student uses this computer

              --adult
                  A teacher or a family uses this computer

              --name <NAME>
                  What the tutor calls the person; without it, the name stays as it is

              --done
                  The first run is finished with this, and the window does not show it

              --json
                  Print JSON

          -h, --help
                  Print help (see a summary with '-h')

          -V, --version
                  Print version
    "#]]
    .assert_eq(&machine.run(["setup", "--help"]).stdout);
}

#[test]
fn a_forgotten_pin_is_removed_and_nothing_else() {
    let machine = Machine::new();
    assert_eq!(machine.run(["profile", "reset-pin"]).stdout, "The profile has no PIN.\n");
    assert!(!machine.data_dir().exists(), "looking creates nothing");

    in_the_window(&machine, |app| async move {
        let input = ProfileInput {
            name: "Ana".to_owned(),
            kind: ProfileKind::Adult,
            pin: Some("4711".to_owned()),
            old_pin: None,
        };
        assert!(api::profile::set(&app, input).await.expect("saved").has_pin);
    });
    let locked = in_the_window(&machine, |app| async move { api::setup::get(&app).await.expect("readable").locked });
    assert!(locked, "the PIN is asked for at the next start");

    assert_eq!(machine.json(["profile", "reset-pin", "--json"]), json!({"had_pin": true}));
    assert_eq!(machine.json(["profile", "reset-pin", "--json"]), json!({"had_pin": false}));
    let setup = in_the_window(&machine, |app| async move { api::setup::get(&app).await.expect("readable") });
    assert!(!setup.locked && !setup.profile.has_pin, "{setup:?}");
    assert_eq!((setup.profile.name.as_str(), setup.profile.kind), ("Ana", ProfileKind::Adult));
}
