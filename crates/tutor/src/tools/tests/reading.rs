//! From a text to a result, and what is refused or mended on the way.

use super::*;
use serde_json::{Value, json};

fn text(text: &str) -> Value {
    json!({ "text": text })
}

fn question(options: [&str; 4], answer: u8) -> Value {
    json!({"prompt": text("6 · 7?"), "options": (options.map(text)), "hint": text("Think."), "explanation": text("6 · 7 = 42"), "answer": answer})
}

fn quiz_of(first: Value) -> String {
    let other = question(["1", "2", "3", "4"], 3);
    json!({"title": text("Tables"), "questions": [first, other, other]}).to_string()
}

/// A sound result of each task of [`each`].
fn results() -> Vec<Value> {
    let choice = json!({"prompt": text("2 + 2?"), "options": (["1", "2", "3", "4"].map(text)), "explanation": text("2 + 2 = 4"), "answer": 3});
    let exercise =
        json!({"prompt": text("2 + 2?"), "hint": text("Count."), "steps": [text("2 + 2 = 4")], "answer": text("4")});
    let card = json!({"front": text("Peru"), "back": text("Lima")});
    vec![
        serde_json::from_str(&quiz_of(question(["40", "41", "42", "43"], 2))).expect("JSON"),
        json!({"title": text("Sums"), "exercises": [exercise, exercise, exercise]}),
        json!({"label": "Cell", "children": [
            {"label": "Membrane", "children": []},
            {"label": "Nucleus", "children": [{"label": "DNA", "children": [{"label": "genes"}]}]}]}),
        json!({"title": text("Parabola"), "description": text("A curve."),
               "shapes": [{"kind": "label", "x": 5, "y": 5, "width": 0, "height": 0, "tone": "plain", "label": "y = x²"}],
               "curves": [{"function": "parabola", "a": 1, "b": 0, "c": -2}]}),
        json!({"title": text("Capitals"), "cards": [card, card, card, card, card]}),
        json!({"title": text("Water"), "instructions": text("Answer all."), "choice": [choice, choice],
               "open": [{"prompt": text("Why does it rain?"), "lines": 4, "answer": text("Vapour cools.")}]}),
        json!({"lines": [text("$x^2 = 9$")], "unsure": false}),
    ]
}

#[test]
fn what_a_tool_made_stays_what_it_was() {
    for (task, result) in each().iter().zip(results()) {
        let content = task.read(&result.to_string()).unwrap_or_else(|error| panic!("{:?}: {error}", task.kind()));
        assert_eq!(content.kind(), task.kind());
        assert!(!content.title().is_empty());
        let saved = serde_json::to_value(&content).expect("JSON");
        assert_eq!(serde_json::from_value::<Content>(saved.clone()).expect("the same"), content);
        // Saved it says which tool made it; the rest is what came, field by field in the same order.
        let mut fields = saved.as_object().expect("an object").clone();
        assert!(fields.shift_remove("tool").is_some());
        assert_eq!(Value::Object(fields).to_string(), result.to_string());
    }
}

#[test]
fn what_is_cut_or_has_another_form_is_no_result() {
    for (task, result) in each().iter().zip(results()) {
        let whole = result.to_string();
        for end in (0..whole.len()).filter(|end| whole.is_char_boundary(*end)) {
            assert!(matches!(task.read(&whole[..end]), Err(NotAResult::Form(_))), "{}", &whole[..end]);
        }
        assert!(task.read(&format!("{whole} I hope this helps")).is_ok());
        let mut more = result.clone();
        more["more"] = json!(1);
        assert!(task.read(&more.to_string()).is_err());
    }
    for (task, other) in each().iter().zip(results().iter().cycle().skip(1)) {
        assert!(task.read(&other.to_string()).is_err(), "{:?}", task.kind());
    }
}

#[test]
fn answers_are_distinct_to_a_reader() {
    for (options, same) in [
        (["40", "41", "42", "43"], false),
        (["42", "42", "1", "2"], true),
        (["Lima", "LIMA ", "Quito", "Sucre"], true),
        (["x = 3", "3", "4", "5"], true),
        (["año", "ano", "mes", "día"], false),
        (["3,5", "3.5", "1", "2"], true),
        (["1/2", "0.5", "1", "2"], false),
    ] {
        let read = quiz(3).read(&quiz_of(question(options, 0)));
        match (&read, same) {
            (Ok(_), false) => {}
            (Err(NotAResult::Contradiction(why)), true) => assert_eq!(why, "question 1 has equal answers"),
            _ => panic!("{options:?}: {read:?}"),
        }
    }
}

#[test]
fn texts_of_spaces_are_empty() {
    for (task, mut result) in each().into_iter().zip(results()) {
        let (first, place) = match task.kind() {
            ToolKind::MindMap => ("/children/1/children/0/children/0/label", "label"),
            ToolKind::Reading => ("/lines/0/text", "line"),
            _ => ("/title/text", "title"),
        };
        *result.pointer_mut(first).expect(place) = json!(" \t ");
        assert!(matches!(task.read(&result.to_string()), Err(NotAResult::Contradiction(_))), "{:?}", task.kind());
    }
    // A shape may go without words.
    let mut drawing = results().swap_remove(3);
    drawing["shapes"][0] =
        json!({"kind": "ellipse", "x": 5, "y": 5, "width": 9, "height": 9, "tone": "plain", "label": " "});
    assert!(each()[3].read(&drawing.to_string()).is_ok());
}

