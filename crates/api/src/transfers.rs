//! Models on their way in and out: where they can come from, what is under way, what lies on the disk.

mod convert;
mod local;
mod port;

pub use local::LocalTransfers;
pub use port::{ConnectObserver, NoPicker, Pick, Picked, Picker, TransferPort};

use crate::dto::{
    IpcError, ModelOffer, ModelSource, ModelSummary, PickKind, Storage, Transfer, TransferKind, TransferState,
};
use crate::failure::{Refusal, Reply};
use crate::{App, Sink, models, settings};

/// Everything on this computer that models can be copied from, what was picked before included.
///
/// # Errors
/// When the profile is locked.
pub async fn sources(app: &App) -> Result<Vec<ModelSource>, IpcError> {
    let context_len = context_len(app).await?;
    with_port(app, move |port| port.sources(context_len)).await
}

/// Lets the person pick a folder or a file in the system's own dialog; `None` where they thought better of it.
///
/// # Errors
/// When the profile is locked or what was picked cannot be read.
pub async fn pick_source(app: &App, kind: PickKind) -> Result<Option<ModelSource>, IpcError> {
    let settings = settings::get_all(app).await?;
    let what = match kind {
        PickKind::Folder => Pick::FolderToCopyFrom,
        PickKind::File => Pick::FileToCopy,
    };
    let Some(path) = app.picker().pick(what, settings.language).await else { return Ok(None) };
    let context_len = settings.context_len as usize;
    with_port(app, move |port| port.picked(kind, path, context_len)).await.map(Some)
}

/// The models that can be downloaded, best for this computer first. Opens no connection.
///
/// # Errors
/// When the profile is locked or the models folder cannot be read.
pub async fn offers(app: &App) -> Result<Vec<ModelOffer>, IpcError> {
    let context_len = context_len(app).await?;
    with_port(app, move |port| port.offers(context_len)).await
}

/// Sends all transfers to `sink` now and at every change, until the sink is gone or the page is loaded anew.
///
/// # Errors
/// When the profile is locked.
pub async fn watch(app: &App, sink: impl Sink<Vec<Transfer>>) -> Result<(), IpcError> {
    app.admit()?;
    let mut transfers = app.transfers().watch();
    let mut page = app.page_loads();
    let first = transfers.borrow_and_update().clone();
    if sink.send(first) {
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    changed = transfers.changed() => {
                        if changed.is_err() { break }
                        let now = transfers.borrow_and_update().clone();
                        if !sink.send(now) { break }
                    }
                    _ = page.changed() => break,
                }
            }
        });
    }
    Ok(())
}

/// Begins to copy the model `model_id` of the source `source_id` in.
///
/// # Errors
/// When the profile is locked, there is no such source or model (any more), or the disk has no room for it.
pub async fn import(app: &App, source_id: String, model_id: String) -> Result<Transfer, IpcError> {
    app.admit()?;
    with_port(app, move |port| port.import(&source_id, &model_id)).await
}

/// Begins to download the model of the offer `offer_id`: the network is open to this transfer while it runs.
///
/// # Errors
/// When the profile is locked, there is no such offer, or the disk has no room for it.
pub async fn download(app: &App, offer_id: String) -> Result<Transfer, IpcError> {
    app.admit()?;
    with_port(app, move |port| port.download(&offer_id)).await
}

/// Lets the person pick a folder and begins to copy the installed model `model_id` there, with its manifest; `None` where
/// they thought better of it.
///
/// # Errors
/// When the profile is locked, no such model is installed, or the folder cannot be written or has no room.
pub async fn export(app: &App, model_id: String) -> Result<Option<Transfer>, IpcError> {
    let settings = settings::get_all(app).await?;
    if !app.installed(settings.context_len).await?.iter().any(|model| model.candidate.id == model_id) {
        return Err(Refusal::NoSuchModel { id: model_id }.into());
    }
    let Some(folder) = app.picker().pick(Pick::FolderToCopyTo, settings.language).await else { return Ok(None) };
    with_port(app, move |port| port.export(&model_id, folder)).await.map(Some)
}

/// Stops a transfer for now and keeps what is there; the network is closed to it.
///
/// # Errors
/// When the profile is locked or there is no such transfer.
pub async fn pause(app: &App, id: String) -> Result<(), IpcError> {
    app.admit()?;
    with_port(app, move |port| port.pause(&id)).await
}

/// Goes on with a transfer that was paused or failed.
///
/// # Errors
/// When the profile is locked or there is no such transfer.
pub async fn resume(app: &App, id: String) -> Result<(), IpcError> {
    app.admit()?;
    with_port(app, move |port| port.resume(&id)).await
}

/// Ends a transfer, removes what it left and takes it off the list. One that is done is only taken off the list.
///
/// # Errors
/// When the profile is locked or there is no such transfer.
pub async fn cancel(app: &App, id: String) -> Result<(), IpcError> {
    app.admit()?;
    with_port(app, move |port| port.cancel(&id)).await
}

/// Deletes the installed model `id`, which is closed first; returns the models that are left.
///
/// # Errors
/// When the profile is locked, no such model is installed, it is the demo model, or its file cannot be deleted.
pub async fn remove(app: &App, id: String) -> Result<Vec<ModelSummary>, IpcError> {
    app.admit()?;
    app.unload_for(&id).await;
    let removed = with_port(app, move |port| port.remove(&id)).await;
    // Also after a failure: questions wait for it.
    app.rescan_models().await;
    removed?;
    models::list(app).await
}

/// Room on the disk of the models, and what they take.
///
/// # Errors
/// When the profile is locked or the models folder cannot be read.
pub async fn storage(app: &App) -> Result<Storage, IpcError> {
    app.admit()?;
    with_port(app, |port| port.storage()).await
}

/// Follows what the transfers do, for as long as the app lives: a model that arrived is looked at, every connection is
/// written down, the person's cap on downloads holds.
pub(crate) async fn follow(app: &App) {
    let port = app.transfers();
    port.on_connect(Box::new(app.record().observer()));
    if let Ok(settings) = settings::load(app).await {
        port.limit(settings.download_limit_kb);
    }
    let mut transfers = port.watch();
    drop(port);
    let mut arrived = arrivals(&transfers.borrow_and_update());
    let app = app.downgrade();
    tokio::spawn(async move {
        while transfers.changed().await.is_ok() {
            let now = arrivals(&transfers.borrow_and_update());
            let is_new = now.iter().any(|id| !arrived.contains(id));
            arrived = now;
            if is_new {
                let Some(app) = app.upgrade() else { break };
                app.rescan_models().await;
            }
        }
    });
}

/// The transfers that brought a model.
fn arrivals(transfers: &[Transfer]) -> Vec<String> {
    let arrived = |one: &&Transfer| one.kind != TransferKind::Export && one.state == TransferState::Done;
    transfers.iter().filter(arrived).map(|one| one.id.clone()).collect()
}

async fn context_len(app: &App) -> Reply<usize> {
    Ok(settings::get_all(app).await?.context_len as usize)
}

/// Runs `work`, which may look at disks, where it holds nobody up.
async fn with_port<T: Send + 'static>(
    app: &App,
    work: impl FnOnce(&dyn TransferPort) -> Reply<T> + Send + 'static,
) -> Reply<T> {
    let port = app.transfers();
    tokio::task::spawn_blocking(move || work(&*port))
        .await
        .unwrap_or_else(|_| Err(Refusal::TaskDied { what: "looking after models" }.into()))
}
