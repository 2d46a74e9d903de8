//! The network as Settings show it.

use crate::App;
use crate::app_info::CONNECTIONS;
use crate::dto::{ConnectionLine, IpcError, NetworkState};

/// The count of connections, whether the network is open now, the hub, and the latest connections.
///
/// # Errors
/// When the profile is locked or the store cannot be read.
pub async fn get(app: &App) -> Result<NetworkState, IpcError> {
    let open = app.store()?;
    let connections = open.store.counted(CONNECTIONS).await?;
    let recent = open.store.connections(&open.learner).await?;
    Ok(NetworkState {
        connections: u32::try_from(connections).unwrap_or(u32::MAX),
        open: app.transfers().network_is_open(),
        hub: app.transfers().hub(),
        recent: recent.into_iter().map(|line| ConnectionLine { at: line.at as f64, host: line.host }).collect(),
    })
}
