//! Cloud Boost: Gemma 4 behind the Gemini API.
//!
//! * `request`, `schema` – what is sent
//! * `wire`, `refusal` – what comes back, read without trust
//! * `chat` – an answer as it is written
//! * `structured` – a result with a form, in at most three calls
//! * `allowance` – what the key may ask for, learnt from refusals

mod allowance;
mod chat;
mod refusal;
mod request;
mod schema;
mod structured;
mod wire;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use generation::{EngineInfo, EngineKind, GenerateError, GenerateRequest, Generation, Generator, WaitReason};
use network::{Header, Patience, Permit, Purpose, Request, Response};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::ModelInfo;
use crate::error::{Error, Problem};
use crate::exchange;
use crate::retry::{FIRST_PAUSE, Retries, Wait};
use crate::secret::Secret;
use crate::teller::Teller;

use allowance::Allowance;
use request::Manner;

/// The version of the service that everything here was seen on. Later ones may refuse what Gemma needs.
const VERSION: &str = "v1beta";
/// The header that carries the key. In the address it would end up in logs and proxies.
const KEY_HEADER: &str = "x-goog-api-key";
/// Most bytes of a refusal that are read.
const MOST_REFUSAL_BYTES: u64 = 256_000;
/// Most pages of the list of models.
const MOST_PAGES: usize = 5;
/// Events that wait for whoever reads them.
const EVENTS: usize = 64;

/// Where Cloud Boost is and how long it may take.
#[derive(Debug, Clone)]
pub struct GeminiOptions {
    /// The service's address, without a path.
    pub base: String,
    /// The model's id there.
    pub model: String,
    /// For an answer that is shown as it is written.
    pub streaming: Patience,
    /// For a result that comes whole: nothing comes until it is ready.
    pub whole: Patience,
    /// The pause before a busy service is asked again for the first time.
    pub first_pause: Duration,
}

impl Default for GeminiOptions {
    fn default() -> Self {
        Self {
            base: "https://generativelanguage.googleapis.com".to_owned(),
            model: "gemma-4-26b-a4b-it".to_owned(),
            streaming: Patience::ANSWER,
            whole: Patience { first_byte: Duration::from_secs(120), ..Patience::ANSWER },
            first_pause: FIRST_PAUSE,
        }
    }
}

/// Cloud Boost with one key. Clones share what was learnt about the key and the model.
#[derive(Debug, Clone)]
pub struct Gemini {
    client: network::Client,
    options: GeminiOptions,
    key: Secret,
    learnt: Arc<Learnt>,
}

/// What the service taught since this key is in use.
#[derive(Debug, Default)]
struct Learnt {
    /// The model refuses to be told about thinking.
    no_thinking: AtomicBool,
    /// The model takes no schema.
    no_form: AtomicBool,
    allowance: Mutex<Allowance>,
}

impl Gemini {
    /// Cloud Boost through `client`. Nothing is sent before somebody asks.
    pub fn new(client: network::Client, options: GeminiOptions, key: Secret) -> Self {
        Self { client, options, key, learnt: Arc::default() }
    }

    /// The model's id.
    pub fn model(&self) -> &str {
        &self.options.model
    }

    /// Who answers: what the badge shows.
    pub fn engine(&self) -> EngineInfo {
        let device = network::host_for(Purpose::CloudBoost, &self.options.base).unwrap_or_default();
        EngineInfo { kind: EngineKind::Cloud, model: spoken_name(&self.options.model), device }
    }

    /// The models that write text and that this key sees. It costs no allowance.
    ///
    /// # Errors
    /// If the service cannot be reached or refuses the key.
    pub async fn models(&self) -> Result<Vec<ModelInfo>, Error> {
        let _permit = self.open();
        let mut models = Vec::new();
        let mut page = String::new();
        for _ in 0..MOST_PAGES {
            let path = format!("models?pageSize=200{page}");
            let response = self.call(&path, None, self.options.streaming).await?;
            let value = self.json(response, None).await?;
            let Some(list) = value.get("models").and_then(Value::as_array) else {
                return Err(self.nonsense("there is no list of models in it"));
            };
            models.extend(list.iter().filter_map(model_info));
            match value.get("nextPageToken").and_then(Value::as_str).filter(|token| is_plain(token)) {
                Some(token) => page = format!("&pageToken={token}"),
                None => break,
            }
        }
        Ok(models)
    }

