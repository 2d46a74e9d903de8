//! What a person would pick in the system's dialogs, given as arguments.

use api::dto::Language;
use api::transfers::{Pick, Picked, Picker};
use std::path::PathBuf;

/// Always the same folders and the same files.
#[derive(Debug, Default)]
pub struct Given {
    /// For both kinds of folder; none is a person who thought better of it.
    pub folder: Option<PathBuf>,
    /// The model file.
    pub file: Option<PathBuf>,
    /// The photo or picture.
    pub image: Option<PathBuf>,
    /// The folder that files are saved in, under the names that are suggested.
    pub save: Option<PathBuf>,
}

impl Picker for Given {
    fn pick(&self, what: Pick, _language: Language) -> Picked {
        let path = match what {
            Pick::FolderToCopyFrom | Pick::FolderToCopyTo => self.folder.clone(),
            Pick::FileToCopy => self.file.clone(),
            Pick::Picture => self.image.clone(),
            Pick::SaveFile { name } => self.save.as_ref().map(|folder| folder.join(name)),
        };
        Box::pin(std::future::ready(path))
    }
}
