//! Making one transfer move until it rests.

use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::Duration;

use errors::ErrorCode;

use super::entry::Job;
use super::view::{Problem, TransferState};
use super::{Inner, TELL_EVERY};
use crate::download::{Download, Signal, blocking, unless_stopped};
use crate::error::Error;
use crate::import::ImportOptions;
use crate::incoming::Control;

/// How often it is looked whether a disk is back.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// How a run ended.
enum Ended {
    /// The model is there; its id.
    Done(Option<String>),
    /// It rests with this state.
    Rests(TransferState),
    /// A person wants it gone.
    Cancelled,
}

/// Starts the transfer `id`, whose entry is ready.
pub(super) fn spawn(inner: &Arc<Inner>, id: &str) {
    let (inner, id) = (Arc::clone(inner), id.to_owned());
    tokio::spawn(async move {
        let work = {
            let (inner, id) = (Arc::clone(&inner), id.clone());
            tokio::spawn(async move { drive(&inner, &id).await })
        };
        // A defect in one transfer must not leave it moving for ever.
        let ended = work.await.unwrap_or_else(|_| {
            let message = "the transfer ended by a defect of this program".to_owned();
            let hint = Some("Start it again; it goes on where it stopped".to_owned());
            Ended::Rests(TransferState::Failed(Problem { code: ErrorCode::Internal, message, hint }))
        });
        settle(&inner, &id, ended);
    });
}

async fn drive(inner: &Arc<Inner>, id: &str) -> Ended {
    let Ok((job, Some(waiting))) = inner.with_entry(id, |entry| (entry.job.clone(), entry.control.clone())) else {
        return Ended::Cancelled;
    };
    let Some(turns) = inner.turns.get(&job.kind()) else { return Ended::Cancelled };
    let _turn = match unless_stopped(&waiting, turns.acquire()).await {
        Ok(turn) => turn,
        Err(error) => return rests(error),
    };
    loop {
        let control = watched(inner, id);
        // A wish that came while nothing moved holds for the new run.
        let wish = inner
            .with_entry(id, |entry| entry.control.replace(control.clone()).map_or(Ok(()), |before| before.check()));
        let error = match wish {
            Ok(Ok(())) => match run(inner, id, &job, &control).await {
                Ok(model_id) => return Ended::Done(model_id),
                Err(error) => error,
            },
            Ok(Err(error)) => return rests(error),
            Err(_) => return Ended::Cancelled,
        };
        tracing::info!(id, error = errors::chain(&error), "a transfer stopped");
        let Some(place) = gone_place(&job, &error) else { return rests(error) };
        let _ = inner.with_entry(id, |entry| entry.view.state = TransferState::Waiting(Problem::of(&error)));
        inner.tell_now();
        if let Err(error) = unless_stopped(&control, until_back(place)).await {
            return rests(error);
        }
    }
}

/// Does the work once; returns the id of the model that is there now.
async fn run(inner: &Arc<Inner>, id: &str, job: &Job, control: &Control) -> Result<Option<String>, Error> {
    let ticker = tokio::spawn(tick(Arc::downgrade(inner)));
    let result = match job {
        Job::Download(manifest) => {
            let download = Download {
                client: inner.client.clone(),
                manifest: manifest.clone(),
                addresses: inner.addresses.clone(),
                folder: inner.catalog.folder().to_owned(),
                policy: inner.policy,
            };
            let (weak, id) = (Arc::downgrade(inner), id.to_owned());
            let observer = move |signal: Signal<'_>| signalled(&weak, &id, &signal);
            match download.run(control, &observer).await {
                Ok((path, _)) => inner.catalog.installed_at(&path).map(|model| Some(model.id)),
                Err(error) => Err(error),
            }
        }
        Job::Import(source) => {
            let (catalog, source, control) = (Arc::clone(&inner.catalog), source.clone(), control.clone());
            blocking(move || {
                let options = ImportOptions { sha256: source.sha256, ..ImportOptions::default() };
                Ok(Some(catalog.import_with(&source.path, &options, &control)?.model.id))
            })
            .await
        }
        Job::Export { model_id, target } => {
            let (catalog, control) = (Arc::clone(&inner.catalog), control.clone());
            let (model_id, target) = (model_id.clone(), target.clone());
            blocking(move || catalog.export(&model_id, &target, &control).map(|_| Some(model_id))).await
        }
    };
    ticker.abort();
    result
}

