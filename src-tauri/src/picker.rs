//! The system's own dialogs for folders and files. They are opened from here: the page has no permission to.

use api::dto::Language;
use api::transfers::{Pick, Picked, Picker};
use std::sync::OnceLock;
use tauri::{AppHandle, Runtime};
use tauri_plugin_dialog::DialogExt;
use tokio::sync::oneshot;

/// Dialogs of the program whose handle it gets once there is a window.
pub struct Dialogs<R: Runtime> {
    handle: OnceLock<AppHandle<R>>,
}

impl<R: Runtime> Dialogs<R> {
    /// Nothing can be picked before [`Dialogs::attach`].
    pub fn new() -> Self {
        Self { handle: OnceLock::new() }
    }

    /// From now on dialogs belong to the program of `handle`.
    pub fn attach(&self, handle: AppHandle<R>) {
        if self.handle.set(handle).is_err() {
            tracing::warn!("the dialogs belong to a program already");
        }
    }
}

impl<R: Runtime> Picker for Dialogs<R> {
    fn pick(&self, what: Pick, language: Language) -> Picked {
        let Some(handle) = self.handle.get() else { return Box::pin(std::future::ready(None)) };
        let dialog = handle.dialog().file().set_title(what.title(language));
        let (answer, answered) = oneshot::channel();
        // Nobody waits any more when the page was closed meanwhile.
        let answer = move |picked: Option<tauri_plugin_dialog::FilePath>| drop(answer.send(picked));
        match what {
            // Without a filter: models come under all kinds of endings, and what they are is seen by looking inside.
            Pick::FileToCopy => dialog.pick_file(answer),
            Pick::FolderToCopyFrom | Pick::FolderToCopyTo => dialog.pick_folder(answer),
            Pick::Picture => dialog.add_filter("PNG, JPEG, WebP", &["png", "jpg", "jpeg", "webp"]).pick_file(answer),
            Pick::SaveFile { name } => dialog.set_file_name(name).save_file(answer),
        }
        Box::pin(async move { answered.await.ok().flatten()?.into_path().ok() })
    }
}
