//! Transfers that play a script instead of moving bytes: for tests of the page, and for rare states.

use crate::dto::{
    ErrorCode, IpcError, ModelOffer, ModelSource, PickKind, SourceDetails, SourceKind, SourceModel, Storage, Transfer,
    TransferKind, TransferState,
};
use crate::scripted::ScriptedModels;
use crate::transfers::{ConnectObserver, TransferPort};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// What happens to every transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransferScript {
    /// It goes through.
    Smooth,
    /// It waits in the middle for the network or the stick, and goes on by itself.
    Waits,
    /// It fails in the middle; tried again, it goes through.
    Fails(ErrorCode),
    /// It stays where it is, a third done.
    Still,
    /// There is nothing to copy or to download.
    Nothing,
}

/// Scripted transfers; a cheap clone of shared handles.
#[derive(Clone)]
pub struct ScriptedTransfers {
    inner: Arc<Inner>,
}

struct Inner {
    script: TransferScript,
    step: Duration,
    models: ScriptedModels,
    transfers: watch::Sender<Vec<Transfer>>,
    picked: Mutex<Vec<ModelSource>>,
    limit: Mutex<u32>,
    observer: Mutex<Option<ConnectObserver>>,
    next: Mutex<u32>,
}

const E2B_BYTES: f64 = 3_350_000_000.0;
const E4B_BYTES: f64 = 5_150_000_000.0;
/// Steps from the beginning to the last byte.
const STEPS: u32 = 20;
/// Steps that checking takes, and waiting for what went away.
const PAUSE_STEPS: u32 = 5;

impl ScriptedTransfers {
    /// Transfers of twenty steps of `step` each. What arrives is installed in `models` under the id `e2b` or `e4b`.
    pub fn new(script: TransferScript, step: Duration, models: ScriptedModels) -> Self {
        Self {
            inner: Arc::new(Inner {
                script,
                step,
                models,
                transfers: watch::Sender::new(Vec::new()),
                picked: Mutex::default(),
                limit: Mutex::default(),
                observer: Mutex::default(),
                next: Mutex::new(1),
            }),
        }
    }

    /// The cap on downloads that was set last, in kilobytes a second.
    pub fn limited_to(&self) -> u32 {
        *lock(&self.inner.limit)
    }

    /// Reports a connection to `host`, as the gate to the network does.
    pub fn connect(&self, host: &str) {
        if let Some(observer) = &*lock(&self.inner.observer) {
            observer(host);
        }
    }

    fn begin(&self, kind: TransferKind, model: &str, bytes: f64, model_id: String) -> Transfer {
        let id = {
            let mut next = lock(&self.inner.next);
            *next += 1;
            format!("transfer-{}", *next - 1)
        };
        let transfer = Transfer {
            id,
            kind,
            model: model.to_owned(),
            state: TransferState::Running,
            done_bytes: 0.0,
            total_bytes: bytes,
            parts_done: 0,
            parts: STEPS,
            bytes_per_second: None,
            seconds_left: None,
            model_id: None,
        };
        self.inner.transfers.send_modify(|all| all.push(transfer.clone()));
        if kind == TransferKind::Download {
            self.connect("huggingface.co");
        }
        tokio::spawn(play(self.clone(), transfer.id.clone(), model_id));
        transfer
    }

    fn change(&self, id: &str, change: impl FnOnce(&mut Transfer)) -> Result<(), IpcError> {
        let mut change = Some(change);
        let found = self.inner.transfers.send_if_modified(|all| {
            let Some(transfer) = all.iter_mut().find(|one| one.id == id) else { return false };
            if let Some(change) = change.take() {
                change(transfer);
            }
            true
        });
        if found { Ok(()) } else { Err(failure(ErrorCode::NotFound)) }
    }

    fn get(&self, id: &str) -> Option<Transfer> {
        self.inner.transfers.borrow().iter().find(|one| one.id == id).cloned()
    }

    fn is_installed(&self, id: &str) -> bool {
        use crate::host::Models;
        self.inner.models.list(0).is_ok_and(|all| all.iter().any(|one| one.candidate.id == id))
    }

