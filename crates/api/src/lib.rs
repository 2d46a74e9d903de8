//! The whole app without a window: one function per command.

pub mod dto;
