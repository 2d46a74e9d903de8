//! Shapes in units of the drawing.

use tutor::tools::{Shape, ShapeKind, Tone};

use super::{MARGIN, UNIT};
use crate::scene::{Anchor, Item, Paint, TextLine};
use crate::svg::number;
use crate::text::clean;

/// Width of lines.
const LINE: f64 = 2.0;
/// Length of an arrow's head.
const HEAD: f64 = 14.0;

pub(super) fn shape(shape: &Shape) -> Vec<Item> {
    let (x, y) = (MARGIN + f64::from(shape.x) * UNIT, MARGIN + f64::from(shape.y) * UNIT);
    let (width, height) = (f64::from(shape.width) * UNIT, f64::from(shape.height) * UNIT);
    let (left, top, wide, high) = (x.min(x + width), y.min(y + height), width.abs(), height.abs());
    let fill = fill(shape.tone);
    let mut items = Vec::new();
    match shape.kind {
        ShapeKind::Rectangle => items.push(Item::Rect {
            x: left,
            y: top,
            width: wide,
            height: high,
            radius: 3.0,
            fill,
            stroke: Paint::Ink,
            stroke_width: LINE,
        }),
        ShapeKind::Ellipse => items.push(Item::Ellipse {
            cx: left + wide / 2.0,
            cy: top + high / 2.0,
            rx: wide / 2.0,
            ry: high / 2.0,
            fill,
            stroke: Paint::Ink,
            stroke_width: LINE,
        }),
        ShapeKind::Triangle => {
            items.push(path(&[(left, top + high), (left + wide / 2.0, top), (left + wide, top + high)], true, fill))
        }
        ShapeKind::Line => items.push(path(&[(x, y), (x + width, y + height)], false, Paint::None)),
        ShapeKind::Arrow => {
            let end = (x + width, y + height);
            items.push(path(&[(x, y), end], false, Paint::None));
            let length = width.hypot(height);
            if length > 0.0 {
                let (along, across) = ((width / length, height / length), (-height / length, width / length));
                let side = |sign: f64| {
                    (
                        end.0 - along.0 * HEAD + sign * across.0 * HEAD * 0.45,
                        end.1 - along.1 * HEAD + sign * across.1 * HEAD * 0.45,
                    )
                };
                items.push(path(&[side(1.0), end, side(-1.0)], true, Paint::Ink));
            }
        }
        ShapeKind::Label => {}
    }
    if !shape.label.trim().is_empty() {
        items.push(Item::Text(TextLine {
            x: left + wide / 2.0,
            y: top + high / 2.0 + 5.0,
            size: 16.0,
            bold: false,
            anchor: Anchor::Middle,
            fill: Paint::Ink,
            halo: true,
            text: clean(&shape.label),
        }));
    }
    items
}

fn path(points: &[(f64, f64)], closed: bool, fill: Paint) -> Item {
    let mut d = String::new();
    for (idx, (x, y)) in points.iter().enumerate() {
        let command = if idx == 0 { "M" } else { " L" };
        d.push_str(&format!("{command} {} {}", number(*x), number(*y)));
    }
    if closed {
        d.push_str(" Z");
    }
    Item::Path { d, fill, stroke: Paint::Ink, stroke_width: LINE, dash: Vec::new() }
}

pub(super) fn fill(tone: Tone) -> Paint {
    match tone {
        Tone::Plain => Paint::Surface,
        Tone::Green => Paint::AppSoft,
        Tone::Yellow => Paint::Mark,
        Tone::Orange => Paint::YetSoft,
    }
}
