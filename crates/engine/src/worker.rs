//! The worker process: the model, one engine thread, and a reader that is never busy.
//!
//! The reader answers pings and notes cancellations while the engine thread computes. Standard output is kept for
//! frames: whatever a library prints goes to standard error. The process ends when its standard input does, so it
//! cannot outlive its parent; on Linux the kernel is asked to see to it as well. (On Windows a job object would do
//! the same; the end of the input covers it, unverified there.)

mod engine;
mod threads;

use std::{
    fs::File,
    io::{self, BufReader},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
};

use engine::{Engine, Job};
use gemma4::Sequence;

use crate::{
    codec::Codec,
    error::Error,
    memory,
    protocol::{self, Command, Hello, LoadRequest, ModelFacts, Report},
};

/// The hidden first argument that makes an executable of this project a worker.
pub const WORKER_ARG: &str = "__aula_model_worker";

/// Stack of the engine thread: candle's recursion through large expressions needs more than a default thread has.
const ENGINE_STACK_BYTES: usize = 16 << 20;

/// What the worker needs of a model: Gemma's weights in the product, a script in tests.
pub trait OpenModel: Send {
    /// An empty sequence of at most `context_len` positions, or fewer where the model was made for fewer. A change of the
    /// context length takes a new sequence and does not open the file again.
    ///
    /// # Errors
    /// If memory is short.
    fn sequence(&self, context_len: usize) -> Result<Box<dyn Sequence>, Error>;

    /// Most prompt tokens worth one forward pass; see [`gemma4::Model::chunk_limit`].
    fn chunk_limit(&self) -> usize;

    /// How many threads compute from now on; see [`gemma4::Model::set_threads`].
    fn set_threads(&self, threads: usize);

    /// Tells this model, computed with in this way, from others; `None` where that cannot be told. What was read of a
    /// conversation is kept for the same model only.
    fn fingerprint(&self) -> Option<[u8; 32]>;
}

/// A model that is open.
pub struct Loaded {
    /// Its weights.
    pub model: Box<dyn OpenModel>,
    /// Text in and out.
    pub codec: Box<dyn Codec>,
    /// What was found out; `context_len`, `load_s` and `rss_bytes` are filled in by the worker.
    pub facts: ModelFacts,
}

/// Opens models: Gemma's files in the product, a scripted one in tests.
pub trait Loader: Send + 'static {
    /// Opens what `request` names.
    ///
    /// # Errors
    /// If the file is damaged or does not fit.
    fn load(&self, request: &LoadRequest) -> Result<Loaded, Error>;
}

/// First line of every `main`: if the hidden argument stands first, this process becomes a worker, serves until its
/// input ends, and exits. Otherwise nothing happens.
pub fn run_worker_if_asked() {
    run_worker_if_asked_with(crate::backend::GemmaLoader::default());
}

/// As [`run_worker_if_asked`], with another way to open models.
pub fn run_worker_if_asked_with(loader: impl Loader) {
    if std::env::args_os().nth(1).is_some_and(|argument| argument == WORKER_ARG) {
        std::process::exit(match serve(loader) {
            Ok(()) => 0,
            Err(error) => {
                eprintln!("model process: {}", errors::chain(&error));
                1
            }
        });
    }
}

