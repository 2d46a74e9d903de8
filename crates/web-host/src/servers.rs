//! Engines elsewhere for the page's tests.

use api::dto::{EnginesInput, IpcError, Place, Places, ProfileInput, ProfileKind, SchoolInput};
use api::elsewhere::{MemorySecrets, NoSecrets, SecretStore};
use api::scripted_servers::{MODEL, ScriptedServers};
use api::{App, Elsewhere};
use std::sync::Arc;
use std::time::Duration;

/// What engines elsewhere there are.
#[derive(Debug, clap::Args)]
#[group(id = "elsewhere")]
pub struct Arguments {
    /// Starts a scripted server that is Cloud Boost and a school's server; its address is the second line of the output.
    #[arg(long)]
    servers: bool,
    /// Its port; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    servers_port: u16,
    /// Milliseconds between two pieces of its answers.
    #[arg(long, default_value_t = 30)]
    servers_ms: u64,
    /// Keys are kept until the end only, as on a system without a keychain.
    #[arg(long)]
    no_keychain: bool,
    /// The profile is an adult's.
    #[arg(long)]
    adult: bool,
    /// Cloud Boost is set up and used for everything.
    #[arg(long)]
    cloud: bool,
    /// The school's server is set up and used for everything.
    #[arg(long)]
    school: bool,
    /// This computer is connected to no network.
    #[arg(long)]
    unplugged: bool,
}

impl Arguments {
    /// Starts the scripted server, if one is wanted.
    ///
    /// # Errors
    /// If its port cannot be had.
    pub async fn start(&self) -> Result<Option<ScriptedServers>, String> {
        if !(self.servers || self.cloud || self.school) {
            return Ok(None);
        }
        let started = ScriptedServers::start(self.servers_port, Duration::from_millis(self.servers_ms)).await;
        started.map(Some).map_err(|error| format!("the scripted server could not start: {error}"))
    }

    /// How the app reaches it.
    pub fn elsewhere(&self, servers: Option<&ScriptedServers>) -> Elsewhere {
        let secrets: Arc<dyn SecretStore> =
            if self.no_keychain { Arc::new(NoSecrets) } else { Arc::new(MemorySecrets::default()) };
        let elsewhere = Elsewhere::with_secrets(secrets);
        let elsewhere = match servers {
            Some(servers) => elsewhere.with_cloud_at(servers.address(), MODEL),
            None => elsewhere,
        };
        if self.unplugged { elsewhere.with_connected(|_| false) } else { elsewhere }
    }

    /// Sets up what was asked for, the way a person would.
    ///
    /// # Errors
    /// If a command fails.
    pub async fn set_up(&self, app: &App, servers: Option<&ScriptedServers>) -> Result<(), String> {
        self.try_to(app, servers).await.map_err(|error| format!("could not be set up: {}", error.message))
    }

    async fn try_to(&self, app: &App, servers: Option<&ScriptedServers>) -> Result<(), IpcError> {
        let before = api::setup::get(app).await?.profile;
        let profile = |kind| ProfileInput { name: before.name.clone(), kind, pin: None, old_pin: None };
        if self.adult || self.cloud || self.school {
            api::profile::set(app, profile(ProfileKind::Adult)).await?;
        }
        if self.cloud {
            api::engines::cloud_key_set(app, "scripted-key".to_owned()).await?;
            api::engines::cloud_agree(app, true).await?;
        }
        if let Some(servers) = servers.filter(|_| self.school) {
            let input = SchoolInput { address: servers.address(), token: Some("scripted-token".to_owned()) };
            api::engines::school_set(app, input).await?;
            api::engines::school_test(app).await?;
        }
        if self.cloud || self.school {
            let place = if self.school { Place::School } else { Place::Cloud };
            let places = Places { questions: place, drawings: place, reading: place, second_answer: place };
            let input = EnginesInput { cloud_on: self.cloud, school_on: self.school, places };
            api::engines::set(app, input).await?;
            if !self.adult {
                api::profile::set(app, profile(before.kind)).await?;
            }
        }
        Ok(())
    }
}
