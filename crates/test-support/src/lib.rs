//! What tests of several crates share; never part of the product.
//!
//! * [`synth`] – Gemma 4 files with random weights, tiny and full-size, in the published quantization mixes
//! * [`ScriptedGenerator`] – answers from a script instead of a model
//! * [`temp_folder`] – a folder that goes away with the test

mod scripted;
pub mod synth;

pub use scripted::{ScriptedGenerator, Step};
pub use tempfile::TempDir;

/// An empty folder, deleted with everything in it when the value is dropped.
///
/// # Panics
/// If the system has no room for one.
pub fn temp_folder() -> TempDir {
    match tempfile::tempdir() {
        Ok(folder) => folder,
        Err(error) => panic!("no temporary folder: {error}"),
    }
}
