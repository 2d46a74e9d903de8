//! What is sent to the Gemini API.

use generation::{GenerateRequest, Misfit, Role, Structure};
use serde_json::{Value, json};

use super::schema::response_schema;
use crate::error::Error;

/// The least cap of an answer in tokens. Thoughts count towards it, so a small one may leave nothing for the answer.
const LEAST_MAX_TOKENS: usize = 8192;
/// Most characters of a bad result that are sent back to be mended.
const MOST_MENDED: usize = 16_000;
/// What one token is in bytes of a request, about.
const BYTES_PER_TOKEN: u64 = 4;
/// What a picture costs in tokens by default.
const IMAGE_TOKENS: u64 = 280;
/// All filters that the service has, each at its strictest: students read the answer.
const FILTERS: [&str; 4] = [
    "HARM_CATEGORY_HARASSMENT",
    "HARM_CATEGORY_HATE_SPEECH",
    "HARM_CATEGORY_SEXUALLY_EXPLICIT",
    "HARM_CATEGORY_DANGEROUS_CONTENT",
];

/// What the model is told about how to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Manner {
    /// Say that it should not think. Left out for a model that refuses to be told.
    pub thinking: bool,
    /// Give the form of the answer as a schema. Otherwise it is described in words.
    pub form: bool,
}

/// Checks what cannot be sent.
///
/// # Errors
/// If there is nothing to answer, or a picture is of a type that is not sent.
pub(super) fn check(request: &GenerateRequest) -> Result<(), Error> {
    let refused = |what: &str| Err(Error::Request { what: what.to_owned() });
    let last = request.messages.iter().rev().find(|message| !message.content.trim().is_empty());
    if last.is_none_or(|message| message.role != Role::User) {
        return refused("the last message is not the user's");
    }
    let known = |kind: &str| matches!(kind, "image/jpeg" | "image/png");
    if !request.images.iter().all(|image| known(&image.media_type)) {
        return refused("a picture is neither JPEG nor PNG");
    }
    Ok(())
}

/// The body of a question.
pub(super) fn body(request: &GenerateRequest, manner: Manner) -> Value {
    let mut contents = contents(request);
    if let Some(structure) = request.structure.as_ref().filter(|_| !manner.form) {
        push_part(&mut contents, json!({"text": in_words(structure)}));
    }
    with_settings(request, manner, contents)
}

/// The body that has a bad result mended. Only what is wrong with it is said, not the question again: the model would
/// begin anew.
pub(super) fn mending(request: &GenerateRequest, manner: Manner, misfit: &Misfit, bad: &str) -> Value {
    let bad: String = bad.chars().take(MOST_MENDED).collect();
    let text = format!(
        "This JSON is not right: {misfit}. Write all of it again with that put right, and nothing but the JSON.\n\n{bad}"
    );
    with_settings(request, manner, vec![json!({"role": "user", "parts": [{"text": text}]})])
}

/// The shortest question there is, for a test of the key.
pub(super) fn trial(manner: Manner) -> Value {
    let mut body = json!({
        "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
        "generationConfig": {"maxOutputTokens": 1, "candidateCount": 1},
    });
    think(&mut body, manner);
    body
}

/// About how many tokens the service will count in `body`.
pub(super) fn tokens(request: &GenerateRequest) -> u64 {
    let text: usize = request.messages.iter().map(|message| message.content.len()).sum();
    text as u64 / BYTES_PER_TOKEN + IMAGE_TOKENS * request.images.len() as u64
}

/// The turns of the conversation: one after the other, never two of the same side, pictures before the last words.
fn contents(request: &GenerateRequest) -> Vec<Value> {
    let mut contents: Vec<Value> = Vec::new();
    let spoken: Vec<_> = request
        .messages
        .iter()
        .filter(|message| message.role != Role::System && !message.content.trim().is_empty())
        .collect();
    for (at, message) in spoken.iter().enumerate() {
        let role = if message.role == Role::Assistant { "model" } else { "user" };
        if contents.last().is_none_or(|turn| turn["role"] != role) {
            contents.push(json!({"role": role, "parts": []}));
        }
        if at + 1 == spoken.len() {
            for image in &request.images {
                let data = json!({"mimeType": image.media_type, "data": image.base64});
                push_part(&mut contents, json!({"inlineData": data}));
            }
        }
        push_part(&mut contents, json!({"text": message.content}));
    }
    contents
}

fn push_part(contents: &mut [Value], part: Value) {
    if let Some(parts) = contents.last_mut().and_then(|turn| turn["parts"].as_array_mut()) {
        parts.push(part);
    }
}

fn with_settings(request: &GenerateRequest, manner: Manner, contents: Vec<Value>) -> Value {
    let sampling = &request.sampling;
    // At 0 this model falls into loops; 1 is what it was made for.
    let temperature = if sampling.temperature > 0.0 { rounded(sampling.temperature) } else { 1.0 };
    let mut settings = json!({
        "temperature": temperature,
        "topP": rounded(sampling.top_p),
        "maxOutputTokens": request.max_tokens.max(LEAST_MAX_TOKENS),
        "candidateCount": 1,
    });
    if sampling.top_k > 0 {
        settings["topK"] = json!(sampling.top_k);
    }
    if let Some(seed) = sampling.seed {
        // The service takes 32 bits with a sign.
        settings["seed"] = json!(seed & 0x7fff_ffff);
    }
    if let Some(structure) = request.structure.as_ref().filter(|_| manner.form) {
        settings["responseMimeType"] = json!("application/json");
        settings["responseSchema"] = response_schema(&structure.schema);
    }
    let filter = |category: &&str| json!({"category": category, "threshold": "BLOCK_LOW_AND_ABOVE"});
    let mut body = json!({"contents": contents, "generationConfig": settings});
    let system: Vec<_> = request
        .messages
        .iter()
        .filter(|message| message.role == Role::System && !message.content.trim().is_empty())
        .map(|message| json!({"text": message.content}))
        .collect();
    if !system.is_empty() {
        body["systemInstruction"] = json!({"parts": system});
    }
    body["safetySettings"] = FILTERS.iter().map(filter).collect();
    think(&mut body, manner);
    body
}