    /// Has the model write one token, to see whether the key may use it: a key may see a model that it may not use.
    ///
    /// # Errors
    /// If it may not, or the service cannot be reached.
    pub async fn try_reply(&self) -> Result<(), Error> {
        let _permit = self.open();
        let mut silent = false;
        loop {
            let learnt = self.manner();
            let manner = Manner { thinking: learnt.thinking && !silent, ..learnt };
            let outcome = self.post("generateContent", &request::trial(manner), self.options.whole).await;
            let response = match outcome {
                Err(error) if self.learn_manner(&error, manner) => continue,
                Err(error) if manner.thinking && is_vague(&error) => {
                    silent = true;
                    continue;
                }
                outcome => outcome?,
            };
            let value = self.json(response, None).await?;
            let known = wire::Chunk::read(&value).is_known;
            return if known { Ok(()) } else { Err(self.nonsense("it is no answer of a model")) };
        }
    }

    fn open(&self) -> Permit {
        self.client.gate().open(Purpose::CloudBoost)
    }

    fn host(&self) -> String {
        network::host_for(Purpose::CloudBoost, &self.options.base).unwrap_or_default()
    }

    fn nonsense(&self, what: &str) -> Error {
        Error::Nonsense { host: self.host(), what: what.to_owned() }
    }

    /// How the model is told to answer, by what it took so far.
    fn manner(&self) -> Manner {
        Manner {
            thinking: !self.learnt.no_thinking.load(Ordering::Relaxed),
            form: !self.learnt.no_form.load(Ordering::Relaxed),
        }
    }

    /// Remembers what the model does not take, if `error` says so about something that was sent; then the same may be
    /// asked again without it.
    fn learn_manner(&self, error: &Error, sent: Manner) -> bool {
        use Problem::{NoForm, NoThinking};
        let (was_sent, lesson) = match error {
            Error::Refused { problem: NoThinking, .. } => (sent.thinking, &self.learnt.no_thinking),
            Error::Refused { problem: NoForm, .. } => (sent.form, &self.learnt.no_form),
            _ => return false,
        };
        if was_sent {
            tracing::info!(%error, "the model does not take what was asked for; asking without it");
            lesson.store(true, Ordering::Relaxed);
        }
        was_sent
    }

    /// Waits until the key may ask for about `tokens` more, as far as is known.
    async fn wait_for_allowance(&self, tokens: u64, teller: &mut Teller) {
        loop {
            let pause = self.allowance(|allowance| allowance.wait(tokens, Instant::now()));
            if pause.is_zero() {
                return;
            }
            teller.wait(Wait { pause, reason: WaitReason::Quota }).await;
        }
    }

