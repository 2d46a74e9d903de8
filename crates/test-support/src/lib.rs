//! What tests of several crates share; never part of the product.
//!
//! * [`synth`] – Gemma 4 files with random weights, tiny and full-size, in the published quantization mixes
//! * [`faulty_server`] – an HTTP server that does wrong what a server can do wrong, and counts what it sent
//! * [`http`] – an HTTP server that sends what a test writes down, and knows when every connection is gone
//! * [`temp_folder`] – a folder that goes away with the test

pub mod faulty_server;
pub mod http;
pub mod synth;

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
