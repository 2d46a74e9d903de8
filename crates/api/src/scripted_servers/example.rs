//! A value of a given form.

use generation::Structure;
use serde_json::{Map, Value, json};

/// A list without a bound below has so many items, or as many as it may.
const ITEMS: u64 = 3;

/// A value of the form `structure`: the fewest items of bounded lists, texts that tell their place and differ from each other,
/// the first word of each enumeration in turn, the least of each number.
pub fn example(structure: &Structure) -> Value {
    let mut count = 0;
    value(&structure.schema, "value", &mut count)
}

fn value(schema: &Value, name: &str, count: &mut usize) -> Value {
    if let Some(words) = schema["enum"].as_array() {
        *count += 1;
        return words.get(*count % words.len().max(1)).cloned().unwrap_or(Value::Null);
    }
    // Gemini's own dialect writes types in capitals.
    match schema["type"].as_str().unwrap_or_default().to_lowercase().as_str() {
        "object" => {
            let properties = schema["properties"].as_object().into_iter().flatten();
            let fields: Map<String, Value> = properties
                .map(|(key, part)| {
                    // A text in an object of its own is named after what holds it.
                    let name = if key == "text" { name } else { key };
                    (key.clone(), value(part, name, count))
                })
                .collect();
            Value::Object(fields)
        }
        "array" => {
            let bound = |name: &str| {
                let bound = &schema[name];
                bound.as_u64().or_else(|| bound.as_str()?.parse().ok())
            };
            let least = bound("minItems").unwrap_or(0);
            let most = bound("maxItems").unwrap_or(ITEMS);
            let items = least.max(ITEMS.min(most));
            Value::Array((0..items).map(|_| value(&schema["items"], name, count)).collect())
        }
        "string" => {
            *count += 1;
            json!(format!("{name} {count}"))
        }
        "integer" | "number" => {
            let least = schema["minimum"].as_f64().unwrap_or(0.0);
            let most = schema["maximum"].as_f64().unwrap_or(100.0);
            // Places and sizes that can be seen.
            json!((30.0_f64).clamp(least, most) as i64)
        }
        "boolean" => json!(false),
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tutor::tools::{About, Level, SheetForm, Task};

    #[test]
    fn every_tool_takes_its_example() {
        let topic = || "fractions".to_owned();
        let mut tasks = vec![
            Task::Practice { topic: topic(), level: Level::Easy, used: Vec::new() },
            Task::MindMap { about: About::Topic(topic()) },
            Task::Illustration { about: About::Topic(topic()) },
            Task::Reading { handwriting: true },
        ];
        tasks.extend(Task::QUIZ_COUNTS.map(|count| Task::Quiz { topic: topic(), count, level: Level::Hard }));
        tasks.extend(Task::CARD_COUNTS.map(|count| Task::Flashcards { topic: topic(), count }));
        for form in [SheetForm::Choice, SheetForm::Open, SheetForm::Mixed] {
            tasks.extend(Task::SHEET_COUNTS.map(|count| Task::Sheet { topic: topic(), grade: 5, count, form }));
        }
        for task in tasks {
            let text = example(&task.structure()).to_string();
            task.read(&text).unwrap_or_else(|error| panic!("{task:?}: {error}: {text}"));
        }
    }
}
