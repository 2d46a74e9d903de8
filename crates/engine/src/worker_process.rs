//! The parent's side of one worker: its process and the three threads that serve its pipes.
//!
//! The thread that starts the process also reads its reports and collects its exit status, and lives exactly as long
//! as the process: on Linux the kernel ties the worker to the thread that started it, so this must be a thread that
//! does not end early.

use std::{
    ffi::OsString,
    io::{self, BufRead, BufReader, Write},
    path::PathBuf,
    process::{Child, ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};

use tokio::sync::mpsc as async_mpsc;

use crate::{
    error::Error,
    memory,
    protocol::{self, Command, Report},
    worker::WORKER_ARG,
};

/// How long a worker whose pipe is closed may take to end before it is killed.
const EXIT_GRACE: Duration = Duration::from_millis(500);
/// How long the rest of its standard error may take to arrive after its end.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// What Rust's standard library prints before it aborts a process that got no memory.
const ALLOCATION_FAILED: &[u8] = b"memory allocation of ";

/// How to start a worker. The executable's `main` must begin with [`crate::run_worker_if_asked`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerCommand {
    /// The executable.
    pub program: PathBuf,
    /// Its arguments; the first is [`WORKER_ARG`].
    pub args: Vec<OsString>,
}

impl WorkerCommand {
    /// `program` as a worker.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self { program: program.into(), args: vec![WORKER_ARG.into()] }
    }

    /// This executable as a worker. Where the system cannot name it, the start fails later with a clear error.
    pub fn current_exe() -> Self {
        Self::new(std::env::current_exe().unwrap_or_default())
    }
}

/// What a worker's threads tell the supervisor.
#[derive(Debug)]
pub(crate) enum FromWorker {
    /// A report.
    Report(Report),
    /// It is gone, and its process collected.
    Gone(Gone),
}

/// How a worker ended.
#[derive(Debug)]
pub(crate) struct Gone {
    /// Exit status for people, or what was wrong on the pipe.
    pub(crate) how: String,
    /// What is known of the reason.
    pub(crate) death: Death,
}

/// Why a worker ended, as far as it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Death {
    /// Memory ran out: an allocation failed, or the system ended a process for it meanwhile.
    OutOfMemory,
    /// Somebody killed it; on a computer short of memory that is mostly the system.
    Killed,
    /// Anything else.
    Other,
}

/// A running worker. Dropping it closes its input, at which it ends; [`WorkerProcess::kill`] does not ask.
#[derive(Debug)]
pub(crate) struct WorkerProcess {
    pid: u32,
    child: Arc<Mutex<Child>>,
    commands: mpsc::Sender<Vec<u8>>,
}

impl WorkerProcess {
    /// Starts a worker. Everything it says goes to `events` with `number`, until `Gone`.
    pub(crate) fn start(
        command: &WorkerCommand,
        number: u64,
        events: async_mpsc::Sender<(u64, FromWorker)>,
    ) -> Result<Self, Error> {
        let failed = |source| Error::WorkerSpawn { program: command.program.clone(), source };
        let (started, result) = mpsc::sync_channel(1);
        let to_start = command.clone();
        thread::Builder::new()
            .name("worker-reports".into())
            .spawn(move || follow(&to_start, number, &events, &started))
            .map_err(failed)?;
        // Starting takes milliseconds; the supervisor waits for it.
        result
            .recv()
            .map_err(|_| failed(io::Error::other("its thread ended")))
            .and_then(|outcome| outcome.map_err(failed))
    }

    /// The process id.
    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// Queues a command. A worker that is gone reports so itself, so there is no error to return for it.
    pub(crate) fn send(&self, command: &Command) -> Result<(), Error> {
        let frame = protocol::encode(command)?;
        // The writer thread ends only with the worker.
        let _ = self.commands.send(frame);
        Ok(())
    }

    /// Ends the process now.
    pub(crate) fn kill(&self) {
        // An error means that it has ended already.
        let _ = self.child.lock().unwrap_or_else(PoisonError::into_inner).kill();
    }
}

/// Body of the thread that owns the process: start it, pass its reports on, collect it.
fn follow(
    command: &WorkerCommand,
    number: u64,
    events: &async_mpsc::Sender<(u64, FromWorker)>,
    started: &mpsc::SyncSender<io::Result<WorkerProcess>>,
) {
    let kills_before = memory::kills();
    let (process, stdout, last_words) = match spawn(command) {
        Ok(parts) => parts,
        Err(error) => {
            let _ = started.send(Err(error));
            return;
        }
    };
    let child = Arc::clone(&process.child);
    if started.send(Ok(process)).is_err() {
        let _ = child.lock().unwrap_or_else(PoisonError::into_inner).kill();
    }
    let mut reports = BufReader::new(stdout);
    let trouble = loop {
        match protocol::read::<Report>(&mut reports) {
            Ok(Some(report)) => {
                if events.blocking_send((number, FromWorker::Report(report))).is_err() {
                    break None;
                }
            }
            Ok(None) | Err(Error::Pipe(_)) => break None,
            Err(error) => break Some(error.to_string()),
        }
    };
    let status = collect(&child, trouble.is_some());
    let starved = last_words.recv_timeout(LAST_WORDS).unwrap_or(false);
    let death = match status {
        _ if starved => Death::OutOfMemory,
        Some(status) if was_killed(status) && memory::kills() > kills_before => Death::OutOfMemory,
        Some(status) if was_killed(status) => Death::Killed,
        _ => Death::Other,
    };
    let how = trouble.unwrap_or_else(|| status.map_or_else(|| "its end could not be observed".to_owned(), describe));
    // Nobody listens any more when the engine was shut down.
    let _ = events.blocking_send((number, FromWorker::Gone(Gone { how, death })));
}

