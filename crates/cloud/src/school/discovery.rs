//! What a school's server is and offers, told from what it says when it is asked at its own address. Other addresses are
//! never tried: a search through the network looks like an attack.

use std::time::Duration;

use network::{Patience, Purpose, Request};
use serde_json::{Value, json};

use super::{School, ServerKind, failure};
use crate::ModelInfo;
use crate::error::Error;

/// Lists are short and come at once.
const PATIENCE: Patience = Patience {
    first_byte: Duration::from_secs(10),
    silence: Duration::from_secs(10),
    slowest: None,
    most_bytes: Some(2_000_000),
};

/// What a server is and offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discovery {
    /// What it is.
    pub kind: ServerKind,
    /// What it offers, in its order.
    pub models: Vec<ModelInfo>,
    /// The model of the options if it is offered; otherwise a Gemma 4, otherwise the first.
    pub model: Option<String>,
    /// Whether that model reads pictures; none where the server does not say.
    pub vision: Option<bool>,
}

/// The answer of `/v1/models`.
pub struct Listed {
    pub models: Vec<ModelInfo>,
    kind: Option<ServerKind>,
}

pub async fn discover(school: &School) -> Result<Discovery, Error> {
    let Listed { mut models, kind } = models(school).await?;
    let model = chosen(&models, &school.options.model);
    let mut vision = None;
    let kind = match kind {
        Some(kind) => kind,
        None => ask_around(school).await?,
    };
    match kind {
        ServerKind::LlamaServer => vision = ask(school, "/props").await?.as_ref().and_then(sees_in_props),
        ServerKind::Ollama => {
            if let Some(model) = &model {
                let shown = tell(school, "/api/show", &json!({"model": model})).await?;
                vision = shown.as_ref().and_then(sees_in_show);
            }
        }
        ServerKind::LmStudio => {
            if let Some(list) = ask(school, "/api/v0/models").await? {
                vision = model.as_deref().and_then(|model| sees_in_lm_studio(&list, model));
                complete(&mut models, &list);
            }
        }
        ServerKind::Vllm | ServerKind::Other => {}
    }
    Ok(Discovery { kind, models, model, vision })
}

/// What `/v1/models` says.
///
/// # Errors
/// If the server cannot be reached, refuses the token, or is no such server.
pub async fn models(school: &School) -> Result<Listed, Error> {
    let response = get(school, "/v1/models").await?;
    if response.status() != 200 {
        return Err(school.refusal(response, false).await);
    }
    let by = response.header("server").unwrap_or_default().to_owned();
    let text = body(response).await?;
    if failure::is_page(&text) {
        return Err(Error::CaptivePortal { host: school.host().to_owned() });
    }
    let list: Value = serde_json::from_str(&text).map_err(|_| school.nonsense(&text))?;
    let Some(items) = list["data"].as_array() else { return Err(school.nonsense("it is no list of models")) };
    let models: Vec<ModelInfo> = items.iter().filter_map(model).collect();
    Ok(Listed { models, kind: kind_of(items, &by) })
}

/// Who made the list, as far as it shows.
fn kind_of(items: &[Value], by: &str) -> Option<ServerKind> {
    let owner = items.iter().find_map(|item| item["owned_by"].as_str()).unwrap_or_default();
    match (owner, by) {
        ("vllm", _) => Some(ServerKind::Vllm),
        ("llamacpp", _) | (_, "llama.cpp") => Some(ServerKind::LlamaServer),
        _ => None,
    }
}

/// Each kind has an address that the others do not have.
async fn ask_around(school: &School) -> Result<ServerKind, Error> {
    if ask(school, "/api/tags").await?.is_some_and(|tags| tags["models"].is_array()) {
        return Ok(ServerKind::Ollama);
    }
    if ask(school, "/api/v0/models").await?.is_some_and(|list| list["data"].is_array()) {
        return Ok(ServerKind::LmStudio);
    }
    if ask(school, "/props").await?.is_some_and(|props| props.get("total_slots").is_some()) {
        return Ok(ServerKind::LlamaServer);
    }
    if ask(school, "/version").await?.is_some_and(|version| version["version"].is_string()) {
        return Ok(ServerKind::Vllm);
    }
    Ok(ServerKind::Other)
}

fn model(item: &Value) -> Option<ModelInfo> {
    let id = item["id"].as_str().filter(|id| !id.is_empty())?;
    let lengths =
        [&item["max_model_len"], &item["meta"]["n_ctx"], &item["context_length"], &item["max_context_length"]];
    let context_len = lengths.into_iter().find_map(number);
    let short = super::short(id);
    Some(ModelInfo { id: id.to_owned(), name: (short != id).then(|| short.to_owned()), context_len, max_tokens: None })
}

fn chosen(models: &[ModelInfo], wanted: &str) -> Option<String> {
    let offered = |test: &dyn Fn(&str) -> bool| models.iter().map(|model| &model.id).find(|id| test(id));
    let is_gemma_4 = |id: &str| {
        let id = id.to_lowercase();
        id.contains("gemma-4") || id.contains("gemma4")
    };
    offered(&|id| id == wanted).or_else(|| offered(&is_gemma_4)).or_else(|| offered(&|_| true)).cloned()
}

fn sees_in_props(props: &Value) -> Option<bool> {
    props["modalities"]["vision"].as_bool()
}

