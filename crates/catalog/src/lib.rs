//! The models on this computer: what each file is, what it needs, which one is used, and how a file gets in and out.
//!
//! A model is a GGUF file directly in the models folder; the demo model lies with the program. Nothing else is kept:
//! what the folder holds is what is installed. A file enters the folder whole, by renaming, and is never written again.

pub mod download;
mod error;
mod export;
pub mod fit;
pub mod hub;
mod import;
pub mod incoming;
mod inspection;
mod installed;
pub mod manifest;
pub mod sources;
pub mod transfers;
pub mod trials;

pub use error::Error;
pub use export::{ExportOptions, Exported, Verified};
pub use fit::{Backends, Candidate, Choice, Device, FileStamp, MemoryNeed, Reason, Rejected, Rejection, choose};
pub use import::{ImportOptions, Imported};
pub use incoming::{Begun, Control, Progress, Record, Step};
pub use inspection::{Inspection, TypeCount, inspect};
pub use installed::{Catalog, DEMO_ID, InstalledModel, Listing, UnusableFile};
pub use trials::{MIN_TOKENS_PER_SECOND, Outcome, Trial, Trials};
