//! `aula make`

use std::path::Path;

use serde_json::json;

use crate::support::Machine;

/// A computer with the real demo model.
fn machine() -> Machine {
    Machine::with_demo(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/demo/aula-demo.gguf"))
}

#[test]
fn a_quiz_is_made_on_this_computer() {
    let quiz = machine().json(["make", "quiz", "las fracciones", "--count", "3", "--lang", "es", "--json"]);
    assert_eq!((&quiz["content"]["tool"], &quiz["summary"]["badge"]["kind"]), (&json!("quiz"), &json!("demo")));
    let questions = quiz["content"]["questions"].as_array().expect("questions");
    assert_eq!(questions.len(), 3);
    for question in questions {
        assert_eq!(question["options"].as_array().map(Vec::len), Some(4), "{question}");
        assert!(question["answer"].as_u64().is_some_and(|place| place < 4), "{question}");
    }
}

#[test]
fn a_map_is_printed_as_a_list_and_saved_as_a_drawing() {
    let machine = machine();
    let printed = machine.run(["make", "mind-map", "the water cycle", "--lang", "en"]);
    assert!(printed.stdout.starts_with("# "), "{}", printed.stdout);
    assert!(printed.stdout.contains("\n- "), "{}", printed.stdout);
    for (name, begins) in [("map.svg", b"<svg ".as_slice()), ("map.png", b"\x89PNG")] {
        let path = machine.root().join(name);
        let path_arg = path.to_string_lossy().into_owned();
        machine.run(["make", "mind-map", "the water cycle", "--lang", "en", "--out", &path_arg]);
        let bytes = std::fs::read(&path).expect("the file");
        assert!(bytes.starts_with(begins), "{}", String::from_utf8_lossy(&bytes[..40]));
    }
    let left: Vec<_> = std::fs::read_dir(machine.root()).expect("folder").flatten().map(|entry| entry.path()).collect();
    assert!(!left.iter().any(|path| path.extension().is_some_and(|ending| ending == "part")), "{left:?}");
}

#[test]
fn what_cannot_be_made_is_said() {
    let machine = machine();
    for (args, words) in [
        (vec!["make", "quiz", "x"], "error"),
        (vec!["make", "quiz", "fractions", "--count", "4"], "error"),
        (vec!["make", "quiz", "fractions", "--out", "quiz.svg"], "cannot be saved"),
        // A new profile is a learner's: no sheets, no Cloud Boost.
        (vec!["make", "sheet", "fractions"], "this is for adult profiles only"),
        (vec!["make", "quiz", "fractions", "--engine", "cloud"], "error"),
    ] {
        let output = machine.command(&args).output().expect("aula");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{args:?}: {said}");
        assert!(said.contains(words) && said.contains("hint: "), "{args:?}: {said}");
    }
}
