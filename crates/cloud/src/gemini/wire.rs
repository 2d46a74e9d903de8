//! What the Gemini API sends, read without trust: every field may be missing, of another type, or unknown.

use generation::Usage;
use serde_json::Value;

/// Why the model stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Finish {
    /// It was done.
    Stop,
    /// It reached the limit of tokens.
    MaxTokens,
    /// A filter stopped it; the service's word for which.
    Blocked(String),
    /// Anything else, values of tomorrow included.
    Other(String),
}

impl Finish {
    /// Reads `finishReason`. The value for "not set" is none.
    fn read(reason: &str) -> Option<Self> {
        Some(match reason {
            "" | "FINISH_REASON_UNSPECIFIED" => return None,
            "STOP" => Self::Stop,
            "MAX_TOKENS" => Self::MaxTokens,
            "SAFETY"
            | "RECITATION"
            | "LANGUAGE"
            | "BLOCKLIST"
            | "PROHIBITED_CONTENT"
            | "SPII"
            | "IMAGE_SAFETY"
            | "IMAGE_PROHIBITED_CONTENT"
            | "IMAGE_RECITATION"
            | "MODEL_ARMOR"
            | "JAILBREAK" => Self::Blocked(reason.to_owned()),
            other => Self::Other(other.to_owned()),
        })
    }
}

/// One response object: the whole answer, or one event of a stream.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    /// Whether anything in it belongs to an answer.
    pub is_known: bool,
    /// The text meant to be read; thoughts are left out.
    pub text: String,
    /// Why the model stopped.
    pub finish: Option<Finish>,
    /// The service's sentence about it.
    pub finish_message: Option<String>,
    /// Why the question was refused.
    pub blocked: Option<String>,
    /// Tokens so far; the last of a stream counts.
    pub usage: Option<Usage>,
}

impl Chunk {
    /// Reads a response object.
    pub fn read(value: &Value) -> Self {
        let candidate = value.get("candidates").and_then(Value::as_array).and_then(|candidates| candidates.first());
        let feedback = value.get("promptFeedback").filter(|feedback| feedback.is_object());
        let usage = value.get("usageMetadata").filter(|usage| usage.is_object());
        let word = |value: Option<&Value>, name: &str| {
            value.and_then(|value| value.get(name)).and_then(Value::as_str).map(str::to_owned)
        };
        Self {
            is_known: value.get("candidates").is_some() || feedback.is_some() || usage.is_some(),
            text: candidate.map(text).unwrap_or_default(),
            finish: word(candidate, "finishReason").and_then(|reason| Finish::read(&reason)),
            finish_message: word(candidate, "finishMessage"),
            blocked: match (word(feedback, "blockReason"), word(feedback, "blockReasonMessage")) {
                (Some(reason), Some(message)) => Some(format!("{reason}: {message}")),
                (reason, message) => reason.or(message),
            },
            usage: usage.map(tokens),
        }
    }
}

/// The error that a response object is, if it is one; some come wrapped in an array.
pub(super) fn error(value: &Value) -> Option<&Value> {
    let value = value.as_array().and_then(|list| list.first()).unwrap_or(value);
    value.get("error").filter(|error| error.is_object())
}

/// The text of a candidate's parts, but for its thoughts, calls and files.
fn text(candidate: &Value) -> String {
    let parts = candidate.pointer("/content/parts").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let is_thought = |part: &&Value| part.get("thought").and_then(Value::as_bool).unwrap_or(false);
    parts.iter().filter(|part| !is_thought(part)).filter_map(|part| part.get("text")?.as_str()).collect()
}

fn tokens(usage: &Value) -> Usage {
    let count = |name: &str| {
        let value = usage.get(name);
        let number = value.and_then(Value::as_u64).or_else(|| value?.as_str()?.parse().ok()).unwrap_or(0);
        usize::try_from(number).unwrap_or(usize::MAX)
    };
    let prompt_tokens = count("promptTokenCount");
    let reused_tokens = count("cachedContentTokenCount").min(prompt_tokens);
    Usage {
        prompt_tokens,
        reused_tokens,
        prefilled_tokens: prompt_tokens - reused_tokens,
        completion_tokens: count("candidatesTokenCount").saturating_add(count("thoughtsTokenCount")),
        ..Usage::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn thoughts_are_left_out_wherever_they_stand() {
        let parts = json!([{"text": "I think", "thought": true}, {"text": "Hello", "thoughtSignature": "x"},
                           {"text": "!", "thought": false}, {"functionCall": {"name": "f"}}, {"text": 5}, null, "x"]);
        let chunk = Chunk::read(&json!({"candidates": [{"content": {"parts": parts}, "finishReason": "STOP"}]}));
        assert_eq!((chunk.text.as_str(), chunk.finish), ("Hello!", Some(Finish::Stop)));
    }

    #[test]
    fn fields_of_other_types_are_as_if_missing() {
        for odd in [
            json!(null),
            json!([]),
            json!("text"),
            json!({"candidates": null}),
            json!({"candidates": [null]}),
            json!({"candidates": [{"content": [], "finishReason": 7}]}),
            json!({"candidates": {"0": {}}, "usageMetadata": 5, "promptFeedback": "no"}),
        ] {
            let chunk = Chunk::read(&odd);
            assert_eq!((chunk.text.as_str(), chunk.finish, chunk.blocked), ("", None, None), "{odd}");
        }
    }

    #[test]
    fn tokens_are_counted_as_they_are_billed() {
        let usage = json!({"promptTokenCount": 10, "cachedContentTokenCount": "4", "candidatesTokenCount": 3,
                           "thoughtsTokenCount": 7, "totalTokenCount": 20, "newTokenCount": {}});
        let usage = Chunk::read(&json!({"usageMetadata": usage})).usage.expect("counts");
        assert_eq!((usage.prompt_tokens, usage.reused_tokens, usage.prefilled_tokens), (10, 4, 6));
        assert_eq!(usage.completion_tokens, 10);
    }

    #[test]
    fn unknown_words_stay_unknown() {
        let finish = |reason: &str| Finish::read(reason);
        assert_eq!(finish("FINISH_REASON_UNSPECIFIED"), None);
        assert_eq!(finish("SAFETY"), Some(Finish::Blocked("SAFETY".to_owned())));
        assert_eq!(finish("OF_TOMORROW"), Some(Finish::Other("OF_TOMORROW".to_owned())));
    }
}