    fn source_models(&self) -> Vec<SourceModel> {
        let model = |id: &str, name: &str, bytes: f64, fits: bool, problem: Option<ErrorCode>| SourceModel {
            id: id.to_owned(),
            name: name.to_owned(),
            quantization: "Q4_0".to_owned(),
            file_bytes: bytes,
            seconds: problem.is_none().then_some(bytes / 100e6),
            has_checksums: fits,
            fits,
            installed: self.is_installed(id),
            details: problem.is_none().then_some(SourceDetails {
                layers: if fits { 35 } else { 42 },
                tensors: if fits { 541 } else { 666 },
                max_context_len: 131_072,
                effective_parameters: if fits { 2.3e9 } else { 4.5e9 },
                needed_bytes: bytes * 0.6,
                usable_bytes: 2.5e9,
            }),
            problem: problem.map(failure),
        };
        vec![
            model("e2b", "Gemma 4 E2B", E2B_BYTES, true, None),
            model("e4b", "Gemma 4 E4B", E4B_BYTES, false, None),
            model("damaged", "gemma-4-broken.gguf", 1e9, false, Some(ErrorCode::ModelFileDamaged)),
        ]
    }
}

/// Moves one transfer from step to step until it is done or taken off the list.
async fn play(transfers: ScriptedTransfers, id: String, model_id: String) {
    let script = transfers.inner.script;
    let middle = STEPS / 2;
    let (mut done, mut waited, mut checked, mut failed) = (0, 0, 0, false);
    loop {
        tokio::time::sleep(transfers.inner.step).await;
        let Some(now) = transfers.get(&id) else { return };
        let state = match now.state {
            TransferState::Paused | TransferState::Failed { .. } => continue,
            TransferState::Done => return,
            TransferState::Running | TransferState::Waiting { .. } if script == TransferScript::Still => {
                done = done.max(STEPS / 3);
                TransferState::Running
            }
            TransferState::Running | TransferState::Waiting { .. } => match script {
                TransferScript::Waits if done == middle && waited < PAUSE_STEPS => {
                    waited += 1;
                    let code =
                        if now.kind == TransferKind::Download { ErrorCode::Offline } else { ErrorCode::SourceGone };
                    TransferState::Waiting { error: failure(code) }
                }
                TransferScript::Fails(code) if done == middle && !failed => {
                    failed = true;
                    TransferState::Failed { error: failure(code) }
                }
                _ if done == STEPS => TransferState::Verifying,
                _ => {
                    done += 1;
                    TransferState::Running
                }
            },
            TransferState::Verifying if checked < PAUSE_STEPS => {
                checked += 1;
                TransferState::Verifying
            }
            TransferState::Verifying => TransferState::Done,
        };
        let is_done = state == TransferState::Done;
        if is_done && now.kind != TransferKind::Export && !transfers.is_installed(&model_id) {
            transfers.inner.models.install_also(&model_id);
        }
        let moves = state == TransferState::Running;
        let rate = now.total_bytes / f64::from(STEPS) / transfers.inner.step.as_secs_f64().max(0.001);
        // Taken off the list meanwhile: the next round sees that.
        let _ = transfers.change(&id, |transfer| {
            transfer.state = state;
            transfer.parts_done = done;
            transfer.done_bytes = transfer.total_bytes * f64::from(done) / f64::from(STEPS);
            transfer.bytes_per_second = (moves && done > 1).then_some(rate);
            transfer.seconds_left = (moves && done > 1).then(|| (transfer.total_bytes - transfer.done_bytes) / rate);
            transfer.model_id = is_done.then(|| model_id.clone());
        });
    }
}

impl TransferPort for ScriptedTransfers {
    fn sources(&self, _context_len: usize) -> Result<Vec<ModelSource>, IpcError> {
        if self.inner.script == TransferScript::Nothing {
            return Ok(Vec::new());
        }
        let stick = ModelSource {
            id: "stick".to_owned(),
            label: "AULA".to_owned(),
            kind: SourceKind::Removable,
            models: self.source_models(),
        };
        Ok(std::iter::once(stick).chain(lock(&self.inner.picked).clone()).collect())
    }

    fn picked(&self, kind: PickKind, path: PathBuf, _context_len: usize) -> Result<ModelSource, IpcError> {
        let source = ModelSource {
            id: "picked".to_owned(),
            label: path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
            kind: if kind == PickKind::Folder { SourceKind::Folder } else { SourceKind::File },
            models: self.source_models().into_iter().take(1).collect(),
        };
        let mut picked = lock(&self.inner.picked);
        picked.clear();
        picked.push(source.clone());
        Ok(source)
    }

