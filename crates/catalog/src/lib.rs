//! The models on this computer: what each file is, what it needs, which one is used, and how a file gets in and out.

mod error;
pub mod fit;
mod import;

pub use error::Error;
pub use fit::{Candidate, Choice, MemoryNeed, Reason, choose};
pub use import::{Continue, Progress};
