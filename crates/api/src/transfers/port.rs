//! What the app needs of transfers. The real ones are [`super::LocalTransfers`]; tests bring scripted ones.

use crate::dto::{IpcError, Language, ModelOffer, ModelSource, PickKind, Storage, Transfer};
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use tokio::sync::watch;

/// Models on their way in and out. Every function may block on a disk, none on the network.
pub trait TransferPort: Send + Sync + 'static {
    /// What models can be copied from now; each is judged at `context_len` tokens.
    ///
    /// # Errors
    /// When the models folder cannot be read.
    fn sources(&self, context_len: usize) -> Result<Vec<ModelSource>, IpcError>;

    /// What a person picked; it stays among the sources until the program ends.
    ///
    /// # Errors
    /// When it cannot be read.
    fn picked(&self, kind: PickKind, path: PathBuf, context_len: usize) -> Result<ModelSource, IpcError>;

    /// What can be downloaded; each is judged at `context_len` tokens.
    ///
    /// # Errors
    /// When the models folder cannot be read.
    fn offers(&self, context_len: usize) -> Result<Vec<ModelOffer>, IpcError>;

    /// All transfers, now and later, in order of their beginning.
    fn watch(&self) -> watch::Receiver<Vec<Transfer>>;

    /// Begins to copy a model in.
    ///
    /// # Errors
    /// When there is no such source or model, or it cannot be begun.
    fn import(&self, source_id: &str, model_id: &str) -> Result<Transfer, IpcError>;

    /// Begins to download a model.
    ///
    /// # Errors
    /// When there is no such offer, or it cannot be begun.
    fn download(&self, offer_id: &str) -> Result<Transfer, IpcError>;

    /// Begins to copy an installed model to `folder`.
    ///
    /// # Errors
    /// When there is no such model, or it cannot be begun.
    fn export(&self, model_id: &str, folder: PathBuf) -> Result<Transfer, IpcError>;

    /// Stops a transfer for now.
    ///
    /// # Errors
    /// When there is none with this id.
    fn pause(&self, id: &str) -> Result<(), IpcError>;

    /// Goes on with a transfer.
    ///
    /// # Errors
    /// When there is none with this id.
    fn resume(&self, id: &str) -> Result<(), IpcError>;

    /// Ends a transfer and removes what it left.
    ///
    /// # Errors
    /// When there is none with this id.
    fn cancel(&self, id: &str) -> Result<(), IpcError>;

    /// Deletes an installed model that nobody has open.
    ///
    /// # Errors
    /// When there is none with this id, or it cannot be deleted.
    fn remove(&self, model_id: &str) -> Result<(), IpcError>;

    /// Room on the disk.
    ///
    /// # Errors
    /// When the models folder cannot be read.
    fn storage(&self) -> Result<Storage, IpcError>;

    /// The host of the hub that models are downloaded from.
    fn hub(&self) -> String;

    /// Whether the network is open to anything now.
    fn network_is_open(&self) -> bool;

    /// The most kilobytes a second that downloads may take from now on; 0 for no limit.
    fn limit(&self, kilobytes_per_second: u32);

    /// Calls `observer` at every connection that is opened from now on.
    fn on_connect(&self, observer: ConnectObserver);

    /// The program ends: what runs stops where it can go on later.
    fn close(&self) {}
}

/// Hears the name of each other computer that a connection is opened to.
pub type ConnectObserver = Box<dyn Fn(&str) + Send + Sync>;

/// What a person is asked to pick.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pick {
    /// A folder with models.
    FolderToCopyFrom,
    /// A model file.
    FileToCopy,
    /// A folder that a model is copied to.
    FolderToCopyTo,
    /// A photo or picture to be read.
    Picture,
    /// Where a file is to be saved.
    SaveFile {
        /// What it is called unless the person says otherwise.
        name: String,
    },
}

impl Pick {
    /// The dialog's title.
    pub fn title(&self, language: Language) -> &'static str {
        match (self, language) {
            (Self::FolderToCopyFrom, Language::Es) => "Elige la memoria USB o la carpeta con el modelo",
            (Self::FolderToCopyFrom, Language::En) => "Choose the USB stick or folder with the model",
            (Self::FolderToCopyFrom, Language::Pt) => "Escolha o pen drive ou a pasta com o modelo",
            (Self::FileToCopy, Language::Es) => "Elige el archivo del modelo (.gguf)",
            (Self::FileToCopy, Language::En) => "Choose the model file (.gguf)",
            (Self::FileToCopy, Language::Pt) => "Escolha o arquivo do modelo (.gguf)",
            (Self::FolderToCopyTo, Language::Es) => "Elige dónde guardar la copia",
            (Self::FolderToCopyTo, Language::En) => "Choose where to put the copy",
            (Self::FolderToCopyTo, Language::Pt) => "Escolha onde guardar a cópia",
            (Self::Picture, Language::Es) => "Elige una foto o imagen",
            (Self::Picture, Language::En) => "Choose a photo or picture",
            (Self::Picture, Language::Pt) => "Escolha uma foto ou imagem",
            (Self::SaveFile { .. }, Language::Es) => "Elige dónde guardar el archivo",
            (Self::SaveFile { .. }, Language::En) => "Choose where to save the file",
            (Self::SaveFile { .. }, Language::Pt) => "Escolha onde salvar o arquivo",
        }
    }
}

/// What a person picked, once they have.
pub type Picked = Pin<Box<dyn Future<Output = Option<PathBuf>> + Send>>;

/// Asks a person for a folder or file outside the page, which never sees a path.
pub trait Picker: Send + Sync + 'static {
    /// Opens the dialog; `None` where the person thought better of it.
    fn pick(&self, what: Pick, language: Language) -> Picked;
}

/// Nobody to ask: nothing is ever picked.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoPicker;

impl Picker for NoPicker {
    fn pick(&self, _what: Pick, _language: Language) -> Picked {
        Box::pin(std::future::ready(None))
    }
}
