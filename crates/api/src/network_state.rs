//! The network as Settings show it, and the record of every connection.

use crate::App;
use crate::app_info::CONNECTIONS;
use crate::dto::{ConnectionLine, IpcError, NetworkState};
use store::Store;
use tokio::sync::{mpsc, oneshot};

/// The count of connections, whether the network is open now, the hub, and the latest connections.
///
/// # Errors
/// When the profile is locked or the store cannot be read.
pub async fn get(app: &App) -> Result<NetworkState, IpcError> {
    let open = app.store()?;
    app.record().flush().await;
    let connections = open.store.counted(CONNECTIONS).await?;
    let recent = open.store.connections(&open.learner).await?;
    Ok(NetworkState {
        connections: u32::try_from(connections).unwrap_or(u32::MAX),
        open: app.transfers().network_is_open() || app.elsewhere().is_open(),
        hub: app.transfers().hub(),
        recent: recent.into_iter().map(|line| ConnectionLine { at: line.at as f64, host: line.host }).collect(),
    })
}

/// What the task that writes is told.
enum Note {
    Connected { host: String },
    Flush { done: oneshot::Sender<()> },
    Close { done: oneshot::Sender<()> },
}

/// Writes connections down, in order, while others go on.
pub(crate) struct Record {
    notes: mpsc::UnboundedSender<Note>,
}

impl Record {
    /// Writes into `store` until the record is dropped; without a store nothing is written.
    pub(crate) fn start(store: Option<(Store, String)>) -> Self {
        let (notes, mut incoming) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Some(note) = incoming.recv().await {
                match (note, &store) {
                    (Note::Connected { host }, Some((store, learner))) => {
                        if let Err(error) = store.count_connection(learner, CONNECTIONS, &host).await {
                            tracing::warn!(error = %errors::chain(&error), "a connection could not be counted");
                        }
                    }
                    (Note::Connected { host }, None) => tracing::warn!(host, "a connection could not be counted"),
                    // Whoever asked may have gone.
                    (Note::Flush { done }, _) => {
                        let _ = done.send(());
                    }
                    (Note::Close { done }, _) => {
                        // The store may be opened by somebody else as soon as this is answered.
                        drop(store);
                        let _ = done.send(());
                        return;
                    }
                }
            }
        });
        Self { notes }
    }

    /// Takes down a connection. It does not keep the record going.
    pub(crate) fn observer(&self) -> impl Fn(&str) + Send + Sync + 'static {
        let notes = self.notes.downgrade();
        move |host| {
            if let Some(notes) = notes.upgrade() {
                // The writing task lives as long as a sender does.
                let _ = notes.send(Note::Connected { host: host.to_owned() });
            }
        }
    }

    /// Returns once everything that was taken down is written.
    pub(crate) async fn flush(&self) {
        self.ask(|done| Note::Flush { done }).await;
    }

    /// Returns once everything is written and the store let go; nothing is taken down afterwards.
    pub(crate) async fn close(&self) {
        self.ask(|done| Note::Close { done }).await;
    }

    async fn ask(&self, note: impl FnOnce(oneshot::Sender<()>) -> Note) {
        let (done, answered) = oneshot::channel();
        if self.notes.send(note(done)).is_ok() {
            // A record that was closed before has nothing left to answer.
            let _ = answered.await;
        }
    }
}
