//! What is chosen on which computer, from the tensor tables of full-size files.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cards;
mod machines;
mod models;
mod trials;
