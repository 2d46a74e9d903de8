//! Who answers: Cloud Boost, the school's server, and what each group of features uses.
//!
//! A key or token goes in and never comes out again; the page learns only whether there is one.

use super::{ErrorCode, IpcError};
use serde::{Deserialize, Serialize};
use specta::Type;

/// Where the features of a group run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum Place {
    /// On this computer.
    Device,
    /// Cloud Boost.
    Cloud,
    /// The school's server.
    School,
}

/// What a person chose for each group. The tutor itself always answers on this computer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Places {
    /// Quiz, practice, flashcards, sheets.
    pub questions: Place,
    /// Mind maps and illustrations.
    pub drawings: Place,
    /// Photos and handwriting; not possible on this computer yet.
    pub reading: Place,
    /// Another answer in the chat by a larger model; `Device` switches it off.
    pub second_answer: Place,
}

/// Where a secret is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum SecretKept {
    /// There is none.
    None,
    /// In the system's keychain.
    Keychain,
    /// In memory until the program ends: this system has no keychain that can be used.
    Session,
}

/// One step of a test.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct TestStep {
    /// Which one.
    pub step: TestStepKind,
    /// Milliseconds it took.
    pub milliseconds: u32,
    /// Why it failed; none where it went well.
    pub error: Option<IpcError>,
}

/// Steps of a test, in their order; a step that fails is the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum TestStepKind {
    /// The models were listed.
    Models,
    /// A reply of one token came.
    Reply,
    /// A reply of a given form came (school servers).
    Structure,
}

/// Cloud Boost.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct CloudState {
    /// Whether it is switched on.
    pub on: bool,
    /// Where the key is kept.
    pub key: SecretKept,
    /// When an adult agreed, in milliseconds since 1970.
    pub agreed_at: Option<f64>,
    /// The model, e.g. `gemma-4-26b-a4b-it`.
    pub model: String,
    /// The computer that would get requests.
    pub host: String,
}

/// What kind of server it is, as far as it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum ServerKind {
    /// vLLM.
    Vllm,
    /// llama-server of llama.cpp.
    LlamaServer,
    /// Ollama.
    Ollama,
    /// LM Studio.
    LmStudio,
    /// Another with the same interface.
    Other,
}

/// A model that the school's server offers.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ServerModel {
    /// As the server calls it.
    pub id: String,
    /// Its context length in tokens, where the server tells.
    pub context_len: Option<u32>,
}

/// The school's server.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct SchoolState {
    /// Whether it is switched on.
    pub on: bool,
    /// The address as it was entered, without anything secret; empty where there is none.
    pub address: String,
    /// Where the token is kept.
    pub token: SecretKept,
    /// What it is; none until it was tested.
    pub kind: Option<ServerKind>,
    /// What it offers; empty until it was tested.
    pub models: Vec<ServerModel>,
    /// The model in use.
    pub model: Option<String>,
    /// Whether the model reads pictures; none where the server does not say.
    pub vision: Option<bool>,
    /// Whether the laboratory's file (`aula.toml`) sets it: then it cannot be changed here.
    pub managed: bool,
}

/// Everything on the page « Who answers ».
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct EnginesState {
    /// Whether this profile may change anything here: adults only.
    pub editable: bool,
    /// What a person chose for each group.
    pub places: Places,
    /// Cloud Boost.
    pub cloud: CloudState,
    /// The school's server.
    pub school: SchoolState,
}

/// What a person changes on that page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct EnginesInput {
    /// Whether Cloud Boost is switched on.
    pub cloud_on: bool,
    /// Whether the school's server is switched on.
    pub school_on: bool,
    /// What each group uses.
    pub places: Places,
}

/// The school's server as a person enters it.
#[derive(Clone, PartialEq, Eq, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct SchoolInput {
    /// The address, e.g. `aula.school.local:8000`.
    pub address: String,
    /// The token; an empty text removes it, none leaves it as it is.
    pub token: Option<String>,
}

impl std::fmt::Debug for SchoolInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let token = self.token.as_ref().map(|_| "…");
        f.debug_struct("SchoolInput").field("address", &self.address).field("token", &token).finish()
    }
}

/// How a test went.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct TestReport {
    /// The steps made.
    pub steps: Vec<TestStep>,
    /// The state afterwards.
    pub state: EnginesState,
    /// The code of the step that failed; none where all went well.
    pub failed: Option<ErrorCode>,
}
