//! The whole app without a window: one function per command, generic over where its events go.
//!
//! The window (`src-tauri`) and the browser host (`web-host`) each hold one [`App`] and forward to the functions of
//! [`chat`], [`conversations`], [`models`], [`transfers`], [`settings`], [`setup`] and their neighbours.

pub mod app_info;
pub mod chat;
pub mod computer;
pub mod conversations;
pub mod creations;
pub mod doctor;
pub mod dto;
pub mod elsewhere;
pub mod engines;
pub mod host;
pub mod images;
pub mod installed_models;
pub mod lab;
pub mod models;
pub mod network_state;
pub mod places;
pub mod profile;
#[cfg(feature = "scripted")]
pub mod scripted;
#[cfg(feature = "scripted")]
pub mod scripted_servers;
#[cfg(feature = "scripted")]
pub mod scripted_transfers;
pub mod settings;
pub mod setup;
pub mod terminal;
pub mod tools;
pub mod transfers;

mod answer;
mod app;
mod convert;
mod failure;
mod installed;
mod opening;
mod sink;

pub use app::{App, AppOptions};
pub use elsewhere::Elsewhere;
pub use engine::WorkerCommand;
pub use installed::InstalledModels;
pub use sink::Sink;
pub use transfers::{LocalTransfers, NoPicker, Picker, TransferPort};
/// Does what the hidden first argument asks for, if there is one, and ends the process: serve a model, or ask a source
/// of facts about graphics cards. Must run first in the `main` of every program that passes itself on as one of these.
pub fn run_hidden_task_if_asked() {
    hardware::run_probe_if_asked();
    engine::run_worker_if_asked();
}

/// The names of all commands. The window and the browser host register exactly these; tests prove it.
pub const COMMANDS: [&str; 59] = [
    "app_info",
    "page_ready",
    "setup_get",
    "setup_finish",
    "profile_set",
    "profile_unlock",
    "hardware_get",
    "settings_get",
    "settings_set",
    "model_watch",
    "models_list",
    "model_select",
    "model_remove",
    "storage_get",
    "sources_list",
    "source_pick",
    "offers_list",
    "transfers_watch",
    "transfer_import",
    "transfer_download",
    "transfer_export",
    "transfer_pause",
    "transfer_resume",
    "transfer_cancel",
    "network_get",
    "conversation_list",
    "conversation_get",
    "conversation_rename",
    "conversation_delete",
    "conversation_restore",
    "chat_ask",
    "chat_regenerate",
    "chat_edit",
    "chat_show_version",
    "chat_cancel",
    "chat_second_answer",
    "chat_second_preview",
    "features_get",
    "tool_preview",
    "tool_start",
    "tool_cancel",
    "creation_list",
    "creation_get",
    "creation_work",
    "creation_delete",
    "creation_restore",
    "creation_drawing",
    "creation_export",
    "image_take",
    "image_pick",
    "engines_get",
    "engines_set",
    "cloud_key_set",
    "cloud_key_remove",
    "cloud_agree",
    "cloud_test",
    "school_set",
    "school_test",
    "school_model",
];
