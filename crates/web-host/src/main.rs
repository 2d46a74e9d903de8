//! Development only: the app behind a local web server, so that the page can be tested in a browser.
//!
//! `POST /ipc/<command>` takes the arguments as JSON. A plain command answers with its result, or with an `IpcError`
//! and a status from 400 on. A command with a channel answers with one JSON value a line: its result, then the events.
//! Only the loopback interface is served.
//!
//! For the page's tests:
//!
//! * The first run counts as finished unless `--first-run` is given. What was finished stays finished in the same data
//!   folder (`AULA_DATA_DIR`), so a second start without the flag shows the chat, or the lock where a PIN was set.
//! * `--pick-folder PATH` and `--pick-file PATH` are what the person picks in the system's dialogs; without them the
//!   dialogs are closed without a choice. With real models (no `--scripted`) a folder with the demo model's file makes a
//!   stick that is really copied from: `source_pick`, `transfer_import`, then `transfers_watch` until `done`.
//! * `--scripted` replaces model and transfers. The memory stick `AULA` (source `stick`) has `e2b`, which fits, `e4b`,
//!   which does not, and a damaged file; the offers are `e2b` (recommended, published checksum) and `e4b`. Whatever is
//!   picked is a source `picked` with `e2b`. A transfer takes 20 steps of `--step-ms` and 5 more to be checked, and what
//!   arrives is installed as the scripted model of that id. `--transfers` chooses what happens on the way: `smooth`;
//!   `waits` (in the middle for 5 steps, for the network or the stick); `fails`, `disk-full` (in the middle, and goes
//!   through when it is resumed); `still` (stays at 6 of 20, to be paused and cancelled); `nothing` (no source, no offer).
//!   A download begins with one counted connection to `huggingface.co`.
//! * With `--scripted`, `--models slow-e4b,e2b --trial-ms 3000` shows a model being tried for three seconds, found too slow
//!   and replaced by the next; "doze" in a question makes the model rest after its answer, "memory" beside it because
//!   other programs needed the memory.

//! * `--servers` starts a scripted server on this computer that is Cloud Boost and a school's server at once (see
//!   `api::scripted_servers`); its address is the second line of the output. Keys and tokens are kept in memory as if in a
//!   keychain, with `--no-keychain` for the session only; any key is right but those with `wrong` in them. `--adult` makes the
//!   profile an adult's (otherwise a learner's, unless one was set). `--cloud` and `--school` set up all of Cloud Boost
//!   (key, agreement, switch) or of the school's server (address, model, switch) and have every group use it, `--school`
//!   where both are given; both imply `--servers`. `--unplugged` is a computer without a network. In a topic or
//!   question these words choose what the server does: "revoked", "region", "quota" (waits three seconds), "exhausted", "busy",
//!   "blocked", "cut", "silent", "broken", "portal", "vanish", "slow".
//! * `--scripted` also answers tools on this computer, with results made from their form: "cut", "crash", "endless", "broken",
//!   "queue" and "fail" in the topic choose the script.
//! * `--pick-image PATH` is the picture that is picked, `--save-in PATH` the folder that exported files are saved in under
//!   their suggested names.

mod commands;
mod picker;
mod scripts;
mod server;
mod servers;

use api::dto::ErrorCode;
use api::places::Places;
use api::scripted_transfers::{ScriptedTransfers, TransferScript};
use api::{App, AppOptions, InstalledModels, LocalTransfers, TransferPort, WorkerCommand};
use clap::{Parser, ValueEnum};
use picker::Given;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// Serves Aula's page and commands to a browser on this computer. For development.
#[derive(Debug, Parser)]
struct Arguments {
    /// Port on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// The built page.
    #[arg(long, default_value = "ui/dist")]
    page: PathBuf,
    /// A scripted engine instead of a model: "queue", "fail", "crash", "endless" and "doze" in a question choose the script.
    #[arg(long)]
    scripted: bool,
    /// Scripted models beside the demo, the largest first: ids with "slow" or "starved" in them fail their trial.
    #[arg(long, value_delimiter = ',')]
    models: Vec<String>,
    /// Milliseconds that the trial of a scripted model takes.
    #[arg(long, default_value_t = 0)]
    trial_ms: u64,
    /// What happens to scripted transfers.
    #[arg(long, value_enum, default_value_t = Transfers::Smooth)]
    transfers: Transfers,
    /// Milliseconds that each step of a scripted transfer takes.
    #[arg(long, default_value_t = 100)]
    step_ms: u64,
    /// Shows the first run instead of taking it as finished.
    #[arg(long)]
    first_run: bool,
    /// The folder that is picked in dialogs.
    #[arg(long)]
    pick_folder: Option<PathBuf>,
    /// The file that is picked in dialogs.
    #[arg(long)]
    pick_file: Option<PathBuf>,
    /// The picture that is picked in dialogs.
    #[arg(long)]
    pick_image: Option<PathBuf>,
    /// The folder that files are saved in.
    #[arg(long)]
    save_in: Option<PathBuf>,
    #[command(flatten)]
    servers: servers::Arguments,
}

/// The scripts of transfers by name.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Transfers {
    Smooth,
    Waits,
    Fails,
    DiskFull,
    Still,
    Nothing,
}

impl Transfers {
    fn script(self) -> TransferScript {
        match self {
            Self::Smooth => TransferScript::Smooth,
            Self::Waits => TransferScript::Waits,
            Self::Fails => TransferScript::Fails(ErrorCode::TransferCorrupt),
            Self::DiskFull => TransferScript::Fails(ErrorCode::DiskFull),
            Self::Still => TransferScript::Still,
            Self::Nothing => TransferScript::Nothing,
        }
    }
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
        let (models, transfers): (Arc<dyn api::host::Models>, Arc<dyn TransferPort>) = if arguments.scripted {
            let models = scripts::models(&arguments.models, Duration::from_millis(arguments.trial_ms));
            let step = Duration::from_millis(arguments.step_ms);
            let transfers = ScriptedTransfers::new(arguments.transfers.script(), step, models.clone());
            (Arc::new(models), Arc::new(transfers))
        } else {
            let models = InstalledModels::new(&places, WorkerCommand::current_exe());
            (Arc::new(models), Arc::new(LocalTransfers::new(&places)))
        };
        let locale = std::env::var("LANG").ok();
        let picker = Arc::new(Given {
            folder: arguments.pick_folder,
            file: arguments.pick_file,
            image: arguments.pick_image,
            save: arguments.save_in,
        });
        let servers = arguments.servers.start().await?;
        let elsewhere = arguments.servers.elsewhere(servers.as_ref());
        let app =
            App::start(AppOptions { data_dir: places.data_dir, models, locale, transfers, picker, elsewhere }).await;
        api::setup::answer_from_config(&app).await;
        arguments.servers.set_up(&app, servers.as_ref()).await?;
        if !arguments.first_run
            && let Err(error) = api::setup::finish(&app).await
            && error.code != ErrorCode::Locked
        {
            // The page says the same; a profile that is locked was set up before.
            eprintln!("the first run could not be taken as finished: {}", error.message);
        }
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, arguments.port));
        let listener = tokio::net::TcpListener::bind(address)
            .await
            .map_err(|error| format!("could not listen on {address}: {error}"))?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        println!("http://{address}");
        if let Some(servers) = &servers {
            println!("{}", servers.address());
        }
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
