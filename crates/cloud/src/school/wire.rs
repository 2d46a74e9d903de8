//! What is sent to an OpenAI-compatible server.

use generation::{GenerateRequest, Message, Role, Structure};
use serde_json::{Map, Value, json};

use super::ServerKind;
use super::ladder::{Rung, Step};
use crate::error::Error;

/// Longer strings break the grammar of some servers (<https://github.com/ggml-org/llama.cpp/issues/22396>).
const MOST_LENGTH: u64 = 400;
/// Characters of a wrong answer that are sent back for correction.
const MOST_BAD_TEXT: usize = 6000;

/// An answer to be corrected, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    /// The answer.
    pub text: String,
    /// The validator's words.
    pub misfit: String,
}

/// The body of a request for a streamed answer.
pub fn body(
    request: &GenerateRequest,
    model: &str,
    kind: ServerKind,
    step: Step,
    correction: Option<&Correction>,
) -> Value {
    let mut messages: Vec<Value> = match (&request.structure, correction) {
        (Some(structure), Some(correction)) => {
            vec![json!({"role": "user", "content": correcting(structure, correction)})]
        }
        _ => request.messages.iter().map(message).collect(),
    };
    if correction.is_none() {
        if let Some(structure) = request.structure.as_ref().filter(|_| step.rung != Rung::Schema) {
            append(&mut messages, &form_in_words(structure));
        }
        attach(&mut messages, request);
    }
    let sampling = &request.sampling;
    let mut body = json!({
        "model": model,
        "messages": messages,
        "stream": true,
        "max_tokens": request.max_tokens,
        "temperature": rounded(sampling.temperature),
        "top_p": rounded(sampling.top_p),
    });
    if let Some(seed) = sampling.seed {
        // Some servers read 32 bits with a sign.
        body["seed"] = json!(seed & 0x7fff_ffff);
    }
    if let Some(structure) = &request.structure {
        match step.rung {
            Rung::Schema => {
                let schema = json!({"name": structure.name, "strict": true, "schema": strict(&structure.schema)});
                body["response_format"] = json!({"type": "json_schema", "json_schema": schema});
            }
            Rung::Object => body["response_format"] = json!({"type": "json_object"}),
            Rung::Words => {}
        }
    }
    if step.extras {
        body["stream_options"] = json!({"include_usage": true});
        match kind {
            ServerKind::Vllm | ServerKind::LlamaServer => {
                body["top_k"] = json!(sampling.top_k);
                body["chat_template_kwargs"] = json!({"enable_thinking": false});
            }
            ServerKind::Ollama => body["reasoning_effort"] = json!("none"),
            // LM Studio decides by the model's own setting; others may refuse what they do not know.
            ServerKind::LmStudio | ServerKind::Other => {}
        }
    }
    body
}

/// Whether the pictures of `request` can be sent as they are.
///
/// # Errors
/// If one is no JPEG or PNG in base64.
pub fn check_images(request: &GenerateRequest) -> Result<(), Error> {
    let is_base64 = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte));
    for image in &request.images {
        if !matches!(image.media_type.as_str(), "image/jpeg" | "image/png") || !is_base64(&image.base64) {
            return Err(Error::Request { what: "a picture is no JPEG or PNG in base64".to_owned() });
        }
    }
    Ok(())
}

fn message(message: &Message) -> Value {
    let role = match message.role {
        Role::System => "system",
        Role::User => "user",
        Role::Assistant => "assistant",
    };
    json!({"role": role, "content": message.content})
}

/// Adds `words` to the last message.
fn append(messages: &mut [Value], words: &str) {
    if let Some(last) = messages.last_mut() {
        let text = last["content"].as_str().unwrap_or_default();
        last["content"] = json!(format!("{text}\n\n{words}"));
    }
}

