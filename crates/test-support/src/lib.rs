//! (in progress)

pub mod synth;
