//! What illustrations do with anything that the schema allows, and beyond.

use drawing::{Anchor, Drawing, Item, Paint, TextLine, illustration};
use proptest::prelude::*;
use tutor::tools::{Curve, Function, Illustration, Shape, ShapeKind, Tone};

use crate::strange;

const KINDS: [ShapeKind; 6] = [
    ShapeKind::Rectangle,
    ShapeKind::Ellipse,
    ShapeKind::Triangle,
    ShapeKind::Line,
    ShapeKind::Arrow,
    ShapeKind::Label,
];
const TONES: [Tone; 4] = [Tone::Plain, Tone::Green, Tone::Yellow, Tone::Orange];
const FUNCTIONS: [Function; 5] =
    [Function::Line, Function::Parabola, Function::Sine, Function::Exponential, Function::Hyperbola];

fn shape() -> impl Strategy<Value = Shape> {
    let label = prop_oneof![2 => strange::label(30), 1 => Just(String::new())];
    (0..6_usize, any::<u8>(), any::<u8>(), any::<i8>(), any::<i8>(), 0..4_usize, label, any::<bool>()).prop_map(
        |(kind, x, y, width, height, tone, label, flat)| Shape {
            kind: KINDS[kind],
            x: x % 101,
            y: y % 76,
            width: if flat { 0 } else { width % 101 },
            height: height % 76,
            tone: TONES[tone],
            label,
        },
    )
}

fn curve() -> impl Strategy<Value = Curve> {
    (0..5_usize, -10..=10_i8, -10..=10_i8, -10..=10_i8).prop_map(|(function, a, b, c)| Curve {
        function: FUNCTIONS[function],
        a,
        b,
        c,
    })
}

fn drawing(shapes: Vec<Shape>, curves: Vec<Curve>) -> Drawing {
    illustration(&Illustration { title: "t".into(), description: "d".into(), shapes, curves })
}

/// The numbers of path data.
fn numbers(d: &str) -> Vec<f64> {
    d.split([' ', 'M', 'L', 'C', 'Z']).filter(|part| !part.is_empty()).map(|part| part.parse().expect(d)).collect()
}

/// Where the letters of a line are, about: what fonts differ in is left out.
fn bounds(line: &TextLine) -> (f64, f64) {
    (line.y - line.size * 0.75, line.y + line.size * 0.2)
}

