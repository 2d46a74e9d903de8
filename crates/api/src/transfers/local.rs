//! The transfers of this computer.

use super::TransferPort;
use crate::dto::{ErrorCode, IpcError, ModelOffer, ModelSource, PickKind, Storage, Transfer};
use crate::places::Places;
use std::path::PathBuf;
use tokio::sync::watch;

/// Copies and downloads into the models folder of this computer.
pub struct LocalTransfers {
    transfers: watch::Sender<Vec<Transfer>>,
}

impl LocalTransfers {
    /// The transfers of the models folder at `places`.
    pub fn new(_places: &Places) -> Self {
        Self { transfers: watch::Sender::new(Vec::new()) }
    }
}

fn not_wired() -> IpcError {
    IpcError { code: ErrorCode::Internal, message: "not wired yet".to_owned(), hint: None, request_id: None }
}

impl TransferPort for LocalTransfers {
    fn sources(&self, _context_len: usize) -> Result<Vec<ModelSource>, IpcError> {
        Ok(Vec::new())
    }

    fn picked(&self, _kind: PickKind, _path: PathBuf, _context_len: usize) -> Result<ModelSource, IpcError> {
        Err(not_wired())
    }

    fn offers(&self, _context_len: usize) -> Result<Vec<ModelOffer>, IpcError> {
        Ok(Vec::new())
    }

    fn watch(&self) -> watch::Receiver<Vec<Transfer>> {
        self.transfers.subscribe()
    }

    fn import(&self, _source_id: &str, _model_id: &str) -> Result<Transfer, IpcError> {
        Err(not_wired())
    }

    fn download(&self, _offer_id: &str) -> Result<Transfer, IpcError> {
        Err(not_wired())
    }

    fn export(&self, _model_id: &str, _folder: PathBuf) -> Result<Transfer, IpcError> {
        Err(not_wired())
    }

    fn pause(&self, _id: &str) -> Result<(), IpcError> {
        Err(not_wired())
    }

    fn resume(&self, _id: &str) -> Result<(), IpcError> {
        Err(not_wired())
    }

    fn cancel(&self, _id: &str) -> Result<(), IpcError> {
        Err(not_wired())
    }

    fn remove(&self, _model_id: &str) -> Result<(), IpcError> {
        Err(not_wired())
    }

    fn storage(&self) -> Result<Storage, IpcError> {
        Err(not_wired())
    }

    fn hub(&self) -> String {
        "huggingface.co".to_owned()
    }

    fn network_is_open(&self) -> bool {
        false
    }

    fn limit(&self, _kilobytes_per_second: u32) {}
}
