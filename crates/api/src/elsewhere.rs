//! Engines on other computers as the app holds them: where they are, how they are reached, where their secrets lie.

mod keychain;
mod managed;
mod secrets;

pub use keychain::Keychain;
pub use managed::{ManagedSchool, NotASchool};
pub use secrets::{MemorySecrets, NoSecrets, SecretError, SecretStore};

pub(crate) use secrets::{Kept, Secrets};

use cloud::GeminiOptions;
use network::{Client, Gate, Options, Purpose};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Whether this computer is connected to a network that may lead to a host.
type Connected = dyn Fn(&str) -> bool + Send + Sync;

/// How the app reaches engines on other computers.
pub struct Elsewhere {
    pub(crate) client: Client,
    pub(crate) secrets: Arc<Secrets>,
    pub(crate) cloud: GeminiOptions,
    /// The school's server, where whoever looks after the computers set it.
    pub(crate) managed: Option<ManagedSchool>,
    connected: Box<Connected>,
    /// Held while what is set up changes, so that two changes do not cross.
    changing: tokio::sync::Mutex<()>,
    engines: Mutex<Engines>,
}

/// The engines that were made since something about them changed: each remembers what it learnt about its server.
#[derive(Default)]
pub(crate) struct Engines {
    pub(crate) cloud: Option<cloud::Gemini>,
    pub(crate) school: Option<cloud::School>,
}

impl Elsewhere {
    /// Through the gate of `client`, with secrets in `store`.
    pub fn new(client: Client, store: Arc<dyn SecretStore>) -> Self {
        Self {
            client,
            secrets: Arc::new(Secrets::new(store)),
            cloud: GeminiOptions::default(),
            managed: None,
            connected: Box::new(is_connected),
            changing: tokio::sync::Mutex::default(),
            engines: Mutex::default(),
        }
    }

    /// With a gate of its own and nothing to keep secrets in but memory: for tests and for terminals.
    pub fn alone() -> Self {
        Self::with_secrets(Arc::new(NoSecrets))
    }

    /// With a gate of its own, and secrets in `store`.
    pub fn with_secrets(store: Arc<dyn SecretStore>) -> Self {
        Self::new(Client::new(Gate::new(), Options::default()), store)
    }

    /// The real thing: the system's keychain, and what `aula.toml` says about the school's server.
    pub fn of_this_user(client: Client) -> Self {
        let managed = ManagedSchool::of_this_user().unwrap_or_else(|error| {
            tracing::warn!(error = %errors::chain(&error), "the school's server in aula.toml is not used");
            None
        });
        Self { managed, ..Self::new(client, Arc::new(Keychain)) }
    }

    /// Cloud Boost at the address `base` with this model.
    #[must_use]
    pub fn with_cloud_at(self, base: impl Into<String>, model: &str) -> Self {
        let cloud = GeminiOptions { base: base.into(), model: model.to_owned(), ..self.cloud };
        Self { cloud, ..self }
    }

    /// The school's server as whoever looks after the computers set it.
    #[must_use]
    pub fn with_managed(self, managed: ManagedSchool) -> Self {
        Self { managed: Some(managed), ..self }
    }

    /// With another answer to whether a network leads to a host, as far as that shows without using it.
    #[must_use]
    pub fn with_connected(self, connected: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Self { connected: Box::new(connected), ..self }
    }

    /// Whether a network that may lead to `host` is there, as far as that shows without using it.
    pub(crate) fn is_connected_to(&self, host: &str) -> bool {
        (self.connected)(host)
    }

    /// The computer that gets what Cloud Boost sends.
    pub(crate) fn cloud_host(&self) -> String {
        network::host_for(Purpose::CloudBoost, &self.cloud.base).unwrap_or_default()
    }

    /// Calls `observer` with the name of each computer that words are sent to from now on.
    pub(crate) fn on_connect(&self, observer: impl Fn(&str) + Send + Sync + 'static) {
        self.client.gate().on_connect(move |connection| {
            // Downloads are counted where they are made; the gate may be the same.
            if connection.purpose.sends_words() {
                observer(&connection.host);
            }
        });
    }

    /// The right to change what is set up.
    pub(crate) async fn changing(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.changing.lock().await
    }

    /// The engines that were made.
    pub(crate) fn engines(&self) -> MutexGuard<'_, Engines> {
        self.engines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something about engines changed: they are made anew at the next request.
    pub(crate) fn forget_engines(&self) {
        *self.engines() = Engines::default();
    }

    /// Whether the network is open to an engine elsewhere now.
    pub(crate) fn is_open(&self) -> bool {
        let gate = self.client.gate();
        gate.is_open(Purpose::CloudBoost) || gate.is_open(Purpose::SchoolServer)
    }
}

/// This computer itself is always there.
fn is_connected(host: &str) -> bool {
    matches!(host, "127.0.0.1" | "[::1]" | "localhost") || hardware::network::is_connected()
}

impl std::fmt::Debug for Elsewhere {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Elsewhere").field("cloud", &self.cloud).field("managed", &self.managed).finish_non_exhaustive()
    }
}
