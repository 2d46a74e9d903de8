//! The first run: whether it was finished, who uses this computer, and the answers that whoever looks after many
//! computers gave beforehand.

mod answers;

pub use answers::{Answers, ConfigureError, Configured, configure};

use crate::App;
use crate::dto::{IpcError, SetupState};
use crate::failure::Reply;
use crate::profile;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use store::Store;

/// The key of "the first run was finished" among the settings of the learner.
const DONE: &str = "setupDone";

/// How far the first run is, and whether a PIN is asked for. Answers while the profile is locked.
///
/// # Errors
/// When the store cannot be read.
pub async fn get(app: &App) -> Result<SetupState, IpcError> {
    let open = app.locked_store()?;
    Ok(SetupState {
        done: is_done(&open.store, &open.learner).await?,
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
    note_done(&open.store, &open.learner).await?;
    get(app).await
}

/// Answers the first run with what `aula.toml` says, where that file ends it and nobody has gone through it yet. A file
/// that cannot be read leaves the first run to the person. Call it once, right after the start.
pub async fn answer_from_config(app: &App) {
    answer_from(app, &catalog::hub::config_files_of_this_user()).await;
}

/// [`answer_from_config`] from `files`, later ones over earlier ones.
pub async fn answer_from(app: &App, files: &[PathBuf]) {
    let answers = match Answers::read(files) {
        Ok(answers) => answers,
        Err(error) => {
            return tracing::warn!(error = %errors::chain(&error), "the first run is not answered by aula.toml");
        }
    };
    if !answers.done {
        return;
    }
    let answered: Reply<()> = async {
        let open = app.locked_store()?;
        if !is_done(&open.store, &open.learner).await? {
            answers::save(&open.store, &answers).await?;
            tracing::info!("the first run was answered by aula.toml");
        }
        Ok(())
    }
    .await;
    if let Err(error) = answered {
        tracing::warn!(error.message, "the first run could not be answered");
    }
}

async fn is_done(store: &Store, learner: &str) -> Result<bool, store::Error> {
    Ok(store.settings(learner).await?.get(DONE) == Some(&Value::Bool(true)))
}

async fn note_done(store: &Store, learner: &str) -> Result<(), store::Error> {
    store.set_settings(learner, &BTreeMap::from([(DONE.to_owned(), Value::Bool(true))])).await
}