/// The process, what it writes, and at its end whether its last words were that an allocation failed.
fn spawn(command: &WorkerCommand) -> io::Result<(WorkerProcess, impl io::Read + use<>, mpsc::Receiver<bool>)> {
    let mut builder = std::process::Command::new(&command.program);
    builder.args(&command.args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // [`DeviceChoice::CudaCard`](crate::DeviceChoice::CudaCard) counts like this; CUDA's own order is by speed.
    builder.env("CUDA_DEVICE_ORDER", "PCI_BUS_ID");
    #[cfg(unix)]
    {
        // Ctrl-C in a terminal belongs to the program in front, which decides what it means.
        std::os::unix::process::CommandExt::process_group(&mut builder, 0);
    }
    #[cfg(windows)]
    {
        const CREATE_NO_WINDOW: u32 = 0x0800_0000;
        std::os::windows::process::CommandExt::creation_flags(&mut builder, CREATE_NO_WINDOW);
    }
    let mut child = builder.spawn()?;
    let pid = child.id();
    let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (Some(mut stdin), Some(stdout), Some(stderr)) = pipes else {
        let _ = child.kill();
        let _ = child.wait();
        return Err(io::Error::other("its pipes are missing"));
    };
    let child = Arc::new(Mutex::new(child));
    let (commands, frames) = mpsc::channel::<Vec<u8>>();
    let writer = thread::Builder::new().name("worker-commands".into()).spawn(move || {
        // Ends when the worker's handle is dropped, which closes the worker's input, or when the pipe breaks.
        while let Ok(frame) = frames.recv() {
            if stdin.write_all(&frame).and_then(|()| stdin.flush()).is_err() {
                break;
            }
        }
    });
    let (starved, last_words) = mpsc::sync_channel(1);
    let logger = thread::Builder::new().name("worker-log".into()).spawn(move || {
        // Nobody waits for it where the process could not be started.
        let _ = starved.send(log(stderr, pid));
    });
    if let Err(error) = writer.and(logger) {
        collect(&child, true);
        return Err(error);
    }
    Ok((WorkerProcess { pid, child, commands }, stdout, last_words))
}

/// Passes the worker's standard error on to the log, line by line; says at its end whether an allocation failed.
fn log(stderr: impl io::Read, pid: u32) -> bool {
    let mut starved = false;
    let mut lines = BufReader::new(stderr);
    let mut line = Vec::new();
    loop {
        line.clear();
        // A line without an end cannot fill the memory.
        match io::Read::take(&mut lines, 8192).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return starved,
            Ok(_) => {
                starved |= line.starts_with(ALLOCATION_FAILED);
                tracing::warn!(target: "engine::worker", pid, "{}", String::from_utf8_lossy(&line).trim_end());
            }
        }
    }
}

/// Waits for the process to end, which it does by itself when its pipes are closed; kills it if it takes too long.
/// The lock is never held while waiting, so that [`WorkerProcess::kill`] always gets through.
/// `None` where its end could not be observed.
fn collect(child: &Mutex<Child>, now: bool) -> Option<ExitStatus> {
    let begun = Instant::now();
    let mut killed = false;
    loop {
        {
            let mut child = child.lock().unwrap_or_else(PoisonError::into_inner);
            match child.try_wait() {
                Ok(Some(status)) => return Some(status),
                Ok(None) => {}
                Err(error) => {
                    tracing::error!(%error, "the end of the model process could not be observed");
                    return None;
                }
            }
            if !killed && (now || begun.elapsed() > EXIT_GRACE) {
                killed = true;
                let _ = child.kill();
            }
        }
        thread::sleep(Duration::from_millis(5));
    }
}

fn was_killed(status: ExitStatus) -> bool {
    #[cfg(unix)]
    return std::os::unix::process::ExitStatusExt::signal(&status) == Some(9);
    #[cfg(not(unix))]
    {
        // Windows ends nobody for memory: an allocation fails there.
        let _ = status;
        false
    }
}

fn describe(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return match signal {
            9 => "ended by the system, perhaps for lack of memory".to_owned(),
            other => format!("signal {other}"),
        };
    }
    status.code().map_or_else(|| status.to_string(), |code| format!("exit code {code}"))
}
