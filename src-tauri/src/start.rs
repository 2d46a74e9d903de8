//! From `main` to the window and back to the system.

use crate::picker::Dialogs;
use crate::{again, commands_with_types, display, webkit, window};
use api::places::Places;
use api::{App, AppOptions, Elsewhere, InstalledModels, LocalTransfers, WorkerCommand};
use std::process::ExitCode;
use std::sync::Arc;
use tauri::RunEvent;
use tracing_subscriber::EnvFilter;

/// Which messages go to stderr, in the syntax of `tracing-subscriber`; warnings and Aula's own steps unless set.
const LOG_VARIABLE: &str = "AULA_LOG";

/// Starts Aula and returns when its window is closed.
pub fn run() -> ExitCode {
    webkit::prepare();
    start_log();
    if let Err(missing) = display::connect(locale().as_deref()) {
        eprintln!("{missing}");
        return ExitCode::FAILURE;
    }
    match open() {
        Ok(code) => code,
        Err(message) => {
            tracing::error!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn start_log() {
    let filter = EnvFilter::try_from_env(LOG_VARIABLE)
        .unwrap_or_else(|_| EnvFilter::new("warn,aula_desktop_lib=info,api=info,engine=info,store=info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}

fn open() -> Result<ExitCode, String> {
    let places = Places::of_this_user().map_err(|error| error.to_string())?;
    if again::knock(&places.data_dir) {
        tracing::info!("Aula is already open; its window was brought to the front");
        return Ok(ExitCode::SUCCESS);
    }
    let models = Arc::new(InstalledModels::new(&places, WorkerCommand::current_exe()));
    let dialogs = Arc::new(Dialogs::new());
    let transfers = LocalTransfers::new(&places);
    let options = AppOptions {
        data_dir: places.data_dir.clone(),
        models,
        locale: locale(),
        elsewhere: Elsewhere::of_this_user(transfers.client()),
        transfers: Arc::new(transfers),
        picker: dialogs.clone(),
    };
    // The store opens in milliseconds; the model is opened behind the window.
    let app = tauri::async_runtime::block_on(async {
        let app = App::start(options).await;
        api::setup::answer_from_config(&app).await;
        app
    });

    let shared = app.clone();
    let web_view_data = places.cache_dir().join("webview");
    #[cfg(unix)]
    let data_dir = places.data_dir.clone();
    let program = tauri::Builder::default()
        .plugin(tauri_plugin_dialog::init())
        .invoke_handler(commands_with_types().invoke_handler())
        .manage(app.clone())
        .setup(move |handle| {
            dialogs.attach(handle.handle().clone());
            window::open(handle, &shared, &web_view_data)?;
            tauri::async_runtime::spawn(webkit::watch_first_paint(shared));
            #[cfg(unix)]
            {
                tauri::async_runtime::spawn(end_when_asked(handle.handle().clone()));
                let handle = handle.handle().clone();
                tauri::async_runtime::spawn(again::listen(data_dir, move || window::bring_to_front(&handle)));
            }
            Ok(())
        })
        .build(tauri::generate_context!())
        .map_err(|error| format!("the window could not be opened: {error}"))?;
    let code = program.run_return(move |_, event| {
        if let RunEvent::Exit = event {
            again::leave(&places.data_dir);
            tauri::async_runtime::block_on(app.close());
        }
    });
    Ok(u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Ends in order when the system asks for it, as it does when a person logs out.
#[cfg(unix)]
async fn end_when_asked<R: tauri::Runtime>(handle: tauri::AppHandle<R>) {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut asked) => {
            if asked.recv().await.is_some() {
                handle.exit(0);
            }
        }
        Err(error) => tracing::warn!(%error, "a request to end will end Aula without ceremony"),
    }
}

/// The system's language as far as the environment tells it.
fn locale() -> Option<String> {
    ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()))
}
