//! What a model wrote stays text in SVG, and SVG stays what we write.

use drawing::{Drawing, Item, MOST_PIXELS, Theme, illustration, mind_map, png, svg};
use resvg::usvg::roxmltree::Document;
use tutor::tools::{Illustration, Shape, ShapeKind, Tone};

use crate::strange::{ATTACKS, full_of};

/// Every element that we write, with the attributes that it may have.
const WRITTEN: &[(&str, &[&str])] = &[
    ("svg", &["viewBox", "width", "height", "role", "font-family"]),
    ("title", &[]),
    ("desc", &[]),
    ("rect", &["x", "y", "width", "height", "rx", "fill", "stroke", "stroke-width"]),
    ("ellipse", &["cx", "cy", "rx", "ry", "fill", "stroke", "stroke-width"]),
    ("path", &["d", "stroke-dasharray", "stroke-linecap", "stroke-linejoin", "fill", "stroke", "stroke-width"]),
    (
        "text",
        &[
            "x",
            "y",
            "font-size",
            "font-weight",
            "text-anchor",
            "fill",
            "stroke",
            "stroke-width",
            "stroke-linejoin",
            "aria-hidden",
        ],
    ),
];

/// The document has our elements and attributes only, and says exactly the drawing's texts.
fn check(drawing: &Drawing, theme: Theme) {
    let text = svg(drawing, theme);
    let document = Document::parse(&text).expect("well-formed");
    let mut said = Vec::new();
    for node in document.descendants().filter(|node| node.is_element()) {
        let name = node.tag_name().name();
        let (_, allowed) = WRITTEN.iter().find(|(known, _)| *known == name).expect(name);
        for attribute in node.attributes() {
            assert!(allowed.contains(&attribute.name()), "{name} {}", attribute.name());
            let value = attribute.value();
            assert!(!value.contains("url") && !value.contains("NaN") && !value.contains("inf"), "{value}");
        }
        if name == "text" && node.attribute("aria-hidden").is_none() {
            said.push(node.text().unwrap_or_default().to_owned());
        }
    }
    let meant: Vec<String> = drawing
        .items
        .iter()
        .filter_map(|item| match item {
            Item::Text(line) => Some(line.text.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(said, meant);
    let child = |name: &str| {
        document.descendants().find(|node| node.has_tag_name(name)).and_then(|node| node.text()).map(str::to_owned)
    };
    let named = |name: &str| document.descendants().find(|node| node.tag_name().name() == name);
    assert_eq!(named("title").and_then(|node| node.text()), Some(drawing.title.as_str()));
    assert_eq!(named("desc").and_then(|node| node.text()), Some(drawing.description.as_str()));
    assert_eq!(child("script"), None);
    for c in text.chars() {
        assert!(c == '\n' || !c.is_control(), "{c:?}");
        assert!(!matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}'));
    }
}

fn scene(text: &str) -> Illustration {
    let kinds = [ShapeKind::Rectangle, ShapeKind::Ellipse, ShapeKind::Arrow, ShapeKind::Label];
    let shape = |(idx, kind): (usize, ShapeKind)| Shape {
        kind,
        x: 20 * idx as u8,
        y: 20,
        width: 15,
        height: 12,
        tone: Tone::Yellow,
        label: text.to_owned(),
    };
    Illustration {
        title: text.into(),
        description: text.into(),
        shapes: kinds.into_iter().enumerate().map(shape).collect(),
        curves: Vec::new(),
    }
}

#[test]
fn attacks_stay_text() {
    for text in ATTACKS {
        check(&mind_map(&full_of(text)), Theme::Light);
        check(&illustration(&scene(text)), Theme::Dark);
    }
}

#[test]
fn what_a_label_says_is_kept_letter_by_letter() {
    let text = "<b>5 < 6 & \"x\" > 'y'</b>";
    let drawing = mind_map(&full_of(text));
    assert_eq!(drawing.title, text);
    assert_eq!(drawing.nodes[1].label, text);
    let lines: Vec<&str> = drawing
        .items
        .iter()
        .filter_map(|item| match item {
            Item::Text(line) => Some(line.text.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(lines[0], text);
}

#[test]
fn numbers_have_at_most_two_decimals() {
    let text = svg(&mind_map(&full_of("una palabra")), Theme::Print);
    for word in text.split(|c: char| !(c.is_ascii_digit() || c == '.')) {
        let decimals = word.split_once('.').map_or(0, |(_, decimals)| decimals.len());
        assert!(decimals <= 2, "{word}");
    }
}

#[test]
fn every_theme_paints_every_drawing() {
    for theme in Theme::ALL {
        check(&mind_map(&full_of("hola")), theme);
    }
    assert_ne!(svg(&mind_map(&full_of("a")), Theme::Light), svg(&mind_map(&full_of("a")), Theme::Dark));
}

/// Width and height of a PNG, as its header says.
fn size(png: &[u8]) -> (u32, u32) {
    let number = |at: usize| u32::from_be_bytes([png[at], png[at + 1], png[at + 2], png[at + 3]]);
    (number(16), number(20))
}

#[test]
fn a_picture_has_the_size_that_was_asked_for_within_limits() {
    let drawing = mind_map(&full_of("hola"));
    let picture = png(&drawing, Theme::Light, 0.5).expect("drawn");
    assert_eq!(picture[..8], *b"\x89PNG\r\n\x1a\n");
    let (width, height) = size(&picture);
    assert!((f64::from(width) - drawing.width / 2.0).abs() <= 1.0);
    assert!((f64::from(height) - drawing.height / 2.0).abs() <= 1.0);

    let huge = Drawing { width: 400_000.0, height: 300.0, items: Vec::new(), ..drawing.clone() };
    assert_eq!(size(&png(&huge, Theme::Light, 2.0).expect("drawn")).0, MOST_PIXELS);
    for scale in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        assert!(png(&drawing, Theme::Light, scale).is_err(), "{scale}");
    }
}

#[test]
fn words_of_a_picture_are_set_in_the_font_that_is_compiled_in() {
    let with = png(&mind_map(&full_of("hola α → H₂O")), Theme::Light, 0.5).expect("drawn");
    let mut empty = mind_map(&full_of("hola α → H₂O"));
    empty.items.retain(|item| !matches!(item, Item::Text(_)));
    let without = png(&empty, Theme::Light, 0.5).expect("drawn");
    assert!(with.len() > without.len() + 1000);
}