#[test]
fn texts_lose_the_spaces_at_their_ends_and_formulas_find_their_backslashes() {
    let mut result = results().swap_remove(6);
    result["lines"][0]["text"] = json!("  $\u{c}rac{1}{2} \times 3$ ");
    let Ok(Content::Reading(reading)) = each()[6].read(&result.to_string()) else { panic!("a reading") };
    assert_eq!(reading.lines[0].text, r"$\frac{1}{2} \times 3$");
}

fn mind_map(children: Value) -> Result<Content, NotAResult> {
    each()[2].read(&json!({"label": "Cell", "children": children}).to_string())
}

#[test]
fn a_label_comes_once_among_neighbours() {
    let twigs = json!([{"label": "a"}, {"label": "A "}]);
    let read = mind_map(json!([
        {"label": "Núcleo", "children": [{"label": "x", "children": twigs}, {"label": "y", "children": []}, {"label": "X", "children": []}]},
        {"label": "nucleo", "children": []},
        {"label": "Membrana", "children": [{"label": "x", "children": []}]},
    ]));
    let Ok(Content::MindMap(map)) = read else { panic!("{read:?}") };
    let labels: Vec<&str> = map.children.iter().map(|branch| branch.label.as_str()).collect();
    assert_eq!(labels, ["Núcleo", "Membrana"]);
    assert_eq!(map.children[0].children.len(), 2);
    assert_eq!(map.children[0].children[0].children.len(), 1);
    // The same label elsewhere in the tree is no repetition.
    assert_eq!(map.children[1].children[0].label, "x");

    let read = mind_map(json!([{"label": "Same", "children": []}, {"label": "same", "children": []}]));
    assert!(matches!(read, Err(NotAResult::Contradiction(_))), "{read:?}");
}

fn shapes(shapes: &[(&str, i32, i32, i32, i32, &str)]) -> Result<Vec<Shape>, NotAResult> {
    let list: Vec<Value> = shapes
        .iter()
        .map(|(kind, x, y, width, height, label)| {
            json!({"kind": kind, "x": x, "y": y, "width": width, "height": height, "tone": "plain", "label": label})
        })
        .collect();
    let drawing = json!({"title": text("t"), "description": text("d"), "shapes": list, "curves": []});
    each()[3].read(&drawing.to_string()).map(|content| match content {
        Content::Illustration(drawing) => drawing.shapes,
        other => panic!("{other:?}"),
    })
}

#[test]
fn shapes_are_cut_at_the_paper() {
    for (given, expected) in [
        (("rectangle", 10, 10, 20, 20, ""), (ShapeKind::Rectangle, 10, 10, 20, 20)),
        (("rectangle", 90, 70, 20, 20, ""), (ShapeKind::Rectangle, 90, 70, 10, 5)),
        (("ellipse", 30, 30, -20, -40, ""), (ShapeKind::Ellipse, 10, 0, 20, 30)),
        (("triangle", 0, 0, 100, 75, ""), (ShapeKind::Triangle, 0, 0, 100, 75)),
        (("line", 90, 10, 50, -40, ""), (ShapeKind::Line, 90, 10, 10, -10)),
        (("arrow", 50, 75, 0, -75, ""), (ShapeKind::Arrow, 50, 75, 0, -75)),
        (("arrow", 5, 5, -10, 0, ""), (ShapeKind::Arrow, 5, 5, -5, 0)),
        (("rectangle", 100, 20, 20, 20, "edge"), (ShapeKind::Label, 100, 20, 0, 0)),
        (("line", 10, 10, 0, 0, "dot"), (ShapeKind::Label, 10, 10, 0, 0)),
    ] {
        let read = shapes(&[given]).unwrap_or_else(|error| panic!("{given:?}: {error}"));
        let shape = &read[0];
        assert_eq!((shape.kind, shape.x, shape.y, shape.width, shape.height), expected, "{given:?}");
        let inside = |from: u8, by: i8, edge: i16| (0..=edge).contains(&(i16::from(from) + i16::from(by)));
        assert!(inside(shape.x, shape.width, 100) && inside(shape.y, shape.height, 75), "{given:?}");
    }
}

#[test]
fn what_cannot_be_seen_is_left_out() {
    let seen =
        shapes(&[("rectangle", 1, 1, 0, 5, ""), ("label", 1, 1, 0, 0, " "), ("line", 1, 1, 5, 0, "")]).expect("a line");
    assert_eq!(seen.len(), 1);
    assert!(matches!(shapes(&[("rectangle", 1, 1, 0, 5, "")]), Err(NotAResult::Contradiction(_))));
    assert!(matches!(shapes(&[]), Err(NotAResult::Contradiction(_))));
}

#[test]
fn what_cannot_be_asked_for_is_said() {
    for task in each() {
        assert_eq!(task.check(), Ok(()), "{:?}", task.kind());
    }
    let topic = |topic: &str| Task::Flashcards { topic: topic.to_owned(), count: 5 }.check();
    assert_eq!(topic(" x "), Err(NotATask::Topic { chars: 1 }));
    assert_eq!(topic(&"ñ".repeat(200)), Ok(()));
    assert_eq!(topic(&"ñ".repeat(201)), Err(NotATask::Topic { chars: 201 }));
    assert_eq!(quiz(4).check(), Err(NotATask::Count { count: 4, offered: &Task::QUIZ_COUNTS }));
    let sheet = |grade| Task::Sheet { topic: "agua".to_owned(), grade, count: 3, form: SheetForm::Open }.check();
    assert_eq!((sheet(0), sheet(12)), (Err(NotATask::Grade { grade: 0 }), Ok(())));
    assert_eq!(Task::MindMap { about: About::Text(" \n".to_owned()) }.check(), Err(NotATask::NoText));
    assert_eq!(Task::MindMap { about: About::Topic("x".to_owned()) }.check(), Err(NotATask::Topic { chars: 1 }));
}
