//! One model, one queue, one process to lose.
//!
//! A program holds an [`Engine`]; answers are asked for through [`generation::Generator`]. The model lives in a worker
//! process, which is the same executable started with a hidden argument: every `main` begins with
//! [`run_worker_if_asked`].
//!
//! * `engine`, `options`, `status` – the handle, what it is started with, what can be seen of it
//! * `validation`, `queue` – what is refused, and who waits (pure)
//! * `supervisor`, `worker_process`, `watchdog`, `restart`, `outbox` – the parent's side: start, watch, restart; never wait
//! * `pressure` – when a model that nobody is using gives its memory back to other programs
//! * `protocol` – framed messages between the two processes
//! * `worker` – the worker's side: a reader that is never busy, and the one engine thread
//! * `answer`, `session`, `answer_memory`, `pace` – one answer, what of the KV cache the next can reuse, and how long a
//!   chunk of a prompt may be so that it can be stopped
//! * `speculation` – several tokens from one forward pass: guesses, and how many are worth trying
//! * `kept` – conversations that are kept ready on disk, where a person allowed it
//! * `trial` – how fast the model writes on this computer
//! * `sampler`, `logits_processor` – from logits to a token
//! * `guided` – answers that have a form: which tokens may come next, and which must
//! * `codec`, `backend` – text in and out; Gemma's own
//! * `lab` – logits, benchmark and tokens in this process, for the command line

mod answer;
mod answer_memory;
mod backend;
pub mod codec;
mod device;
mod engine;
mod error;
pub mod guided;
mod kept;
pub mod lab;
pub mod logits_processor;
pub mod memory;
mod options;
mod outbox;
mod pace;
pub mod pressure;
mod protocol;
pub mod queue;
mod restart;
pub mod sampler;
pub mod session;
pub mod speculation;
mod status;
mod supervisor;
mod trial;
pub mod validation;
mod watchdog;
mod worker;
mod worker_process;

/// The toy model of the tests, for those that look inside.
#[cfg(test)]
#[path = "../tests/support/scripted.rs"]
mod scripted;

pub use backend::GemmaLoader;
pub use device::DeviceChoice;
pub use engine::Engine;
pub use error::Error;
pub use kept::remove_kept;
pub use options::{DEFAULT_IDLE_AFTER, DEFAULT_QUEUE_LEN, EngineOptions, PACKED_FOLDER};
pub use pressure::{MemoryProbe, MemoryState, MemoryWatch};
pub use protocol::{LoadRequest, ModelFacts};
pub use status::{ModelStatus, WorkerHealth};
pub use trial::{TrialLimits, TrialReport};
pub use watchdog::Watchdog;
pub use worker::{Loaded, Loader, OpenModel, WORKER_ARG, run_worker_if_asked, run_worker_if_asked_with};
pub use worker_process::WorkerCommand;
