//! What is set up, for terminals and reports: read from the store while nobody else has it open, with nothing secret in it.

use super::setup::Setup;
use super::who::host_of;
use crate::elsewhere::ManagedSchool;
use crate::installed_models::open_patiently;
use crate::places::Places;
use serde::Serialize;
use std::time::Duration;

/// Engines on other computers as far as they are set up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Overview {
    /// Whether Cloud Boost is switched on.
    pub cloud_on: bool,
    /// Whether a key was put into the system's keychain.
    pub cloud_key_in_keychain: bool,
    /// Whether an adult agreed to what is sent.
    pub cloud_agreed: bool,
    /// Whether the school's server is switched on.
    pub school_on: bool,
    /// The computer that it is.
    pub school_host: Option<String>,
    /// The model in use.
    pub school_model: Option<String>,
    /// Whether `aula.toml` sets it.
    pub school_managed: bool,
}

/// What is set up at `places`. Nothing is created, and no keychain is asked.
///
/// # Errors
/// If the store cannot be read; mostly because the window has it open.
pub async fn overview(places: &Places) -> Result<Overview, store::Error> {
    let managed = ManagedSchool::of_this_user().unwrap_or_else(|error| {
        tracing::warn!(error = %errors::chain(&error), "the school's server in aula.toml is not used");
        None
    });
    let stored = if places.database().is_file() { read(places).await? } else { None };
    let mut setup = Setup::from_stored(stored);
    setup.follow(managed.as_ref());
    Ok(Overview {
        cloud_on: setup.cloud_on,
        cloud_key_in_keychain: setup.cloud_key_in_keychain,
        cloud_agreed: setup.agreed_at.is_some(),
        school_on: setup.school_on,
        school_host: host_of(&setup.school.address),
        school_model: setup.school.model,
        school_managed: managed.is_some(),
    })
}

async fn read(places: &Places) -> Result<Option<serde_json::Value>, store::Error> {
    let opened = open_patiently(&places.data_dir, Duration::from_millis(250)).await?;
    let read = async {
        let learner = opened.store.default_learner().await?;
        Ok(opened.store.settings(&learner.id).await?.remove(super::setup::KEY))
    }
    .await;
    opened.store.close().await;
    read
}