/// Tells watchers how far it is while it moves, and how slow it got while nothing comes.
async fn tick(inner: Weak<Inner>) {
    loop {
        tokio::time::sleep(TELL_EVERY).await;
        match inner.upgrade() {
            Some(inner) => inner.tell_soon(),
            None => return,
        }
    }
}

/// A handle whose reports go to the entry `id`.
fn watched(inner: &Arc<Inner>, id: &str) -> Control {
    let (weak, id) = (Arc::downgrade(inner), id.to_owned());
    Control::watched(move |progress| {
        let Some(inner) = weak.upgrade() else { return };
        let changed = inner.with_entry(&id, |entry| {
            let before = std::mem::discriminant(&entry.view.state);
            entry.progressed(progress);
            before != std::mem::discriminant(&entry.view.state)
        });
        if changed.unwrap_or(false) { inner.tell_now() } else { inner.tell_soon() }
    })
}

fn signalled(inner: &Weak<Inner>, id: &str, signal: &Signal<'_>) {
    let Some(inner) = inner.upgrade() else { return };
    let changed = inner.with_entry(id, |entry| match signal {
        Signal::Waiting(error) => {
            entry.view.state = TransferState::Waiting(Problem::of(*error));
            true
        }
        Signal::Moving if matches!(entry.view.state, TransferState::Waiting(_)) => {
            entry.view.state = TransferState::Running;
            true
        }
        Signal::Begun(_) | Signal::Moving => false,
    });
    if changed.unwrap_or(false) {
        inner.tell_now();
    }
}

fn settle(inner: &Inner, id: &str, ended: Ended) {
    let cancelled = inner.with_entry(id, |entry| {
        entry.control = None;
        entry.permit = None;
        match ended {
            Ended::Done(model_id) => {
                entry.view.state = TransferState::Done;
                entry.view.done_bytes = entry.view.total_bytes;
                entry.view.parts_done = entry.view.parts;
                entry.view.model_id = model_id;
            }
            Ended::Rests(state) => entry.view.state = state,
            Ended::Cancelled => entry.cancelled = true,
        }
        // Whoever cancelled a transfer that had just ended for another reason wants it gone all the same.
        entry.cancelled.then(|| (entry.job.clone(), entry.view.state == TransferState::Done))
    });
    match cancelled {
        Ok(Some((job, is_done))) => {
            if !is_done && let Err(error) = inner.clear(&job) {
                tracing::warn!(id, error = errors::chain(&error), "what a transfer left stays");
            }
            inner.remove(id);
        }
        _ => inner.tell_now(),
    }
}

fn rests(error: Error) -> Ended {
    match error {
        Error::Paused => Ended::Rests(TransferState::Paused),
        Error::Cancelled => Ended::Cancelled,
        error => Ended::Rests(TransferState::Failed(Problem::of(&error))),
    }
}

/// What has to be there again before the job can go on; none where waiting does not help.
fn gone_place(job: &Job, error: &Error) -> Option<PathBuf> {
    match (job, error) {
        (Job::Import(source), Error::SourceGone { .. }) => Some(source.path.clone()),
        (Job::Export { target, .. }, _) if !target.exists() => Some(target.clone()),
        _ => None,
    }
}

async fn until_back(place: PathBuf) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let looked = place.clone();
        if tokio::task::spawn_blocking(move || looked.exists()).await.unwrap_or(false) {
            return;
        }
    }
}
