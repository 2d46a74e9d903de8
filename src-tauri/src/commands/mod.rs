//! One line per command: each forwards to the function of the same feature in `api`.

pub mod app_info;
pub mod chat;
pub mod conversations;
pub mod creations;
pub mod engines;
pub mod images;
pub mod models;
pub mod settings;
pub mod setup;
pub mod tools;
pub mod transfers;

use tauri::ipc::{Channel, IpcResponse};

/// A window's channel as `api` sees it; it is gone when the page is.
fn sink<T: IpcResponse + Send + Sync + 'static>(channel: Channel<T>) -> impl api::Sink<T> {
    move |event| channel.send(event).is_ok()
}