    fn allowance<T>(&self, change: impl FnOnce(&mut Allowance) -> T) -> T {
        change(&mut self.learnt.allowance.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Asks the model `method` with `body`.
    async fn post(&self, method: &str, body: &Value, patience: Patience) -> Result<Response, Error> {
        let body = body.to_string();
        self.call(&format!("models/{}:{method}", self.options.model), Some(body.as_bytes()), patience).await
    }

    /// One request; an answer that is none becomes the error that it means.
    async fn call(&self, path: &str, body: Option<&[u8]>, patience: Patience) -> Result<Response, Error> {
        let address = format!("{}/{VERSION}/{path}", self.options.base.trim_end_matches('/'));
        let request = match body {
            Some(body) => Request::post_json(&address, body),
            None => Request::get(&address),
        };
        let request = request.header(Header::secret(KEY_HEADER, self.key.reveal())).patience(patience);
        let response = self.client.send(Purpose::CloudBoost, &request).await?;
        if exchange::is_page_for_people(&response) {
            return Err(Error::CaptivePortal { host: self.host() });
        }
        // The status decides, never the content type: refusals of streams are called streams, too.
        if (200..300).contains(&response.status()) {
            return Ok(response);
        }
        Err(self.refusal(response).await)
    }

    async fn refusal(&self, mut response: Response) -> Error {
        let (status, retry_after) = (response.status(), response.retry_after());
        let mut body = Vec::new();
        // Whatever can be had of the body; the status alone says something, too.
        while let Ok(Some(chunk)) = response.chunk().await {
            body.extend_from_slice(&chunk);
            if body.len() as u64 > MOST_REFUSAL_BYTES {
                break;
            }
        }
        let host = self.host();
        let context = refusal::Context { host: &host, status, retry_after, key: &self.key };
        let error = refusal::read(&context, &body);
        if let Some(said) = serde_json::from_slice(&body).ok().as_ref().and_then(wire::error) {
            self.learn_allowance(&error, said);
        }
        tracing::info!(%error, "the service refused");
        error
    }

    /// The error that stands in an answer with a good status.
    fn error_within(&self, said: &Value) -> Error {
        let host = self.host();
        let context = refusal::Context { host: &host, status: 200, retry_after: None, key: &self.key };
        let error = refusal::from_json(&context, said);
        self.learn_allowance(&error, said);
        error
    }

    fn learn_allowance(&self, error: &Error, said: &Value) {
        if matches!(error, Error::Refused { problem: Problem::Quota { .. }, .. }) {
            self.allowance(|allowance| allowance.learn(said));
        }
    }

    /// A whole answer.
    async fn json(&self, response: Response, teller: Option<&Teller>) -> Result<Value, Error> {
        let body = exchange::read_all(response, teller).await?;
        let value: Value = match serde_json::from_slice(&body) {
            Ok(value) => value,
            Err(_) if exchange::looks_like_page(&body) => return Err(Error::CaptivePortal { host: self.host() }),
            Err(error) if error.is_eof() => return Err(Error::Truncated { host: self.host(), cause: None }),
            Err(_) => return Err(self.nonsense("it is no JSON")),
        };
        match wire::error(&value) {
            Some(said) => Err(self.error_within(said)),
            None => Ok(value),
        }
    }

    /// The whole life of an answer, from the first event to the last.
    async fn run(self, request: GenerateRequest, mut teller: Teller, cancel: CancellationToken) {
        teller.start().await;
        let permit = self.open();
        let answer = async {
            if request.structure.is_some() {
                structured::answer(&self, &request, &mut teller).await
            } else {
                chat::answer(&self, &request, &mut teller).await
            }
        };
        // Dropping the answer drops its connection, at whatever stage it is.
        let outcome = tokio::select! {
            biased;
            () = cancel.cancelled() => Err(Error::Cancelled),
            outcome = answer => outcome,
        };
        drop(permit);
        teller.end(outcome).await;
    }

    fn retries(&self) -> Retries {
        Retries::new(self.options.first_pause)
    }
}

impl Generator for Gemini {
    fn generate(&self, request: GenerateRequest) -> Result<Generation, GenerateError> {
        request::check(&request).map_err(|error| GenerateError::from_explain(&error))?;
        let (events, receiver) = mpsc::channel(EVENTS);
        let cancel = CancellationToken::new();
        let teller = Teller::new(events, self.engine(), request.sampling.seed);
        tokio::spawn(self.clone().run(request, teller, cancel.clone()));
        Ok(Generation::new(receiver, cancel))
    }
}

/// Whether the service only says that something about the request is wrong. Perhaps it is what not every model takes; this
/// once the same is asked without it.
fn is_vague(error: &Error) -> bool {
    matches!(error, Error::Refused { status: 400, problem: Problem::Other, .. })
}

fn model_info(model: &Value) -> Option<ModelInfo> {
    let methods = model.get("supportedGenerationMethods").and_then(Value::as_array);
    // A list without methods says nothing against the model.
    if methods.is_some_and(|methods| !methods.iter().any(|method| method == "generateContent")) {
        return None;
    }
    let name = model.get("name")?.as_str()?;
    let count = |name: &str| model.get(name).and_then(Value::as_u64).and_then(|count| usize::try_from(count).ok());
    Some(ModelInfo {
        id: name.strip_prefix("models/").unwrap_or(name).to_owned(),
        name: model.get("displayName").and_then(Value::as_str).map(str::to_owned),
        context_len: count("inputTokenLimit"),
        max_tokens: count("outputTokenLimit"),
    })
}

/// Whether a word may stand in an address as it is.
fn is_plain(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~=".contains(&byte))
}

/// What people call a model.
fn spoken_name(id: &str) -> String {
    match id {
        "gemma-4-26b-a4b-it" => "Gemma 4 26B-A4B".to_owned(),
        "gemma-4-31b-it" => "Gemma 4 31B".to_owned(),
        other => other.to_owned(),
    }
}
