//! Facts about the app, and the page's sign of life.

use crate::App;
use crate::dto::{AppInfo, IpcError};

/// The counter of connections to the network.
pub(crate) const CONNECTIONS: &str = "connections";

/// Version, connections made since the installation, whether a damaged database was set aside at start.
///
/// # Errors
/// When the store could not be opened: the page shows that instead of everything else.
pub async fn info(app: &App) -> Result<AppInfo, IpcError> {
    let open = app.locked_store()?;
    let connections = open.store.counted(CONNECTIONS).await?;
    Ok(AppInfo {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        connections: u32::try_from(connections).unwrap_or(u32::MAX),
        store_was_damaged: open.was_damaged,
    })
}

/// The page has painted: the window's heartbeat.
///
/// # Errors
/// Never.
pub async fn page_ready(app: &App) -> Result<(), IpcError> {
    app.page_painted();
    Ok(())
}
