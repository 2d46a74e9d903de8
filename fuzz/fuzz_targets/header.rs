//! Feeds arbitrary bytes to the GGUF header parser: `cargo +nightly fuzz run header`.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../exercise.rs"]
mod exercise;

fuzz_target!(|bytes: &[u8]| exercise::exercise(bytes));
