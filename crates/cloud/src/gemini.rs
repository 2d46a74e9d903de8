//! Cloud Boost: Gemma 4 behind the Gemini API.

use generation::{GenerateError, GenerateRequest, Generation, Generator};

use crate::ModelInfo;
use crate::error::Error;
use crate::secret::Secret;

/// Where Cloud Boost is and which model answers.
#[derive(Debug, Clone)]
pub struct GeminiOptions {
    /// The service's address, without a path.
    pub base: String,
    /// The model's id there.
    pub model: String,
}

impl Default for GeminiOptions {
    fn default() -> Self {
        Self { base: "https://generativelanguage.googleapis.com".to_owned(), model: "gemma-4-26b-a4b-it".to_owned() }
    }
}

/// Cloud Boost with one key.
#[derive(Debug, Clone)]
pub struct Gemini {
    client: network::Client,
    options: GeminiOptions,
    key: Secret,
}

impl Gemini {
    /// Cloud Boost through `client`. Nothing is sent before somebody asks.
    pub fn new(client: network::Client, options: GeminiOptions, key: Secret) -> Self {
        Self { client, options, key }
    }

    /// The models that this key sees. It costs no allowance.
    ///
    /// # Errors
    /// If the service cannot be reached or refuses the key.
    pub async fn models(&self) -> Result<Vec<ModelInfo>, Error> {
        let _open = self.client.gate().open(network::Purpose::CloudBoost);
        tracing::debug!(key = ?self.key, "asking for the models");
        Err(Error::Request { what: format!("{} is not asked yet", self.options.base) })
    }

    /// Has the model write one token, to see whether the key may use it.
    ///
    /// # Errors
    /// If it may not, or the service cannot be reached.
    pub async fn try_reply(&self) -> Result<(), Error> {
        self.models().await.map(drop)
    }
}

impl Generator for Gemini {
    fn generate(&self, request: GenerateRequest) -> Result<Generation, GenerateError> {
        let what = format!("`{}` is not asked yet", request.request_id);
        Err(GenerateError::from_explain(&Error::Request { what }))
    }
}
