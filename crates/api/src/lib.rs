//! The whole app without a window: one function per command.

pub mod app;
pub mod app_info;
pub mod chat;
pub mod conversations;
pub mod dto;
pub mod models;
pub mod settings;
mod sink;

pub use app::App;
pub use sink::Sink;