/// Puts the pictures before the text of the last message, which is where Gemma expects them.
fn attach(messages: &mut [Value], request: &GenerateRequest) {
    let Some(last) = messages.last_mut().filter(|_| !request.images.is_empty()) else { return };
    let picture = |image: &generation::Image| {
        let url = format!("data:{};base64,{}", image.media_type, image.base64);
        json!({"type": "image_url", "image_url": {"url": url}})
    };
    let mut parts: Vec<Value> = request.images.iter().map(picture).collect();
    parts.push(json!({"type": "text", "text": last["content"]}));
    last["content"] = Value::Array(parts);
}

fn form_in_words(structure: &Structure) -> String {
    format!(
        "Answer with one JSON value and nothing else: no words around it, no code fence. It must fit this JSON Schema:\n{}",
        strict(&structure.schema)
    )
}

fn correcting(structure: &Structure, correction: &Correction) -> String {
    let bad: String = correction.text.chars().take(MOST_BAD_TEXT).collect();
    format!(
        "The text between <<< and >>> should be one JSON value of a given form, and is not: {}\nWrite it again, corrected. {}\n\
         <<<\n{bad}\n>>>",
        correction.misfit,
        form_in_words(structure)
    )
}

/// `schema` as all servers understand it: no other properties, every property required, no long strings. Each value that
/// fits it fits `schema` too, because tools' schemas allow no other properties and require all of theirs.
fn strict(schema: &Value) -> Value {
    let Value::Object(fields) = schema else { return schema.clone() };
    let mut strict = Map::new();
    for (name, value) in fields {
        let value = match (name.as_str(), value) {
            ("$schema" | "title" | "description", Value::String(_)) => continue,
            ("properties", Value::Object(properties)) => {
                properties.iter().map(|(name, property)| (name.clone(), self::strict(property))).collect()
            }
            ("items", items) => self::strict(items),
            ("maxLength", length) if length.as_u64().is_some_and(|length| length > MOST_LENGTH) => json!(MOST_LENGTH),
            _ => value.clone(),
        };
        strict.insert(name.clone(), value);
    }
    if let Some(properties) = fields.get("properties").and_then(Value::as_object) {
        strict.insert("additionalProperties".to_owned(), json!(false));
        strict.entry("required").or_insert_with(|| properties.keys().cloned().collect());
    }
    Value::Object(strict)
}

