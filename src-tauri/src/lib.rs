//! The window: commands, typed bindings, start-up. It knows nothing of models or storage.

pub mod commands;

mod again;
mod display;
mod picker;
mod start;
mod webkit;
mod window;

pub use start::run;

use tauri::Runtime;
use tauri_specta::{Builder, collect_commands};

/// Every command of the window, with its types.
pub fn commands_with_types<R: Runtime>() -> Builder<R> {
    use commands::{
        app_info, chat, conversations, creations, engines, images, models, settings, setup, tools, transfers,
    };
    Builder::new()
        // What crosses reads the same in both directions: an absent value is written as null.
        .disable_serde_phases()
        .commands(collect_commands![
            app_info::app_info,
            app_info::page_ready,
            setup::setup_get,
            setup::setup_finish,
            setup::profile_set,
            setup::profile_unlock,
            setup::hardware_get,
            settings::settings_get,
            settings::settings_set,
            models::model_watch,
            models::models_list,
            models::model_select,
            transfers::model_remove,
            transfers::storage_get,
            transfers::sources_list,
            transfers::source_pick,
            transfers::offers_list,
            transfers::transfers_watch,
            transfers::transfer_import,
            transfers::transfer_download,
            transfers::transfer_export,
            transfers::transfer_pause,
            transfers::transfer_resume,
            transfers::transfer_cancel,
            transfers::network_get,
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
            chat::chat_second_answer,
            chat::chat_second_preview,
            tools::features_get,
            tools::tool_preview,
            tools::tool_start,
            tools::tool_cancel,
            creations::creation_list,
            creations::creation_get,
            creations::creation_work,
            creations::creation_delete,
            creations::creation_restore,
            creations::creation_drawing,
            creations::creation_export,
            images::image_take,
            images::image_pick,
            engines::engines_get,
            engines::engines_set,
            engines::cloud_key_set,
            engines::cloud_key_remove,
            engines::cloud_agree,
            engines::cloud_test,
            engines::school_set,
            engines::school_test,
            engines::school_model,
        ])
}

#[cfg(test)]
mod tests;
