//! Development only: the app behind a local web server, so that the page can be tested in a browser.
//!
//! `POST /ipc/<command>` takes the arguments as JSON. A plain command answers with its result, or with an `IpcError`
//! and a status from 400 on. A command with a channel answers with one JSON value a line: its result, then the events.
//! Only the loopback interface is served.

mod commands;
mod scripts;
mod server;

use api::places::Places;
use api::scripted::ScriptedModels;
use api::{App, AppOptions, InstalledModels, LocalTransfers, NoPicker, WorkerCommand};
use clap::Parser;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

/// Serves Aula's page and commands to a browser on this computer. For development.
#[derive(Debug, Parser)]
struct Arguments {
    /// Port on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// The built page.
    #[arg(long, default_value = "ui/dist")]
    page: PathBuf,
    /// A scripted engine instead of a model: "queue", "fail", "crash" and "endless" in a question choose the script.
    #[arg(long)]
    scripted: bool,
}

fn main() -> ExitCode {
    // Must stay the first line: the model and the look for graphics cards live in this same program, started again with a
    // hidden argument.
    api::run_hidden_task_if_asked();

    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    match serve(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn serve(arguments: Arguments) -> Result<(), String> {
    let places = Places::of_this_user().map_err(|error| error.to_string())?;
    let runtime = tokio::runtime::Runtime::new().map_err(|error| format!("could not start: {error}"))?;
    let done = runtime.block_on(async {
        let models: Arc<dyn api::host::Models> = if arguments.scripted {
            Arc::new(ScriptedModels::new(scripts::answer))
        } else {
            Arc::new(InstalledModels::new(&places, WorkerCommand::current_exe()))
        };
        let locale = std::env::var("LANG").ok();
        let transfers = Arc::new(LocalTransfers::new(&places));
        let picker = Arc::new(NoPicker);
        let app = App::start(AppOptions { data_dir: places.data_dir, models, locale, transfers, picker }).await;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, arguments.port));
        let listener = tokio::net::TcpListener::bind(address)
            .await
            .map_err(|error| format!("could not listen on {address}: {error}"))?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        println!("http://{address}");
        let router = server::router(app.clone(), &arguments.page)?;
        let served = tokio::select! {
            served = axum::serve(listener, router).into_future() => served.map_err(|error| error.to_string()),
            // Streams that a browser holds open do not keep the program from ending.
            () = asked_to_end() => Ok(()),
        };
        app.close().await;
        served
    });
    runtime.shutdown_background();
    done
}

/// Resolves when the person or the system asks the program to end.
async fn asked_to_end() {
    let interrupted = async {
        // Without a handler the program simply ends by the signal.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut terminated) => tokio::select! {
                () = interrupted => {}
                _ = terminated.recv() => {}
            },
            Err(_) => interrupted.await,
        }
    }
    #[cfg(not(unix))]
    interrupted.await;
}
