//! The form of each result: what every engine gets.

use super::*;
use expect_test::{Expect, expect};
use serde_json::Value;

/// A schema in short: fields in order with their bounds.
fn brief(schema: &Value, depth: usize, out: &mut String) {
    let bound = |low: &str, high: &str| format!("{}..{}", schema[low], schema[high]);
    match schema["type"].as_str() {
        Some("object") => {
            out.push_str("{\n");
            for (name, part) in schema["properties"].as_object().expect("properties") {
                out.push_str(&format!("{}{name}: ", "  ".repeat(depth + 1)));
                brief(part, depth + 1, out);
            }
            out.push_str(&format!("{}}}\n", "  ".repeat(depth)));
        }
        Some("array") => {
            out.push_str(&format!("[{}] ", bound("minItems", "maxItems")));
            brief(&schema["items"], depth, out);
        }
        Some("string") if schema.get("enum").is_some() => out.push_str(&format!("{}\n", schema["enum"])),
        Some("string") => out.push_str(&format!("text {}\n", bound("minLength", "maxLength"))),
        Some("integer") => out.push_str(&format!("integer {}\n", bound("minimum", "maximum"))),
        other => out.push_str(&format!("{other:?}\n")),
    }
}

fn check(task: &Task, expected: Expect) {
    let mut text = String::new();
    brief(&task.structure().schema, 0, &mut text);
    expected.assert_eq(&text);
}

#[test]
fn fields_stand_in_the_order_in_which_they_are_thought_of() {
    let tasks = each();
    check(
        &tasks[0],
        expect![[r#"
        {
          title: {
            text: text 1..60
          }
          questions: [3..3] {
            prompt: {
              text: text 1..160
            }
            options: [4..4] {
              text: text 1..60
            }
            hint: {
              text: text 1..160
            }
            explanation: {
              text: text 1..280
            }
            answer: integer 0..3
          }
        }
    "#]],
    );
    check(
        &tasks[1],
        expect![[r#"
        {
          title: {
            text: text 1..60
          }
          exercises: [3..3] {
            prompt: {
              text: text 1..160
            }
            hint: {
              text: text 1..160
            }
            steps: [1..4] {
              text: text 1..160
            }
            answer: {
              text: text 1..60
            }
          }
        }
    "#]],
    );
    check(
        &tasks[2],
        expect![[r#"
        {
          label: text 1..40
          children: [2..6] {
            label: text 1..40
            children: [0..4] {
              label: text 1..40
              children: [0..2] {
                label: text 1..40
              }
            }
          }
        }
    "#]],
    );
    check(
        &tasks[3],
        expect![[r#"
        {
          title: {
            text: text 1..60
          }
          description: {
            text: text 1..160
          }
          shapes: [0..16] {
            kind: ["rectangle","ellipse","triangle","line","arrow","label"]
            x: integer 0..100
            y: integer 0..75
            width: integer -100..100
            height: integer -75..75
            tone: ["plain","green","yellow","orange"]
            label: text 0..30
          }
          curves: [0..2] {
            function: ["line","parabola","sine","exponential","hyperbola"]
            a: integer -10..10
            b: integer -10..10
            c: integer -10..10
          }
        }
    "#]],
    );
    check(
        &tasks[4],
        expect![[r#"
        {
          title: {
            text: text 1..60
          }
          cards: [5..5] {
            front: {
              text: text 1..160
            }
            back: {
              text: text 1..160
            }
          }
        }
    "#]],
    );
    check(
        &tasks[5],
        expect![[r#"
        {
          title: {
            text: text 1..60
          }
          instructions: {
            text: text 1..160
          }
          choice: [2..2] {
            prompt: {
              text: text 1..160
            }
            options: [4..4] {
              text: text 1..60
            }
            explanation: {
              text: text 1..280
            }
            answer: integer 0..3
          }
          open: [1..1] {
            prompt: {
              text: text 1..160
            }
            lines: integer 1..10
            answer: {
              text: text 1..280
            }
          }
        }
    "#]],
    );
    check(
        &tasks[6],
        expect![[r#"
        {
          lines: [0..24] {
            text: text 1..200
          }
          unsure: Some("boolean")
        }
    "#]],
    );
}

/// What all engines can keep to, see the head of the module.
#[test]
fn every_form_keeps_to_the_rules() {
    fn walk(schema: &Value, place: &str) {
        let fields = schema.as_object().unwrap_or_else(|| panic!("{place} is not an object"));
        let known: &[&str] = match schema["type"].as_str() {
            Some("object") => &["type", "properties", "required", "additionalProperties"],
            Some("array") => &["type", "items", "minItems", "maxItems"],
            Some("string") if fields.contains_key("enum") => &["type", "enum"],
            Some("string") => &["type", "minLength", "maxLength"],
            Some("integer") => &["type", "minimum", "maximum"],
            Some("boolean") => &["type"],
            other => panic!("{place} has the type {other:?}"),
        };
        let mut names: Vec<&str> = fields.keys().map(String::as_str).collect();
        let mut expected = known.to_vec();
        names.sort_unstable();
        expected.sort_unstable();
        assert_eq!(names, expected, "{place}");
        match schema["type"].as_str() {
            Some("object") => {
                assert_eq!(schema["additionalProperties"], false, "{place}");
                let properties = schema["properties"].as_object().expect("properties");
                let mut all: Vec<Value> = properties.keys().map(|name| name.as_str().into()).collect();
                let mut required = schema["required"].as_array().expect("required").clone();
                all.sort_by_key(ToString::to_string);
                required.sort_by_key(ToString::to_string);
                assert_eq!(all, required, "{place}: everything is required");
                let free = properties.values().filter(|part| part["type"] == "string" && part.get("enum").is_none());
                assert!(free.count() <= 1, "{place} has two free texts");
                for (name, part) in properties {
                    walk(part, &format!("{place}/{name}"));
                }
            }
            Some("array") => {
                assert!(schema["minItems"].as_u64() <= schema["maxItems"].as_u64(), "{place}");
                assert!(schema["maxItems"].as_u64().is_some_and(|most| most <= 24), "{place}");
                walk(&schema["items"], &format!("{place}[]"));
            }
            // llama-server's grammar fails on large ones.
            Some("string") if schema.get("enum").is_none() => {
                assert!(schema["maxLength"].as_u64().is_some_and(|most| most <= 400), "{place}");
            }
            _ => {}
        }
    }
    for task in each() {
        let structure = task.structure();
        walk(&structure.schema, &structure.name);
        assert!(structure.name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
    }
}

#[test]
fn counts_are_exact() {
    for count in Task::QUIZ_COUNTS {
        let list = quiz(count).structure().schema["properties"]["questions"].clone();
        assert_eq!((&list["minItems"], &list["maxItems"]), (&count.into(), &count.into()));
    }
    for (count, form, choice, open) in [
        (3, SheetForm::Choice, 3, 0),
        (7, SheetForm::Open, 0, 7),
        (5, SheetForm::Mixed, 3, 2),
        (10, SheetForm::Mixed, 5, 5),
    ] {
        let schema = Task::Sheet { topic: "agua".to_owned(), grade: 1, count, form }.structure().schema;
        for (list, wanted) in [("choice", choice), ("open", open)] {
            assert_eq!(schema["properties"][list]["minItems"], wanted, "{count} {form:?} {list}");
            assert_eq!(schema["properties"][list]["maxItems"], wanted, "{count} {form:?} {list}");
        }
    }
}
