//! The terminal and the window share the choice of model.

use std::fs;

use api::doctor::{Circumstances, Outcome};
use api::places::Places;

use crate::support::{Machine, golden, golden_arg};

/// Chooses a model as the window's Settings do.
fn choose(machine: &Machine, id: &str) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let places = Places { data_dir: machine.data_dir(), demo_model: machine.demo.clone(), shared_models_dir: None };
        let worker = api::WorkerCommand::new(env!("CARGO_BIN_EXE_aula"));
        let models = std::sync::Arc::new(api::InstalledModels::new(&places, worker));
        let options = api::AppOptions {
            transfers: std::sync::Arc::new(api::LocalTransfers::new(&places)),
            picker: std::sync::Arc::new(api::NoPicker),
            elsewhere: api::Elsewhere::alone(),
            data_dir: places.data_dir,
            models,
            locale: None,
        };
        let app = api::App::start(options).await;
        let mut settings = api::settings::get(&app).await.expect("settings");
        settings.model_id = Some(id.to_owned());
        api::settings::set(&app, settings).await.expect("saved");
        app.close().await;
    });
}

#[test]
fn the_model_chosen_in_settings_answers() {
    let machine = Machine::with_demo(&golden("tiny-e2b-Q4_0.gguf"));
    let imported = machine.json(["models", "import", "--json", &golden_arg("tiny-e4b-Q4_K_M.gguf")]);
    assert_eq!(machine.json(["doctor", "--json"])["choice"]["id"], imported["id"], "the largest");

    choose(&machine, "demo");
    let ran = machine.run(["doctor", "--json"]);
    assert_eq!(ran.stderr, "");
    let report = ran.json();
    assert_eq!((&report["choice"]["id"], &report["choice"]["reason"]), (&"demo".into(), &"chosen".into()), "{report}");
    let answer = machine.json(["ask", "hola", "--json", "--max-tokens", "1"]);
    assert_eq!(answer["engine"]["model"], "tiny-e2b");
    let list = machine.json(["models", "list", "--json"]);
    assert_eq!([&list["models"][0]["active"], &list["models"][1]["active"]], [false, true]);
}

#[test]
fn what_the_window_tried_in_vain_does_not_answer_in_the_terminal() {
    let machine = Machine::with_demo(&golden("tiny-e2b-Q4_0.gguf"));
    let id = machine.json(["models", "import", "--json", &golden_arg("tiny-e4b-Q4_K_M.gguf")])["id"].clone();
    let answers = || {
        let list = machine.json(["models", "list", "--json"]);
        let active = list["models"].as_array().expect("a list").iter().find(|model| model["active"] == true);
        let chosen = machine.json(["doctor", "--json"])["choice"]["id"].clone();
        assert_eq!(active.map(|model| &model["id"]), Some(&chosen), "{list}");
        let answer = machine.json(["ask", "hola", "--json", "--max-tokens", "1"]);
        (chosen, answer["engine"]["model"].clone())
    };
    assert_eq!(answers(), (id.clone(), "tiny-e4b".into()));

    let places = Places { data_dir: machine.data_dir(), demo_model: machine.demo.clone(), shared_models_dir: None };
    let here = Circumstances::here(&places, api::lab::DEFAULT_CONTEXT_LEN, None);
    let model = api::installed_models::catalog(&places).find(id.as_str().expect("text")).expect("installed");
    let tried = model.candidate(&here.profile, here.context_len);
    let mut trials = here.trials;
    trials.record(&tried, Outcome::Failed { message: "it stopped".to_owned() }).expect("written");
    assert_eq!(answers(), ("demo".into(), "tiny-e2b".into()));
}

#[test]
fn while_the_window_is_open_its_choice_is_said_to_be_unknown() {
    let machine = Machine::with_demo(&golden("tiny-e2b-Q4_0.gguf"));
    fs::create_dir(machine.data_dir()).expect("a folder");
    fs::write(machine.data_dir().join("aula.db"), "").expect("a file");
    let lock = fs::File::create(machine.data_dir().join("aula.lock")).expect("a file");
    lock.lock().expect("locked");
    let ran = machine.run(["doctor", "--json"]);
    assert_eq!(ran.json()["choice"]["id"], "demo");
    assert!(ran.stderr.starts_with("note: the choice of model in Settings could not be read ("), "{ran:?}");
}

#[test]
fn looking_does_not_make_a_database() {
    let machine = Machine::with_demo(&golden("tiny-e2b-Q4_0.gguf"));
    machine.json(["doctor", "--json"]);
    assert!(!machine.data_dir().exists());
}
