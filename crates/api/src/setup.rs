//! The first run: whether it was finished, and who uses this computer.

use crate::App;
use crate::dto::{IpcError, SetupState};
use crate::profile;
use serde_json::Value;
use std::collections::BTreeMap;

/// The key of "the first run was finished" among the settings of the learner.
const DONE: &str = "setupDone";

/// How far the first run is, and whether a PIN is asked for. Answers while the profile is locked.
///
/// # Errors
/// When the store cannot be read.
pub async fn get(app: &App) -> Result<SetupState, IpcError> {
    let open = app.locked_store()?;
    let stored = open.store.settings(&open.learner).await?;
    Ok(SetupState {
        done: stored.get(DONE) == Some(&Value::Bool(true)),
        locked: app.lock().is_closed(),
        wait_seconds: app.lock().wait_seconds(),
        profile: profile::profile(open.store.default_learner().await?),
    })
}

/// Notes that the first run is finished: it is not shown again on this computer.
///
/// # Errors
/// When the profile is locked or the store cannot be written.
pub async fn finish(app: &App) -> Result<SetupState, IpcError> {
    let open = app.store()?;
    let done = BTreeMap::from([(DONE.to_owned(), Value::Bool(true))]);
    open.store.set_settings(&open.learner, &done).await?;
    get(app).await
}
