//! Models on their way in and out, and the network.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::IpcError;

/// What models can be copied from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum SourceKind {
    /// A memory stick or another disk that can be pulled out.
    Removable,
    /// A folder that a person picked, a share of the school network included.
    Folder,
    /// A single file that a person picked.
    File,
    /// A model that another program on this computer downloaded.
    SharedCache,
}

/// What a person picks in the system's own dialog; the page never sees a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum PickKind {
    /// A folder.
    Folder,
    /// A model file.
    File,
}

/// What a model file says about itself.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct SourceDetails {
    /// Layers.
    pub layers: u32,
    /// Tensors.
    pub tensors: u32,
    /// Positions that it was made for, in tokens.
    pub max_context_len: u32,
    /// Parameters without the per-layer table.
    pub effective_parameters: f64,
    /// Bytes that it needs on this computer.
    pub needed_bytes: f64,
    /// Bytes that it may use on this computer.
    pub usable_bytes: f64,
}

/// One model that can be copied in.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct SourceModel {
    /// Opaque id within its source.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Quantization, e.g. `Q4_0`.
    pub quantization: String,
    /// Size in bytes.
    pub file_bytes: f64,
    /// Seconds that copying will take, as far as this disk is known.
    pub seconds: Option<f64>,
    /// Whether a manifest with checksums comes with it.
    pub has_checksums: bool,
    /// Whether this computer has the memory for it.
    pub fits: bool,
    /// Whether it is installed already.
    pub installed: bool,
    /// What the file says about itself; none while parts of it are missing.
    pub details: Option<SourceDetails>,
    /// Why it cannot be copied, if so.
    pub problem: Option<IpcError>,
}

/// A place with models.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ModelSource {
    /// Opaque id, good until the program ends.
    pub id: String,
    /// Name for people: the name of the stick or folder, not a path.
    pub label: String,
    /// What it is.
    pub kind: SourceKind,
    /// Models found there, best for this computer first.
    pub models: Vec<SourceModel>,
}

/// A model that can be downloaded.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ModelOffer {
    /// Opaque id.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// `E2B` or `E4B`.
    pub variant: String,
    /// Quantization.
    pub quantization: String,
    /// Size in bytes.
    pub file_bytes: f64,
    /// Who publishes it, e.g. `google`.
    pub publisher: String,
    /// Licence, as an SPDX expression.
    pub license: String,
    /// Whether its checksum was published; otherwise it is compared with what the hub reports.
    pub hash_published: bool,
    /// Bytes that it needs on this computer.
    pub needed_bytes: f64,
    /// Whether this computer has the memory for it.
    pub fits: bool,
    /// Whether it is the one that suits this computer best.
    pub recommended: bool,
    /// Whether it is installed already.
    pub installed: bool,
    /// Whether there is room on the disk.
    pub has_room: bool,
}

/// Which way a model goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum TransferKind {
    /// From a disk or folder into Aula.
    Import,
    /// From the internet into Aula.
    Download,
    /// From Aula to a disk or folder.
    Export,
}

/// How far a transfer is.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(tag = "state", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum TransferState {
    /// It moves.
    Running,
    /// It waits for a cable, a stick or a server, and goes on by itself when that is back.
    Waiting {
        /// What it waits for.
        error: IpcError,
    },
    /// All is there and is compared with its checksums.
    Verifying,
    /// A person stopped it for now.
    Paused,
    /// The model is there.
    Done,
    /// It cannot go on by itself; what was copied is kept where that helps.
    Failed {
        /// Why, and what to do.
        error: IpcError,
    },
}

/// One model on its way.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Transfer {
    /// Opaque id; the same after a restart.
    pub id: String,
    /// Which way.
    pub kind: TransferKind,
    /// Name of the model.
    pub model: String,
    /// How far.
    pub state: TransferState,
    /// Bytes that are there and checked.
    pub done_bytes: f64,
    /// Bytes in all.
    pub total_bytes: f64,
    /// Parts that are there and checked.
    pub parts_done: u32,
    /// Parts in all.
    pub parts: u32,
    /// Bytes a second over the last seconds; none at the start.
    pub bytes_per_second: Option<f64>,
    /// Seconds left; none where nobody can tell.
    pub seconds_left: Option<f64>,
    /// The installed model, once it is there.
    pub model_id: Option<String>,
}

/// One line of the record of connections.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionLine {
    /// Milliseconds since 1970.
    pub at: f64,
    /// The other computer, e.g. `huggingface.co`.
    pub host: String,
}

/// The network, as Settings show it.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct NetworkState {
    /// Connections that Aula has opened since it was installed.
    pub connections: u32,
    /// Whether it is open now.
    pub open: bool,
    /// The hub that models are downloaded from.
    pub hub: String,
    /// The latest connections, newest first.
    pub recent: Vec<ConnectionLine>,
}

/// Room on the disk.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Storage {
    /// Free bytes on the disk of the models.
    pub free_bytes: f64,
    /// Bytes of all installed models.
    pub models_bytes: f64,
    /// Bytes of unfinished transfers.
    pub unfinished_bytes: f64,
}