/// As people write it: 0.95, not 0.949999988079071.
fn rounded(number: f32) -> Value {
    number.to_string().parse::<f64>().map_or(Value::Null, Value::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use generation::Image;

    const STEP: Step = Step { rung: Rung::Schema, extras: true, correction: false };

    fn request() -> GenerateRequest {
        let messages = vec![Message::new(Role::System, "Be kind."), Message::new(Role::User, "Hello")];
        GenerateRequest::new("1", messages)
    }

    fn structured() -> GenerateRequest {
        let text = json!({"type": "string", "title": "T", "maxLength": 1000});
        let inner = json!({"type": "object", "properties": {"title": text, "n": {"type": "integer"}}, "required": ["title", "n"]});
        let schema =
            json!({"$schema": "x", "type": "object", "properties": {"list": {"type": "array", "items": inner}}});
        GenerateRequest { structure: Some(Structure { name: "list".to_owned(), schema }), ..request() }
    }

    #[test]
    fn a_chat_is_asked_for_as_the_kind_of_server_wants_it() {
        let vllm = body(&request(), "gemma", ServerKind::Vllm, STEP, None);
        assert_eq!(vllm["messages"][1], json!({"role": "user", "content": "Hello"}));
        assert_eq!((&vllm["top_p"], &vllm["temperature"], &vllm["top_k"]), (&json!(0.95), &json!(1.0), &json!(64)));
        assert_eq!(vllm["chat_template_kwargs"], json!({"enable_thinking": false}));
        assert_eq!(vllm["stream_options"], json!({"include_usage": true}));
        assert!(vllm.get("response_format").is_none() && vllm.get("seed").is_none());
        let ollama = body(&request(), "gemma", ServerKind::Ollama, STEP, None);
        assert_eq!((&ollama["reasoning_effort"], ollama.get("chat_template_kwargs")), (&json!("none"), None));
        let plain = Step { extras: false, ..STEP };
        for kind in [ServerKind::Vllm, ServerKind::Ollama, ServerKind::Other] {
            let names: Vec<_> =
                body(&request(), "gemma", kind, plain, None).as_object().expect("an object").keys().cloned().collect();
            assert_eq!(names, ["model", "messages", "stream", "max_tokens", "temperature", "top_p"], "{kind:?}");
        }
    }

    #[test]
    fn the_schema_is_what_all_servers_understand() {
        let body = body(&structured(), "gemma", ServerKind::LlamaServer, STEP, None);
        let format = &body["response_format"];
        assert_eq!((&format["type"], &format["json_schema"]["strict"]), (&json!("json_schema"), &json!(true)));
        let schema = &format["json_schema"]["schema"];
        assert_eq!(schema["additionalProperties"], json!(false));
        assert_eq!((schema.get("$schema"), &schema["required"]), (None, &json!(["list"])));
        let inner = &schema["properties"]["list"]["items"];
        assert_eq!(inner["additionalProperties"], json!(false));
        // A property that is called like a word about schemas stays.
        assert_eq!(inner["properties"]["title"], json!({"type": "string", "maxLength": 400}));
        assert_eq!(body["messages"][1]["content"], json!("Hello"), "the form is not said twice");
    }

    #[test]
    fn lower_rungs_say_the_form_in_words() {
        for rung in [Rung::Object, Rung::Words] {
            let body = body(&structured(), "gemma", ServerKind::Other, Step { rung, ..STEP }, None);
            let text = body["messages"][1]["content"].as_str().expect("a text");
            assert!(text.starts_with("Hello\n\n") && text.contains("\"additionalProperties\":false"), "{text}");
            let format = body.get("response_format");
            assert_eq!(format, (rung == Rung::Object).then(|| json!({"type": "json_object"})).as_ref());
        }
        let correction = Correction { text: "{]".to_owned(), misfit: "at `/list`: wrong".to_owned() };
        let step = Step { correction: true, ..STEP };
        let body = body(&structured(), "gemma", ServerKind::Other, step, Some(&correction));
        assert_eq!(body["messages"].as_array().map(Vec::len), Some(1), "only the bad text and what is wrong with it");
        let text = body["messages"][0]["content"].as_str().expect("a text");
        assert!(
            text.contains("{]") && text.contains("at `/list`: wrong") && text.contains("additionalProperties"),
            "{text}"
        );
        assert!(!text.contains("Hello"));
    }

    #[test]
    fn pictures_go_before_the_text_of_the_last_message() {
        let image = Image { media_type: "image/png".to_owned(), base64: "AAAA".to_owned(), width: 1, height: 1 };
        let with = GenerateRequest { images: vec![image.clone(), image.clone()], ..structured() };
        let body = body(&with, "gemma", ServerKind::Vllm, Step { rung: Rung::Words, ..STEP }, None);
        let parts = body["messages"][1]["content"].as_array().expect("parts");
        assert_eq!(parts.len(), 3);
        assert_eq!(parts[0], json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}));
        assert!(parts[2]["text"].as_str().is_some_and(|text| text.starts_with("Hello\n\nAnswer with one JSON value")));
        assert!(check_images(&with).is_ok());
        for (media_type, base64) in [("image/svg+xml", "AAAA"), ("image/png", "a\"b"), ("image/png", "a b")] {
            let image = Image { media_type: media_type.to_owned(), base64: base64.to_owned(), ..image.clone() };
            assert!(check_images(&GenerateRequest { images: vec![image], ..request() }).is_err(), "{media_type}");
        }
    }
}
