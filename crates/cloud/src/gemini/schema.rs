//! From JSON Schema to `responseSchema`, the service's subset of OpenAPI.
//!
//! The service refuses a request with any other word in it ("Unknown name … Cannot find field"), so only words that it
//! knows go over. What is lost is checked in the answer.

use serde_json::{Map, Value, json};

/// Words that mean the same in both and are copied as they are.
const COPIED: [&str; 8] =
    ["minItems", "maxItems", "minLength", "maxLength", "minimum", "maximum", "description", "required"];

/// `schema` as the service takes it.
pub(super) fn response_schema(schema: &Value) -> Value {
    let Value::Object(fields) = schema else { return json!({}) };
    let mut out = Map::new();
    kind(fields, &mut out);
    words(fields, &mut out);
    for name in COPIED {
        if let Some(value) = fields.get(name) {
            out.insert(name.to_owned(), value.clone());
        }
    }
    if let Some(Value::Object(properties)) = fields.get("properties") {
        let converted = properties.iter().map(|(name, part)| (name.clone(), response_schema(part))).collect();
        out.insert("properties".to_owned(), Value::Object(converted));
        // The order in which the model writes them; without it the service sorts them.
        out.insert("propertyOrdering".to_owned(), properties.keys().cloned().collect());
    }
    if let Some(items) = fields.get("items").filter(|items| items.is_object()) {
        out.insert("items".to_owned(), response_schema(items));
    }
    if let Some(Value::Array(kinds)) = fields.get("anyOf").or_else(|| fields.get("oneOf")) {
        let is_null = |kind: &&Value| kind.get("type").and_then(Value::as_str) == Some("null");
        if kinds.iter().any(|kind| is_null(&kind)) {
            out.insert("nullable".to_owned(), json!(true));
        }
        out.insert("anyOf".to_owned(), kinds.iter().filter(|kind| !is_null(kind)).map(response_schema).collect());
    }
    Value::Object(out)
}

/// `type`, in capitals; a type that may also be nothing is `nullable`.
fn kind(fields: &Map<String, Value>, out: &mut Map<String, Value>) {
    let kinds = match fields.get("type") {
        Some(Value::String(kind)) => vec![kind.as_str()],
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if kinds.len() > 1 && kinds.contains(&"null") {
        out.insert("nullable".to_owned(), json!(true));
    }
    if let Some(kind) = kinds.iter().find(|kind| **kind != "null") {
        out.insert("type".to_owned(), json!(kind.to_uppercase()));
    }
}

/// `enum` and `const`. The service knows lists of words only; numbers become their bounds.
fn words(fields: &Map<String, Value>, out: &mut Map<String, Value>) {
    let values = match (fields.get("enum"), fields.get("const")) {
        (Some(Value::Array(values)), _) => values.clone(),
        (_, Some(value)) => vec![value.clone()],
        _ => return,
    };
    let texts: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
    let numbers: Vec<i64> = values.iter().filter_map(Value::as_i64).collect();
    if !texts.is_empty() && texts.len() == values.len() {
        out.entry("type").or_insert(json!("STRING"));
        out.insert("format".to_owned(), json!("enum"));
        out.insert("enum".to_owned(), json!(texts));
    } else if let (Some(least), Some(most)) = (numbers.iter().min(), numbers.iter().max()) {
        out.entry("type").or_insert(json!("INTEGER"));
        out.insert("minimum".to_owned(), json!(least));
        out.insert("maximum".to_owned(), json!(most));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_that_the_service_knows_go_over() {
        let schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Quiz", "type": "object",
            "properties": {
                "text": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^.*$"},
                "level": {"enum": ["easy", "hard"]},
                "answer": {"type": "integer", "minimum": 0, "maximum": 3, "format": "uint8"},
                "pick": {"enum": [3, 5, 10]},
                "kind": {"const": "quiz"},
                "maybe": {"type": ["string", "null"]},
                "either": {"anyOf": [{"type": "number"}, {"type": "null"}]},
                "list": {"type": "array", "items": {"type": "boolean"}, "minItems": 1, "maxItems": 4, "uniqueItems": true},
            },
            "required": ["text", "level"], "additionalProperties": false,
        });
        let expected = json!({
            "type": "OBJECT", "required": ["text", "level"],
            "properties": {
                "text": {"type": "STRING", "minLength": 1, "maxLength": 200},
                "level": {"type": "STRING", "format": "enum", "enum": ["easy", "hard"]},
                "answer": {"type": "INTEGER", "minimum": 0, "maximum": 3},
                "pick": {"type": "INTEGER", "minimum": 3, "maximum": 10},
                "kind": {"type": "STRING", "format": "enum", "enum": ["quiz"]},
                "maybe": {"type": "STRING", "nullable": true},
                "either": {"nullable": true, "anyOf": [{"type": "NUMBER"}]},
                "list": {"type": "ARRAY", "minItems": 1, "maxItems": 4, "items": {"type": "BOOLEAN"}},
            },
            "propertyOrdering": ["text", "level", "answer", "pick", "kind", "maybe", "either", "list"],
        });
        assert_eq!(response_schema(&schema), expected);
    }

    #[test]
    fn what_is_no_schema_asks_for_nothing() {
        assert_eq!(response_schema(&json!(true)), json!({}));
        assert_eq!(response_schema(&json!({"type": "null"})), json!({}));
    }
}