/// Serves until the input ends or somebody asks for the end.
fn serve(loader: impl Loader) -> Result<(), Error> {
    process::die_with_parent();
    let (input, output) = process::take_pipes().map_err(Error::Pipe)?;
    let mut input = BufReader::new(input);
    let shared = Arc::new(Shared {
        output: Mutex::new(output),
        progress: AtomicU64::new(0),
        cancelled: AtomicU64::new(0),
        trial_ended: AtomicU64::new(0),
    });

    shared.send(&Report::Hello(Hello::ours()))?;
    match protocol::read(&mut input)? {
        Some(Command::Hello(theirs)) => Hello::ours().check(&theirs)?,
        Some(_) => return Err(Error::Protocol { what: "a command before the greeting".into() }),
        None => return Ok(()),
    }

    let (jobs, inbox) = mpsc::channel();
    let engine = Engine::new(Arc::clone(&shared), loader);
    let thread = thread::Builder::new()
        .name("engine".into())
        .stack_size(ENGINE_STACK_BYTES)
        .spawn(move || {
            // A panic must end the process: the parent then restarts it, with a plain sentence to the user.
            let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| engine.run(&inbox)));
            match outcome {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    eprintln!("model process: {}", errors::chain(&error));
                    std::process::exit(1);
                }
                Err(_) => std::process::exit(101),
            }
        })
        .map_err(Error::Pipe)?;
    drop(thread);

    loop {
        match protocol::read(&mut input)? {
            // The engine thread may be in the middle of a long computation: the process ends without it.
            None | Some(Command::Shutdown) => return Ok(()),
            Some(Command::Ping { id }) => {
                let progress = shared.progress.load(Ordering::Relaxed);
                shared.send(&Report::Pong { id, progress, rss_bytes: memory::resident_bytes() })?;
            }
            Some(Command::Cancel { id }) => {
                shared.cancelled.fetch_max(id, Ordering::Relaxed);
            }
            Some(Command::EndTrial { id }) => {
                shared.trial_ended.fetch_max(id, Ordering::Relaxed);
            }
            Some(Command::Choices(choices)) => pass(&jobs, Job::Choices(choices))?,
            Some(Command::Forget { conversation }) => pass(&jobs, Job::Forget { conversation })?,
            Some(Command::Trial { id, limits }) => pass(&jobs, Job::Trial { id, limits })?,
            Some(Command::Load { id, load }) => pass(&jobs, Job::Load { id, load })?,
            Some(Command::Generate { id, request }) => pass(&jobs, Job::Generate { id, request })?,
            Some(Command::Hello(_)) => return Err(Error::Protocol { what: "a second greeting".into() }),
        }
    }
}

fn pass(jobs: &mpsc::Sender<Job>, job: Job) -> Result<(), Error> {
    jobs.send(job).map_err(|_| Error::Pipe(io::ErrorKind::BrokenPipe.into()))
}

/// What both threads use.
struct Shared {
    output: Mutex<File>,
    /// Layers and tokens computed.
    progress: AtomicU64,
    /// The highest answer id that was cancelled. Ids ascend and one answer runs at a time, so every answer up to
    /// this one is over or to be stopped.
    cancelled: AtomicU64,
    /// The same for trials, which are counted apart.
    trial_ended: AtomicU64,
}

impl Shared {
    fn send(&self, report: &Report) -> Result<(), Error> {
        let mut output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        protocol::write(&mut *output, report)
    }
}

#[cfg(unix)]
mod process {
    use std::{fs::File, io, os::fd::AsFd};

    /// Private handles to the two pipes. Standard output itself then leads to standard error, so that nothing
    /// printed by accident can stand between two frames.
    pub(super) fn take_pipes() -> io::Result<(File, File)> {
        let input = File::from(io::stdin().as_fd().try_clone_to_owned()?);
        let output = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        rustix::stdio::dup2_stdout(io::stderr())?;
        Ok((input, output))
    }

    /// The kernel kills this process when its parent dies. A parent that died before is noticed by the end of the
    /// input; one that died in between, by its changed id.
    pub(super) fn die_with_parent() {
        #[cfg(target_os = "linux")]
        {
            let parent = rustix::process::getppid();
            let asked = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
            if asked.is_ok() && rustix::process::getppid() != parent {
                std::process::exit(0);
            }
        }
    }
}

#[cfg(windows)]
mod process {
    use std::{fs::File, io, os::windows::io::AsHandle};

    /// Private handles to the two pipes. Standard output cannot be redirected without `unsafe` here; the frame
    /// marker tells accidental output apart.
    pub(super) fn take_pipes() -> io::Result<(File, File)> {
        let input = File::from(io::stdin().as_handle().try_clone_to_owned()?);
        let output = File::from(io::stdout().as_handle().try_clone_to_owned()?);
        Ok((input, output))
    }

    /// The end of the input covers it.
    pub(super) fn die_with_parent() {}
}
