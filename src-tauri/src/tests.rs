//! The committed bindings are the commands' own, and commands work over Tauri's own channel.

use super::commands_with_types;
use api::places::Places;
use api::scripted::{ScriptedModels, Step};
use api::{App, AppOptions, LocalTransfers, NoPicker};
use serde_json::{Value, json};
use specta_typescript::Typescript;
use std::path::Path;
use std::sync::Arc;
use tauri::ipc::{CallbackFn, InvokeBody};
use tauri::test::{INVOKE_KEY, MockRuntime, get_ipc_response, mock_builder, mock_context, noop_assets};
use tauri::webview::InvokeRequest;
use tauri::{WebviewWindow, WebviewWindowBuilder};

/// `AULA_UPDATE_BINDINGS=1 cargo test -p aula-desktop bindings` writes the file anew.
#[test]
fn bindings_are_current() {
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui/src/lib/backend/bindings.ts");
    let folder = tempfile::tempdir().expect("temporary folder");
    let fresh = folder.path().join("bindings.ts");
    commands_with_types::<MockRuntime>()
        // No float that crosses is NaN or infinite (`api` guards it), so the page need not expect null.
        .semantic_types(specta_typescript::semantic::Configuration::empty().enable_lossless_floats())
        .export(Typescript::default(), &fresh)
        .expect("export");
    let fresh = std::fs::read_to_string(&fresh).expect("exported text");
    if std::env::var_os("AULA_UPDATE_BINDINGS").is_some() {
        std::fs::write(&committed, &fresh).expect("write bindings");
    }
    let committed = std::fs::read_to_string(&committed).unwrap_or_default();
    assert!(
        committed == fresh,
        "ui/src/lib/backend/bindings.ts is out of date: run `AULA_UPDATE_BINDINGS=1 cargo test -p aula-desktop bindings`"
    );
}

/// A window of the mock runtime on a temporary store.
struct Bench {
    window: WebviewWindow<MockRuntime>,
    _program: tauri::App<MockRuntime>,
    _folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let models = ScriptedModels::new(|_| vec![Step::Started, Step::Say("4".to_owned())]);
        let places = Places { data_dir: folder.path().to_owned(), demo_model: None, shared_models_dir: None };
        let app = tauri::async_runtime::block_on(App::start(AppOptions {
            data_dir: folder.path().to_owned(),
            models: Arc::new(models),
            locale: None,
            transfers: Arc::new(LocalTransfers::new(&places)),
            picker: Arc::new(NoPicker),
            elsewhere: api::Elsewhere::alone(),
        }));
        let program = mock_builder()
            .invoke_handler(commands_with_types().invoke_handler())
            .manage(app)
            .build(mock_context(noop_assets()))
            .expect("program");
        let window = WebviewWindowBuilder::new(&program, "main", Default::default()).build().expect("window");
        Self { window, _program: program, _folder: folder }
    }

    /// Calls a command as the page does.
    fn call(&self, command: &str, args: Value) -> Result<Value, Value> {
        let url = if cfg!(windows) { "http://tauri.localhost" } else { "tauri://localhost" };
        let request = InvokeRequest {
            cmd: command.to_owned(),
            callback: CallbackFn(0),
            error: CallbackFn(1),
            url: url.parse().expect("URL"),
            body: InvokeBody::Json(args),
            headers: Default::default(),
            invoke_key: INVOKE_KEY.to_owned(),
        };
        get_ipc_response(&self.window, request).map(|body| body.deserialize().expect("JSON"))
    }
}

#[test]
fn a_command_answers_and_fails_in_json() {
    let bench = Bench::new();
    let info = bench.call("app_info", json!({})).expect("info");
    assert_eq!(info, json!({ "version": env!("CARGO_PKG_VERSION"), "connections": 0, "storeWasDamaged": false }));

    let settings = bench.call("settings_get", json!({})).expect("settings");
    assert_eq!(settings["language"], "es");
    assert_eq!(bench.call("settings_set", json!({ "settings": settings.clone() })), Ok(settings));

    let error = bench.call("conversation_get", json!({ "id": "nothing" })).expect_err("unknown");
    assert_eq!(
        error,
        json!({ "code": "not_found", "message": "there is no conversation `nothing`", "hint": null, "requestId": null })
    );
}

#[test]
fn a_question_is_asked_over_a_channel() {
    let bench = Bench::new();
    let args = json!({ "request": { "conversationId": null, "text": "2+2?" }, "onEvent": "__CHANNEL__:7" });
    let ticket = bench.call("chat_ask", args).expect("admitted");
    assert_eq!(ticket["conversation"]["messages"][0]["text"], "2+2?");
    let id = &ticket["conversation"]["summary"]["id"];
    for _ in 0..3000 {
        let conversation = bench.call("conversation_get", json!({ "id": id })).expect("conversation");
        if conversation["messages"][1]["state"] == "complete" {
            assert_eq!(conversation["messages"][1]["text"], "4");
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("never answered");
}

/// Tauri's words for a command that is not registered.
fn is_unknown(error: &Value) -> bool {
    error.as_str().is_some_and(|text| text.contains("not found"))
}

#[test]
fn exactly_the_apps_commands_are_registered() {
    let bench = Bench::new();
    assert!(is_unknown(&bench.call("chat_shout", json!({})).expect_err("unknown")));
    for command in api::COMMANDS {
        // Most fail for want of arguments, which only a registered command can.
        if let Err(error) = bench.call(command, json!({})) {
            assert!(!is_unknown(&error), "`{command}` is not registered: {error}");
        }
    }
    let bindings = include_str!("../../ui/src/lib/backend/bindings.ts");
    assert_eq!(bindings.matches("__TAURI_INVOKE(\"").count(), api::COMMANDS.len());
}
