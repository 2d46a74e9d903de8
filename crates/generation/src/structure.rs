//! The form that an answer must have, and the one check of it, the same for every engine.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The form that an answer must have.
///
/// Engines differ in how they get there: the one on this computer draws only tokens that fit, a server is asked to and
/// then checked. So the schema keeps to what all of them understand: objects with every property required and no others
/// allowed, arrays and strings with bounds, integers with bounds, enumerations, no references and no recursion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Structure {
    /// A short name in ASCII letters, digits and `_`, for servers that want one.
    pub name: String,
    /// JSON Schema (draft 2020-12). The order of properties is the order in which they are written.
    pub schema: Value,
}

/// Why an answer does not have its form; the message is in English, fit for telling a model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// There is no JSON value in it.
    #[error("no JSON value was found: {0}")]
    NotJson(String),
    /// There is one, of another form.
    #[error("at `{at}`: {what}")]
    OtherForm {
        /// JSON Pointer of the first place that does not fit.
        at: String,
        /// What is wrong there.
        what: String,
    },
    /// The schema itself cannot be used: a defect of this program.
    #[error("the schema cannot be used: {0}")]
    Schema(String),
}

impl Structure {
    /// The first whole JSON value at the beginning of `text`, if it has this form. What follows it is ignored: servers
    /// add text after it about one time in twelve.
    ///
    /// # Errors
    /// If there is none, or it has another form.
    pub fn read(&self, text: &str) -> Result<Value, Misfit> {
        let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
        let value = match values.next() {
            Some(Ok(value)) => value,
            Some(Err(error)) => return Err(Misfit::NotJson(error.to_string())),
            None => return Err(Misfit::NotJson("it is empty".to_owned())),
        };
        self.check(&value)?;
        Ok(value)
    }

    /// Whether `value` has this form.
    ///
    /// # Errors
    /// If it has not.
    pub fn check(&self, value: &Value) -> Result<(), Misfit> {
        let validator = jsonschema::validator_for(&self.schema).map_err(|error| Misfit::Schema(error.to_string()))?;
        validator
            .validate(value)
            .map_err(|error| Misfit::OtherForm { at: error.instance_path().to_string(), what: error.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn structure() -> Structure {
        let text = json!({"type": "string", "minLength": 1, "maxLength": 5});
        Structure {
            name: "pair".to_owned(),
            schema: json!({"type": "object", "properties": {"b": text, "a": {"type": "integer", "minimum": 0, "maximum": 3}},
                           "required": ["b", "a"], "additionalProperties": false}),
        }
    }

    #[test]
    fn the_first_value_counts_and_what_follows_is_ignored() {
        for text in [r#"{"b":"x","a":1}"#, " {\"b\":\"x\",\"a\":1} I hope this helps", "{\"b\":\"x\",\"a\":1}\n{"] {
            assert_eq!(structure().read(text), Ok(json!({"b": "x", "a": 1})), "{text}");
        }
    }

    #[test]
    fn another_form_says_where() {
        let cases = [
            (r#"{"b":"x","a":4}"#, "/a"),
            (r#"{"b":"longer","a":1}"#, "/b"),
            (r#"{"b":"","a":1}"#, "/b"),
            (r#"{"b":"x"}"#, ""),
            (r#"{"b":"x","a":1,"c":1}"#, ""),
            ("[]", ""),
        ];
        for (text, place) in cases {
            let error = structure().read(text).expect_err(text);
            assert!(matches!(&error, Misfit::OtherForm { at, .. } if at == place), "{text}: {error}");
        }
        for text in ["", "  ", "{\"b\":", "Sure, here it is: {}"] {
            assert!(matches!(structure().read(text), Err(Misfit::NotJson(_))), "{text}");
        }
    }

    #[test]
    fn the_order_of_properties_is_kept() {
        let text = serde_json::to_string(&structure()).expect("JSON");
        let back: Structure = serde_json::from_str(&text).expect("the same");
        let names: Vec<&String> = back.schema["properties"].as_object().expect("an object").keys().collect();
        assert_eq!(names, ["b", "a"]);
    }
}
