//! From a task to the structure of its result, and from the text of an answer to the result.

use super::{Content, Task, ToolKind};
use errors::{ErrorCode, Explain};
use generation::{Misfit, Structure};
use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Value, json};

/// Why an answer is no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAResult {
    /// It has another form.
    #[error("the model's answer has another form: {0}")]
    Form(#[from] Misfit),
    /// It has the form and contradicts itself.
    #[error("the model's answer contradicts itself: {0}")]
    Contradiction(String),
}

impl Explain for NotAResult {
    fn code(&self) -> ErrorCode {
        ErrorCode::BadAnswer
    }

    fn hint(&self) -> Option<String> {
        Some("Ask again.".to_owned())
    }
}

impl Task {
    /// The form of the result.
    pub fn structure(&self) -> Structure {
        let schema = match self {
            Self::Quiz { count, .. } => with_count(schema_of::<super::Quiz>(), "questions", *count),
            Self::Practice { .. } => with_count(schema_of::<super::Practice>(), "exercises", Self::EXERCISES),
            Self::MindMap { .. } => schema_of::<super::MindMap>(),
            Self::Illustration { .. } => schema_of::<super::Illustration>(),
            Self::Flashcards { count, .. } => with_count(schema_of::<super::Flashcards>(), "cards", *count),
            Self::Sheet { count, form, .. } => {
                let choice = form.choice(*count);
                let schema = with_count(schema_of::<super::Sheet>(), "choice", choice);
                with_count(schema, "open", count.saturating_sub(choice))
            }
            Self::Reading { .. } => schema_of::<super::Reading>(),
        };
        Structure { name: self.kind().name().to_owned(), schema }
    }

    /// The result that `text` holds, mended where that needs no guessing (texts without spaces at their ends, shapes within
    /// the paper, no label twice among neighbours).
    ///
    /// # Errors
    /// If it holds none of the right form, or one that contradicts itself.
    pub fn read(&self, text: &str) -> Result<Content, NotAResult> {
        let value = self.structure().read(text)?;
        let content = content(self.kind(), value).map_err(|error| Misfit::NotJson(error.to_string()))?.mended();
        content.check().map_err(NotAResult::Contradiction)?;
        Ok(content)
    }
}

fn content(kind: ToolKind, value: Value) -> serde_json::Result<Content> {
    use serde_json::from_value;
    Ok(match kind {
        ToolKind::Quiz => Content::Quiz(from_value(value)?),
        ToolKind::Practice => Content::Practice(from_value(value)?),
        ToolKind::MindMap => Content::MindMap(from_value(value)?),
        ToolKind::Illustration => Content::Illustration(from_value(value)?),
        ToolKind::Flashcards => Content::Flashcards(from_value(value)?),
        ToolKind::Sheet => Content::Sheet(from_value(value)?),
        ToolKind::Reading => Content::Reading(from_value(value)?),
    })
}

/// The JSON Schema of `T`: everything in its place, no references, no texts about the schema itself.
fn schema_of<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    bare(&mut schema);
    schema
}

/// Takes titles, descriptions and number formats out, and writes enumerations as `enum`, the way all servers know.
fn bare(schema: &mut Value) {
    let Value::Object(fields) = schema else { return };
    for name in ["title", "description", "format"] {
        if fields.get(name).is_some_and(Value::is_string) {
            fields.shift_remove(name);
        }
    }
    if let Some(Value::Array(kinds)) = fields.shift_remove("oneOf") {
        let words: Vec<Value> = kinds.iter().filter_map(|kind| kind.get("const").cloned()).collect();
        fields.insert("type".to_owned(), json!("string"));
        fields.insert("enum".to_owned(), Value::Array(words));
    }
    for (name, part) in fields.iter_mut() {
        match (name.as_str(), part) {
            ("properties", Value::Object(properties)) => properties.values_mut().for_each(bare),
            ("items", items) => bare(items),
            _ => {}
        }
    }
}

/// `schema` with exactly `count` items in its list `name`.
fn with_count(mut schema: Value, name: &str, count: u8) -> Value {
    if let Some(list) = schema.pointer_mut(&format!("/properties/{name}")) {
        list["minItems"] = json!(count);
        list["maxItems"] = json!(count);
    }
    schema
}