fn check(drawing: &Drawing) {
    let (width, height) = (drawing.width, drawing.height);
    let on_paper = |x: f64, y: f64| x >= -0.01 && y >= -0.01 && x <= width + 0.01 && y <= height + 0.01;
    for item in &drawing.items {
        match item {
            Item::Rect { x, y, width, height, .. } => assert!(on_paper(*x, *y) && on_paper(x + width, y + height)),
            Item::Ellipse { cx, cy, rx, ry, .. } => {
                assert!(on_paper(cx - rx, cy - ry) && on_paper(cx + rx, cy + ry), "{item:?}");
            }
            Item::Path { d, .. } => {
                for point in numbers(d).chunks(2) {
                    assert!(on_paper(point[0], point[1]), "{d}");
                }
            }
            Item::Text(line) => {
                let (top, bottom) = bounds(line);
                assert!(on_paper(line.x, top) && on_paper(line.x, bottom), "{line:?}");
                assert!(line.size >= 15.0);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn everything_lies_on_the_paper(
        shapes in proptest::collection::vec(shape(), 0..=16),
        curves in proptest::collection::vec(curve(), 0..=2),
    ) {
        check(&drawing(shapes, curves));
    }
}

/// Lines of labels with their left and right edges; all letters of `text` are equally wide.
fn label_boxes(drawing: &Drawing, letter: f64) -> Vec<(f64, f64, f64, f64)> {
    drawing
        .items
        .iter()
        .filter_map(|item| match item {
            Item::Text(line) if line.anchor == Anchor::Middle => {
                let half = line.text.chars().count() as f64 * letter / 2.0;
                let (top, bottom) = bounds(line);
                Some((line.x - half, top, line.x + half, bottom))
            }
            _ => None,
        })
        .collect()
}

#[test]
fn labels_in_one_place_move_apart() {
    for count in [2, 8, 16] {
        let shapes = (0..count).map(|idx| Shape {
            kind: KINDS[idx % 6],
            x: 50,
            y: 40,
            width: 2,
            height: 2,
            tone: Tone::Plain,
            label: "nnnnnnnn nnnnnnnn nnnnnnnn".to_owned(),
        });
        let drawing = drawing(shapes.collect(), Vec::new());
        check(&drawing);
        let boxes = label_boxes(&drawing, 8.0);
        assert!(boxes.len() >= count);
        for (idx, a) in boxes.iter().enumerate() {
            for b in &boxes[idx + 1..] {
                assert!(a.0 >= b.2 || b.0 >= a.2 || a.1 >= b.3 || b.1 >= a.3, "{a:?} and {b:?} of {count}");
            }
        }
    }
}

fn lone(kind: ShapeKind, x: u8, y: u8, width: i8, height: i8, label: &str) -> Vec<Item> {
    let shape = Shape { kind, x, y, width, height, tone: Tone::Green, label: label.to_owned() };
    drawing(vec![shape], Vec::new()).items.split_off(2)
}

#[test]
fn a_label_that_fits_stands_inside_and_one_that_does_not_beside() {
    let inside = lone(ShapeKind::Rectangle, 20, 20, 40, 30, "Mar");
    assert_eq!(inside.len(), 2);
    let Item::Text(line) = &inside[1] else { panic!("{inside:?}") };
    assert_eq!((line.x, line.halo), (32.0 + 40.0 * 8.0, false));
    let beside = lone(ShapeKind::Ellipse, 20, 20, 5, 5, "Mitocondria");
    let Some(Item::Text(line)) = beside.last() else { panic!("{beside:?}") };
    assert!(line.y > 32.0 + 25.0 * 8.0 && line.halo);
}

#[test]
fn what_has_no_size_is_a_point_and_words_alone_are_words() {
    for kind in [ShapeKind::Rectangle, ShapeKind::Ellipse, ShapeKind::Triangle, ShapeKind::Line, ShapeKind::Arrow] {
        let items = lone(kind, 50, 50, 0, 0, "");
        assert!(matches!(items.as_slice(), [Item::Ellipse { rx, .. }] if *rx == 4.0), "{items:?}");
    }
    assert!(lone(ShapeKind::Label, 50, 50, 10, 10, "").is_empty());
    assert_eq!(lone(ShapeKind::Label, 50, 50, 10, 10, "x").len(), 1);
}

#[test]
fn a_shape_that_would_hide_an_earlier_one_is_drawn_before_it() {
    let shape = |x, size, tone| Shape {
        kind: ShapeKind::Rectangle,
        x,
        y: 10,
        width: size,
        height: size,
        tone,
        label: String::new(),
    };
    let drawing = drawing(vec![shape(20, 10, Tone::Yellow), shape(5, 50, Tone::Green)], Vec::new());
    let fills: Vec<Paint> = drawing
        .items
        .iter()
        .skip(1)
        .filter_map(|item| match item {
            Item::Rect { fill, .. } => Some(*fill),
            _ => None,
        })
        .collect();
    assert_eq!(fills, [Paint::AppSoft, Paint::Mark]);
}

/// The pieces of a curve as points on the paper, and the words beside it.
fn plotted(function: Function, a: i8, b: i8, c: i8) -> (Vec<Vec<f64>>, Vec<String>) {
    let drawing = drawing(Vec::new(), vec![Curve { function, a, b, c }]);
    check(&drawing);
    let mut pieces = Vec::new();
    let mut words = Vec::new();
    for item in drawing.items {
        match item {
            Item::Path { d, stroke: Paint::App, .. } => pieces.push(numbers(&d)),
            Item::Text(line) => words.push(line.text),
            _ => {}
        }
    }
    (pieces, words)
}

#[test]
fn a_hyperbola_has_two_pieces_that_never_cross_its_asymptote() {
    let (pieces, words) = plotted(Function::Hyperbola, 6, 0, 0);
    assert_eq!(pieces.len(), 2);
    let middle = 432.0;
    assert!(pieces[0].chunks(2).all(|point| point[0] < middle), "the left piece stays left");
    assert!(pieces[1].chunks(2).all(|point| point[0] > middle), "the right piece stays right");
    assert!(words.contains(&"y = 6/x".to_owned()), "{words:?}");
}

#[test]
fn a_parabola_names_its_vertex_and_its_roots() {
    let (pieces, words) = plotted(Function::Parabola, 1, -2, -3);
    assert_eq!(pieces.len(), 1);
    for word in ["y = x² − 2x − 3", "(1, −4)", "(−1, 0)", "(3, 0)"] {
        assert!(words.contains(&word.to_owned()), "{word} of {words:?}");
    }
}

#[test]
fn formulas_are_written_as_by_hand() {
    let formula = |function, a, b, c| {
        plotted(function, a, b, c).1.into_iter().find(|word| word.starts_with("y =")).expect("a formula")
    };
    assert_eq!(formula(Function::Line, 9, -1, 0), "y = −x");
    assert_eq!(formula(Function::Line, 9, 0, 0), "y = 0");
    assert_eq!(formula(Function::Parabola, 0, 2, 1), "y = 2x + 1");
    assert_eq!(formula(Function::Parabola, -10, 10, 10), "y = −10x² + 10x + 10");
    assert_eq!(formula(Function::Sine, 3, 2, -1), "y = 3 sin(2x) − 1");
    assert_eq!(formula(Function::Sine, 3, 0, -1), "y = −1");
    assert_eq!(formula(Function::Exponential, 1, 1, 0), "y = 2ˣ");
    assert_eq!(formula(Function::Exponential, -5, -3, 2), "y = −5 · 2⁻³ˣ + 2");
    assert_eq!(formula(Function::Hyperbola, -1, 3, 2), "y = −1/x + 2");
}

#[test]
fn constants_are_level_lines_through_their_number() {
    for (function, a, b, c) in [
        (Function::Line, 5, 0, 3),
        (Function::Parabola, 0, 0, 3),
        (Function::Sine, 0, 5, 3),
        (Function::Exponential, 0, 5, 3),
        (Function::Exponential, 3, 0, 0),
        (Function::Hyperbola, 0, 5, 3),
    ] {
        let (pieces, _) = plotted(function, a, b, c);
        assert_eq!(pieces.len(), 1, "{function:?}");
        let heights: Vec<f64> = pieces[0].chunks(2).map(|point| point[1]).collect();
        assert!(heights.iter().all(|height| (height - heights[0]).abs() < 0.02), "{function:?}");
    }
}
