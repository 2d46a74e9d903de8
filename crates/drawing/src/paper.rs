//! Squared paper.

use crate::scene::{Item, Paint};
use crate::svg::number;

/// Side of a square.
const SQUARE: f64 = 28.0;

/// The paper of a drawing and its squares, the same margin on both sides.
pub(crate) fn paper(width: f64, height: f64) -> Vec<Item> {
    let mut d = String::new();
    for x in lines(width) {
        d.push_str(&format!("M {} 0 L {} {} ", number(x), number(x), number(height)));
    }
    for y in lines(height) {
        d.push_str(&format!("M 0 {} L {} {} ", number(y), number(width), number(y)));
    }
    let d = d.trim_end().to_owned();
    vec![
        sheet(width, height),
        Item::Path { d, fill: Paint::None, stroke: Paint::Grid, stroke_width: 1.0, dash: Vec::new() },
    ]
}

/// Paper without squares.
pub(crate) fn sheet(width: f64, height: f64) -> Item {
    let (fill, stroke) = (Paint::Surface, Paint::None);
    Item::Rect { x: 0.0, y: 0.0, width, height, radius: 0.0, fill, stroke, stroke_width: 0.0 }
}

/// Where lines cross an edge of this length. On half units, so that a line of 1 is sharp.
fn lines(length: f64) -> impl Iterator<Item = f64> {
    let first = ((length % SQUARE) / 2.0).floor() + 0.5;
    (0..).map(move |idx| first + f64::from(idx) * SQUARE).take_while(move |at| *at < length)
}