fn sees_in_show(shown: &Value) -> Option<bool> {
    let capabilities = shown["capabilities"].as_array()?;
    Some(capabilities.iter().any(|capability| capability == "vision"))
}

fn sees_in_lm_studio(list: &Value, model: &str) -> Option<bool> {
    let kind = list["data"].as_array()?.iter().find(|item| item["id"] == model)?["type"].as_str()?;
    Some(kind == "vlm")
}

/// LM Studio tells the context length only in its own list; what is loaded counts.
fn complete(models: &mut [ModelInfo], list: &Value) {
    for item in list["data"].as_array().into_iter().flatten() {
        let length = number(&item["loaded_context_length"]).or_else(|| number(&item["max_context_length"]));
        if let Some(model) = models.iter_mut().find(|model| item["id"] == model.id.as_str()) {
            model.context_len = model.context_len.or(length);
        }
    }
}

fn number(value: &Value) -> Option<usize> {
    value.as_u64().and_then(|number| usize::try_from(number).ok()).filter(|number| *number > 0)
}

/// JSON at `path`; none where there is nothing of the kind. Only a broken connection is an error.
async fn ask(school: &School, path: &str) -> Result<Option<Value>, Error> {
    let response = get(school, path).await?;
    json_of(response).await
}

async fn tell(school: &School, path: &str, what: &Value) -> Result<Option<Value>, Error> {
    let (address, bytes) = (school.address().at(path), what.to_string().into_bytes());
    let response = send(school, Request::post_json(&address, &bytes)).await?;
    json_of(response).await
}

async fn json_of(response: network::Response) -> Result<Option<Value>, Error> {
    if response.status() != 200 {
        return Ok(None);
    }
    Ok(serde_json::from_str(&body(response).await?).ok())
}

async fn get(school: &School, path: &str) -> Result<network::Response, Error> {
    let address = school.address().at(path);
    send(school, Request::get(&address)).await
}

async fn send(school: &School, mut request: Request<'_>) -> Result<network::Response, Error> {
    let bearer = school.bearer();
    request.authorization = bearer.as_ref().map(|bearer| bearer.as_str());
    request.patience = Some(PATIENCE);
    Ok(school.client.send(Purpose::SchoolServer, &request).await?)
}

async fn body(mut response: network::Response) -> Result<String, Error> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        bytes.extend_from_slice(&chunk);
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_tell_who_made_them() {
        let owner = |owner: &str| [json!({"id": "m", "owned_by": owner})];
        assert_eq!(kind_of(&owner("vllm"), "uvicorn"), Some(ServerKind::Vllm));
        assert_eq!(kind_of(&owner("llamacpp"), "nginx"), Some(ServerKind::LlamaServer));
        assert_eq!(kind_of(&[], "llama.cpp"), Some(ServerKind::LlamaServer));
        assert_eq!(kind_of(&owner("library"), ""), None);
    }

    #[test]
    fn models_are_read_with_what_is_told_of_them() {
        let read = |value: Value| model(&value).map(|model| (model.id, model.name, model.context_len));
        let vllm = json!({"id": "gemma", "object": "model", "max_model_len": 32768, "permission": [{}]});
        assert_eq!(read(vllm), Some(("gemma".to_owned(), None, Some(32768))));
        let llama = json!({"id": "/srv/gemma.gguf", "meta": {"n_ctx": 512, "n_ctx_train": 8192}});
        assert_eq!(read(llama), Some(("/srv/gemma.gguf".to_owned(), Some("gemma".to_owned()), Some(512))));
        let no_context = json!({"id": "gemma4:26b", "meta": null});
        assert_eq!(read(no_context), Some(("gemma4:26b".to_owned(), None, None)));
        for bad in [json!({}), json!({"id": ""}), json!({"id": 7}), json!("gemma")] {
            assert_eq!(read(bad), None);
        }
    }

    #[test]
    fn the_chosen_model_is_the_wanted_one_or_a_gemma_4() {
        let models: Vec<ModelInfo> =
            ["llama", "google/Gemma-4-26B"].iter().filter_map(|id| model(&json!({"id": id}))).collect();
        assert_eq!(chosen(&models, "llama").as_deref(), Some("llama"));
        assert_eq!(chosen(&models, "gone").as_deref(), Some("google/Gemma-4-26B"));
        assert_eq!(chosen(&models[..1], "").as_deref(), Some("llama"));
        assert_eq!(chosen(&[], "x"), None);
    }

    #[test]
    fn eyes_are_told_in_three_ways() {
        assert_eq!(sees_in_props(&json!({"modalities": {"vision": true}})), Some(true));
        assert_eq!(sees_in_props(&json!({})), None);
        assert_eq!(sees_in_show(&json!({"capabilities": ["completion", "vision"]})), Some(true));
        assert_eq!(sees_in_show(&json!({"capabilities": ["completion"]})), Some(false));
        assert_eq!(sees_in_show(&json!({})), None);
        let list = json!({"data": [{"id": "a", "type": "vlm", "max_context_length": 9}, {"id": "b", "type": "llm"}]});
        assert_eq!((sees_in_lm_studio(&list, "a"), sees_in_lm_studio(&list, "b")), (Some(true), Some(false)));
        let mut models = vec![ModelInfo { id: "a".to_owned(), name: None, context_len: None, max_tokens: None }];
        complete(&mut models, &list);
        assert_eq!(models[0].context_len, Some(9));
    }
}
