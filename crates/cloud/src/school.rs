//! The school's server: Gemma 4 behind vLLM, llama-server, Ollama or LM Studio, which speak the same language in four dialects.

mod address;
mod call;
mod discovery;
mod failure;
mod ladder;
mod reading;
mod run;
mod waiting;
mod wire;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use generation::{EngineInfo, EngineKind, GenerateError, GenerateRequest, Generation, Generator};
use network::Patience;
use zeroize::Zeroizing;

use crate::ModelInfo;
use crate::error::Error;
use crate::secret::Secret;
use address::Address;
pub use discovery::Discovery;
use ladder::Memory;
pub use ladder::Rung;

/// What kind of server it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ServerKind {
    /// vLLM.
    Vllm,
    /// llama-server of llama.cpp.
    LlamaServer,
    /// Ollama.
    Ollama,
    /// LM Studio.
    LmStudio,
    /// Another with the same interface, or one that was not looked at yet.
    Other,
}

/// Where the school's server is and which model answers.
#[derive(Debug, Clone)]
pub struct SchoolOptions {
    /// The address as a person types it.
    pub address: String,
    /// The model as the server calls it; empty for the first that it offers, which is enough for [`School::discover`].
    pub model: String,
    /// What it is, as [`School::discover`] found.
    pub kind: ServerKind,
    /// Whether the model reads pictures; none where nobody knows, then it is tried.
    pub vision: Option<bool>,
    /// How long is waited for an answer and within it.
    pub patience: Patience,
    /// How long is waited in all while the server says that it is busy.
    pub most_waiting: Duration,
    /// The measure of a pause before a busy server is asked again; the first is four of them, give or take two.
    pub pause: Duration,
}

impl SchoolOptions {
    /// The server at `address` with the usual patience.
    pub fn new(address: impl Into<String>, model: impl Into<String>, kind: ServerKind) -> Self {
        Self {
            address: address.into(),
            model: model.into(),
            kind,
            vision: None,
            patience: call::PATIENCE,
            most_waiting: Duration::from_secs(120),
            pause: Duration::from_secs(1),
        }
    }
}

/// One model of a school's server. What it learns about how results are asked for lives as long as it does, clones included.
#[derive(Clone)]
pub struct School {
    client: network::Client,
    options: Arc<SchoolOptions>,
    address: Arc<Address>,
    token: Option<Secret>,
    memory: Arc<Mutex<Memory>>,
}

/// Scheme, host and port of an address as a person types it: what a token belongs to. A token that was entered for one
/// origin is never sent to another, so whoever keeps it keeps it under this.
///
/// # Errors
/// If it is no address that Aula connects to.
pub fn school_origin(address: &str) -> Result<String, Error> {
    Address::parse(address).map(|address| address.origin().to_owned())
}

impl School {
    /// The server of `options` through `client`, with a `token` that was entered for this very address. Nothing is sent
    /// before somebody asks.
    ///
    /// # Errors
    /// If the address is none, or words would travel unprotected through the internet.
    pub fn new(client: network::Client, options: SchoolOptions, token: Option<Secret>) -> Result<Self, Error> {
        let address = Arc::new(Address::parse(&options.address)?);
        let token = token.filter(|token| !token.is_empty());
        Ok(Self { client, options: Arc::new(options), address, token, memory: Arc::default() })
    }

    /// The computer that gets the requests.
    pub fn host(&self) -> &str {
        self.address.host()
    }

    /// How results are asked for at present: below [`Rung::Schema`] once the server did not know or handle schemas.
    pub fn rung(&self) -> Rung {
        self.memory().rung
    }

    /// Who answers: what the badge shows.
    pub fn engine(&self) -> EngineInfo {
        EngineInfo {
            kind: EngineKind::School,
            model: short(&self.options.model).to_owned(),
            device: self.host().to_owned(),
        }
    }

    /// What the server is, which models it offers, and whether the model of the options, or else the one that would be
    /// chosen, reads pictures. Only this address is asked, with at most four questions, none of which costs a model's time.
    ///
    /// # Errors
    /// If it cannot be reached, refuses the token, or is no such server.
    pub async fn discover(&self) -> Result<Discovery, Error> {
        let _open = self.client.gate().open(network::Purpose::SchoolServer);
        discovery::discover(self).await
    }

    /// The models that the server offers.
    ///
    /// # Errors
    /// If it cannot be reached, refuses the token, or is no such server.
    pub async fn models(&self) -> Result<Vec<ModelInfo>, Error> {
        let _open = self.client.gate().open(network::Purpose::SchoolServer);
        discovery::models(self).await.map(|listed| listed.models)
    }

    /// Has the model write one token.
    ///
    /// # Errors
    /// If it cannot be reached or refuses.
    pub async fn try_reply(&self) -> Result<(), Error> {
        let _open = self.client.gate().open(network::Purpose::SchoolServer);
        run::try_reply(self).await
    }

    /// Has the model write a small result, to see how results are to be asked for.
    ///
    /// # Errors
    /// If none of the ways gives one.
    pub async fn try_structure(&self) -> Result<Rung, Error> {
        let _open = self.client.gate().open(network::Purpose::SchoolServer);
        run::try_structure(self).await
    }

    fn address(&self) -> &Address {
        &self.address
    }

    fn bearer(&self) -> Option<Zeroizing<String>> {
        self.token.as_ref().map(|token| Zeroizing::new(format!("Bearer {}", token.reveal())))
    }

    fn memory(&self) -> Memory {
        *self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, memory: Memory) {
        *self.memory.lock().unwrap_or_else(PoisonError::into_inner) = memory;
    }
}

impl fmt::Debug for School {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("School").field("options", &self.options).field("token", &self.token).finish_non_exhaustive()
    }
}

impl Generator for School {
    fn generate(&self, request: GenerateRequest) -> Result<Generation, GenerateError> {
        run::start(self, request).map_err(|error| GenerateError::from_explain(&error))
    }
}

/// A model's name without the folders of the server: some call a model by its file.
fn short(model: &str) -> &str {
    if model.starts_with('/') || model.contains('\\') {
        let file = model.rsplit(['/', '\\']).next().unwrap_or(model);
        file.strip_suffix(".gguf").unwrap_or(file)
    } else {
        model
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_shown_without_the_servers_folders() {
        for (model, expected) in [
            ("/srv/models/gemma-4-26b.gguf", "gemma-4-26b"),
            ("C:\\models\\gemma.gguf", "gemma"),
            ("google/gemma-4-26B-A4B-it", "google/gemma-4-26B-A4B-it"),
            ("gemma4:26b", "gemma4:26b"),
            ("/", ""),
        ] {
            assert_eq!(short(model), expected, "{model}");
        }
    }
}