/// The one level that this model takes which means "do not".
fn think(body: &mut Value, manner: Manner) {
    if manner.thinking {
        body["generationConfig"]["thinkingConfig"] = json!({"thinkingLevel": "MINIMAL"});
    }
}

fn in_words(structure: &Structure) -> String {
    format!(
        "Answer with one JSON value and nothing else: no words before or after it, no code fence. \
         It must have this form (JSON Schema), with the properties in this order:\n{}",
        structure.schema
    )
}

/// 0.95 as 0.95, not as 0.949999988079071.
fn rounded(number: f32) -> f64 {
    (f64::from(number) * 1e6).round() / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;
    use generation::{Image, Message};

    const PLAIN: Manner = Manner { thinking: true, form: true };

    fn request(turns: &[(Role, &str)]) -> GenerateRequest {
        let messages = turns.iter().map(|(role, text)| Message::new(*role, *text)).collect();
        GenerateRequest::new("r", messages)
    }

    #[test]
    fn a_conversation_as_the_service_wants_it() {
        let request = request(&[
            (Role::System, "Be kind"),
            (Role::User, "One"),
            (Role::Assistant, " "),
            (Role::User, "Two"),
            (Role::Assistant, "Three"),
            (Role::User, "Four"),
        ]);
        let body = body(&request, PLAIN);
        let expected = json!([
            {"role": "user", "parts": [{"text": "One"}, {"text": "Two"}]},
            {"role": "model", "parts": [{"text": "Three"}]},
            {"role": "user", "parts": [{"text": "Four"}]},
        ]);
        assert_eq!(body["contents"], expected);
        assert_eq!(body["systemInstruction"], json!({"parts": [{"text": "Be kind"}]}));
        let settings = json!({"temperature": 1.0, "topP": 0.95, "maxOutputTokens": 8192, "candidateCount": 1, "topK": 64,
                              "thinkingConfig": {"thinkingLevel": "MINIMAL"}});
        assert_eq!(body["generationConfig"], settings);
        assert_eq!(body["safetySettings"].as_array().map(Vec::len), Some(4));
        assert!(body.as_object().expect("an object").len() == 4, "nothing else: {body}");
    }

    #[test]
    fn pictures_stand_before_the_last_words() {
        let image = Image { media_type: "image/png".to_owned(), base64: "AAAA".to_owned(), width: 1, height: 1 };
        let request = GenerateRequest { images: vec![image], ..request(&[(Role::User, "Read"), (Role::User, "this")]) };
        let parts =
            json!([{"text": "Read"}, {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}, {"text": "this"}]);
        assert_eq!(body(&request, PLAIN)["contents"], json!([{"role": "user", "parts": parts}]));
        assert!(tokens(&request) >= 280);
    }

    #[test]
    fn a_form_is_a_schema_or_words_never_both() {
        let structure =
            Structure { name: "n".to_owned(), schema: json!({"type": "object", "additionalProperties": false}) };
        let request = GenerateRequest { structure: Some(structure), ..request(&[(Role::User, "Go")]) };
        let with = body(&request, PLAIN);
        assert_eq!(with["generationConfig"]["responseSchema"], json!({"type": "OBJECT"}));
        assert_eq!(with["generationConfig"]["responseMimeType"], "application/json");
        assert_eq!(with["contents"][0]["parts"], json!([{"text": "Go"}]));
        let without = body(&request, Manner { thinking: false, form: false });
        let settings = without["generationConfig"].as_object().expect("an object");
        assert!(
            !["responseSchema", "responseMimeType", "thinkingConfig"].iter().any(|name| settings.contains_key(*name))
        );
        assert!(
            without["contents"][0]["parts"][1]["text"]
                .as_str()
                .is_some_and(|text| text.contains("additionalProperties"))
        );
        let mended = mending(&request, PLAIN, &Misfit::NotJson("why".to_owned()), "{bad");
        let text = mended["contents"][0]["parts"][0]["text"].as_str().expect("text");
        assert!(text.contains("why") && text.ends_with("{bad") && !text.contains("Go"), "{text}");
    }

    #[test]
    fn what_cannot_be_sent_is_refused() {
        assert!(check(&request(&[(Role::User, "x"), (Role::Assistant, "")])).is_ok());
        for turns in
            [&[][..], &[(Role::System, "x")], &[(Role::User, " ")], &[(Role::User, "x"), (Role::Assistant, "y")]]
        {
            assert!(check(&request(turns)).is_err(), "{turns:?}");
        }
        let image = Image { media_type: "image/svg+xml".to_owned(), base64: String::new(), width: 1, height: 1 };
        assert!(check(&GenerateRequest { images: vec![image], ..request(&[(Role::User, "x")]) }).is_err());
    }
}
