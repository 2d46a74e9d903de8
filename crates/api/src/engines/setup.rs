//! What is set up, as the store keeps it. Nothing secret is in it.

use crate::App;
use crate::dto::{Place, Places, ServerKind};
use crate::elsewhere::ManagedSchool;
use crate::failure::{Refusal, Reply};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// The setting that it lies in.
pub(super) const KEY: &str = "engines";

/// Cloud Boost, the school's server and the places, as a person set them up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Setup {
    pub(crate) places: Places,
    pub(crate) cloud_on: bool,
    pub(crate) school_on: bool,
    /// When an adult agreed, in milliseconds since 1970.
    pub(crate) agreed_at: Option<i64>,
    /// Whether a key was put into the system's keychain. It is read from there only when it is needed.
    pub(crate) cloud_key_in_keychain: bool,
    pub(crate) school: School,
}

/// The school's server.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct School {
    /// As it was typed.
    pub(crate) address: String,
    /// Scheme, host and port: what a token belongs to.
    pub(crate) origin: String,
    pub(crate) token_in_keychain: bool,
    pub(crate) kind: Option<ServerKind>,
    pub(crate) models: Vec<Model>,
    pub(crate) model: Option<String>,
    pub(crate) vision: Option<bool>,
}

/// A model that the server offers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Model {
    pub(crate) id: String,
    pub(crate) context_len: Option<u32>,
}

impl School {
    /// A server of which nothing is known yet.
    pub(crate) fn at(address: String, origin: String) -> Self {
        Self { address, origin, ..Self::default() }
    }
}

impl Default for Setup {
    fn default() -> Self {
        let here = Place::Device;
        Self {
            places: Places { questions: here, drawings: here, reading: here, second_answer: here },
            cloud_on: false,
            school_on: false,
            agreed_at: None,
            cloud_key_in_keychain: false,
            school: School::default(),
        }
    }
}

impl Setup {
    /// As the person who uses this computer left it, with what `aula.toml` says about the school's server.
    pub(crate) async fn load(app: &App) -> Reply<Self> {
        let open = app.store()?;
        let mut setup = Self::from_stored(open.store.settings(&open.learner).await?.remove(KEY));
        setup.follow(app.elsewhere().managed.as_ref());
        Ok(setup)
    }

    /// What the store kept; as nobody had set anything up where that makes no sense here.
    pub(super) fn from_stored(stored: Option<Value>) -> Self {
        stored
            .map(serde_json::from_value)
            .transpose()
            .unwrap_or_else(|error| {
                tracing::warn!(%error, "what was set up about engines makes no sense here and is ignored");
                None
            })
            .unwrap_or_default()
    }

    /// The school's server as whoever looks after the computers set it.
    pub(super) fn follow(&mut self, managed: Option<&ManagedSchool>) {
        let Some(managed) = managed else { return };
        self.school_on = true;
        if self.school.address != managed.address {
            self.school = School::at(managed.address.clone(), origin(&managed.address));
        }
        self.school.model = Some(managed.model.clone());
    }

    pub(crate) async fn save(&self, app: &App) -> Reply<()> {
        let open = app.store()?;
        let json = serde_json::to_value(self).map_err(|error| {
            tracing::error!(%error, "what is set up about engines could not be written as JSON");
            Refusal::TaskDied { what: "writing the settings" }
        })?;
        Ok(open.store.set_settings(&open.learner, &BTreeMap::from([(KEY.to_owned(), json)])).await?)
    }
}

/// What a token of the server at `address` belongs to; empty where that is no address.
fn origin(address: &str) -> String {
    cloud::school_origin(address).unwrap_or_default()
}

/// The keychain's name for this person's key of Cloud Boost.
pub(crate) fn cloud_account(app: &App) -> Reply<String> {
    Ok(format!("cloud-boost {}", app.store()?.learner))
}

/// The keychain's name for this person's token of the server at `origin`.
pub(crate) fn school_account(app: &App, origin: &str) -> Reply<String> {
    Ok(format!("school {origin} {}", app.store()?.learner))
}
