//! The window: commands, typed bindings, start-up. It knows nothing of models or storage.

pub mod commands;

mod start;
mod webkit;
mod window;

pub use start::run;

use tauri::Runtime;
use tauri_specta::{Builder, collect_commands};

/// Every command of the window, with its types.
pub fn commands_with_types<R: Runtime>() -> Builder<R> {
    use commands::{app_info, chat, conversations, models, settings};
    Builder::new()
        // What crosses reads the same in both directions: an absent value is written as null.
        .disable_serde_phases()
        .commands(collect_commands![
            app_info::app_info,
            app_info::page_ready,
            settings::settings_get,
            settings::settings_set,
            models::model_watch,
            models::models_list,
            models::model_select,
            conversations::conversation_list,
            conversations::conversation_get,
            conversations::conversation_rename,
            conversations::conversation_delete,
            conversations::conversation_restore,
            chat::chat_ask,
            chat::chat_regenerate,
            chat::chat_edit,
            chat::chat_show_version,
            chat::chat_cancel,
        ])
}

#[cfg(test)]
mod tests;
