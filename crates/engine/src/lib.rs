//! One model, one queue, one process to lose.
//!
//! A program holds an [`Engine`]; answers are asked for through [`generation::Generator`]. The model lives in a worker
//! process, which is the same executable started with a hidden argument: every `main` begins with
//! [`run_worker_if_asked`].
//!
//! * `engine` – the handle, its options, the model's status
//! * `validation`, `queue` – what is refused, and who waits (pure)
//! * `supervisor`, `worker_process`, `watchdog`, `restart`, `outbox` – the parent's side: start, watch, restart; never wait
//! * `protocol` – framed messages between the two processes
//! * `worker` – the worker's side: a reader that is never busy, and the one engine thread
//! * `answer`, `session`, `answer_memory`, `pace` – one answer, what of the KV cache the next can reuse, and how long a
//!   chunk of a prompt may be so that it can be stopped
//! * `sampler`, `logits_processor` – from logits to a token
//! * `codec`, `backend` – text in and out; Gemma's own
//! * `lab` – logits, benchmark and tokens in this process, for the command line

mod answer;
mod answer_memory;
mod backend;
pub mod codec;
mod device;
mod engine;
mod error;
pub mod lab;
pub mod logits_processor;
pub mod memory;
mod outbox;
mod pace;
mod protocol;
pub mod queue;
mod restart;
pub mod sampler;
pub mod session;
mod supervisor;
pub mod validation;
mod watchdog;
mod worker;
mod worker_process;

pub use backend::GemmaLoader;
pub use device::DeviceChoice;
pub use engine::{DEFAULT_QUEUE_LEN, Engine, EngineOptions, ModelStatus, WorkerHealth};
pub use error::Error;
pub use protocol::{LoadRequest, ModelFacts};
pub use watchdog::Watchdog;
pub use worker::{Loaded, Loader, NewSequence, WORKER_ARG, run_worker_if_asked, run_worker_if_asked_with};
pub use worker_process::WorkerCommand;