    fn offers(&self, _context_len: usize) -> Result<Vec<ModelOffer>, IpcError> {
        if self.inner.script == TransferScript::Nothing {
            return Ok(Vec::new());
        }
        let offer = |id: &str, variant: &str, bytes: f64, fits: bool| ModelOffer {
            id: id.to_owned(),
            name: format!("Gemma 4 {variant}"),
            variant: variant.to_owned(),
            quantization: "Q4_0".to_owned(),
            file_bytes: bytes,
            publisher: "google".to_owned(),
            license: "Apache-2.0".to_owned(),
            hash_published: fits,
            needed_bytes: bytes * 0.6,
            fits,
            recommended: fits,
            installed: self.is_installed(id),
            has_room: true,
        };
        Ok(vec![offer("e2b", "E2B", E2B_BYTES, true), offer("e4b", "E4B", E4B_BYTES, false)])
    }

    fn watch(&self) -> watch::Receiver<Vec<Transfer>> {
        self.inner.transfers.subscribe()
    }

    fn import(&self, source_id: &str, model_id: &str) -> Result<Transfer, IpcError> {
        let sources = self.sources(0)?;
        let source = sources.iter().find(|source| source.id == source_id);
        let model = source.and_then(|source| source.models.iter().find(|model| model.id == model_id));
        let model = model.ok_or_else(|| failure(ErrorCode::NotFound))?;
        match &model.problem {
            Some(problem) => Err(problem.clone()),
            None => Ok(self.begin(TransferKind::Import, &model.name, model.file_bytes, model.id.clone())),
        }
    }

    fn download(&self, offer_id: &str) -> Result<Transfer, IpcError> {
        let offers = self.offers(0)?;
        let offer = offers.iter().find(|offer| offer.id == offer_id).ok_or_else(|| failure(ErrorCode::NotFound))?;
        Ok(self.begin(TransferKind::Download, &offer.name, offer.file_bytes, offer.id.clone()))
    }

    fn export(&self, model_id: &str, _folder: PathBuf) -> Result<Transfer, IpcError> {
        Ok(self.begin(TransferKind::Export, &format!("Scripted {model_id}"), 2e9, model_id.to_owned()))
    }

    fn pause(&self, id: &str) -> Result<(), IpcError> {
        self.change(id, |transfer| {
            if !matches!(transfer.state, TransferState::Done | TransferState::Verifying) {
                transfer.state = TransferState::Paused;
            }
        })
    }

    fn resume(&self, id: &str) -> Result<(), IpcError> {
        self.change(id, |transfer| {
            if matches!(transfer.state, TransferState::Paused | TransferState::Failed { .. }) {
                transfer.state = TransferState::Running;
            }
        })
    }

    fn cancel(&self, id: &str) -> Result<(), IpcError> {
        self.change(id, |_| {})?;
        self.inner.transfers.send_modify(|all| all.retain(|one| one.id != id));
        Ok(())
    }

    fn remove(&self, model_id: &str) -> Result<(), IpcError> {
        if model_id == "demo" {
            return Err(failure(ErrorCode::InvalidRequest));
        }
        if !self.is_installed(model_id) {
            return Err(failure(ErrorCode::NotFound));
        }
        self.inner.models.uninstall(model_id);
        Ok(())
    }

    fn storage(&self) -> Result<Storage, IpcError> {
        use crate::host::Models;
        let models = self.inner.models.list(0).unwrap_or_default();
        let transfers = self.watch().borrow().clone();
        let unfinished =
            transfers.iter().filter(|one| one.kind != TransferKind::Export && one.state != TransferState::Done);
        Ok(Storage {
            free_bytes: 48e9,
            models_bytes: models.iter().map(|model| model.file_bytes as f64).sum(),
            unfinished_bytes: unfinished.map(|one| one.done_bytes).sum(),
        })
    }

    fn hub(&self) -> String {
        "huggingface.co".to_owned()
    }

    fn network_is_open(&self) -> bool {
        let running = |one: &Transfer| one.kind == TransferKind::Download && one.state == TransferState::Running;
        self.inner.transfers.borrow().iter().any(running)
    }

    fn limit(&self, kilobytes_per_second: u32) {
        *lock(&self.inner.limit) = kilobytes_per_second;
    }

    fn on_connect(&self, observer: ConnectObserver) {
        *lock(&self.inner.observer) = Some(observer);
    }
}

fn failure(code: ErrorCode) -> IpcError {
    IpcError { code, message: format!("scripted: {code:?}"), hint: Some("Scripted hint.".to_owned()), request_id: None }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
