//! Gemma 4 E2B and E4B: a GGUF file in, logits out.
//!
//! * `gguf` – the file, memory-mapped, its header checked before anything is trusted
//! * `config`, `weights` – what the file says the model is, and its tensors
//! * `model` – the seam: [`Model`] and [`Sequence`], which every implementation of the forward pass stands behind
//! * `plain` – the readable implementation in stock candle ops; the definition that faster ones are compared with
//! * `fast` – the implementation on the operations of `kernels`, which computes on the processor
//! * `packed` – weights in the order in which the processor's kernels read them, kept in a file
//! * `kv_cache`, `history` – keys and values of the positions seen on the plain path; which checkpoints are still valid
//! * `load`, `footprint` – from a path and a device to a model, and how much memory it will take
//! * `identity` – which model it is, in words for people
//! * `tokenizer`, `detokenizer`, `chat_template` – text in and out
//!
//! Nothing here knows about queues, sampling, processes or users.

pub mod chat_template;
mod checksum;
pub mod config;
pub mod detokenizer;
pub mod error;
pub mod fast;
pub mod footprint;
pub mod gguf;
mod history;
pub mod identity;
mod kv_cache;
pub mod load;
pub mod model;
pub mod packed;
pub mod plain;
mod positioned;
pub mod tokenizer;
pub mod weights;

pub use chat_template::Turn;
pub use config::Config;
pub use detokenizer::Detokenizer;
pub use error::Error;
pub use footprint::Footprint;
pub use load::{DeviceKind, LoadOptions};
pub use model::{Checkpoint, Logits, MAX_DRAFT, Model, Rows, Runtime, Sequence};
pub use tokenizer::Tokenizer;
