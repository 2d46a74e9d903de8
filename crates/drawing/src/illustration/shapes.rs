//! Shapes in units of the drawing: brought onto the paper, with their outlines and their labels.

use tutor::tools::{Shape, ShapeKind, Tone};

use super::labels::{Area, Label, Obstacles, dot};
use super::{UNIT, grid};
use crate::scene::{Item, Paint};
use crate::svg::number;
use crate::text::clean;

/// Width of lines.
const LINE: f64 = 2.0;
/// Length of an arrow's head.
const HEAD: f64 = 14.0;
/// What is smaller is a point.
const LEAST: f64 = 1.5;
/// Thinnest rectangle, ellipse or triangle.
const THIN: f64 = 4.0;
/// Radius of a point.
const POINT: f64 = 4.0;

/// What is drawn.
#[derive(Debug, Clone, PartialEq)]
enum Form {
    Rectangle(Area),
    Ellipse(Area),
    Triangle(Area),
    Line((f64, f64), (f64, f64)),
    Arrow((f64, f64), (f64, f64)),
    Point((f64, f64)),
    /// Words alone.
    Words(Area),
}

/// A shape on the paper.
#[derive(Debug)]
pub(super) struct Placed {
    form: Form,
    fill: Paint,
    label: String,
}

impl Placed {
    pub(super) fn of(shape: &Shape) -> Self {
        let grid = grid();
        let x = (grid.x + f64::from(shape.x) * UNIT).min(grid.x + grid.width);
        let y = (grid.y + f64::from(shape.y) * UNIT).min(grid.y + grid.height);
        let (width, height) = (f64::from(shape.width) * UNIT, f64::from(shape.height) * UNIT);
        let area = Area::new(x.min(x + width), y.min(y + height), width.abs(), height.abs());
        let is_point = width.hypot(height) < LEAST;
        let form = match shape.kind {
            ShapeKind::Label => Form::Words(cut(area, &grid)),
            _ if is_point => Form::Point((x, y)),
            ShapeKind::Rectangle => Form::Rectangle(thick(cut(area, &grid), &grid)),
            ShapeKind::Ellipse => Form::Ellipse(thick(moved(area, &grid), &grid)),
            ShapeKind::Triangle => Form::Triangle(thick(moved(area, &grid), &grid)),
            ShapeKind::Line => Form::Line((x, y), reach((x, y), (width, height), &grid)),
            ShapeKind::Arrow => Form::Arrow((x, y), reach((x, y), (width, height), &grid)),
        };
        let label = if shape.label.trim().is_empty() { String::new() } else { clean(&shape.label) };
        Self { form, fill: fill(shape.tone), label }
    }

    /// Its box, if it can cover something.
    fn covering(&self) -> Option<&Area> {
        match &self.form {
            Form::Rectangle(area) | Form::Ellipse(area) | Form::Triangle(area) => Some(area),
            _ => None,
        }
    }

    /// Whether `other` would be hidden behind it.
    pub(super) fn hides(&self, other: &Self) -> bool {
        let (Some(area), Some(inner)) = (self.covering(), other.covering()) else { return false };
        area.holds(inner) && area != inner
    }

    pub(super) fn items(&self) -> Vec<Item> {
        let (fill, stroke) = (self.fill, Paint::Ink);
        match &self.form {
            Form::Rectangle(Area { x, y, width, height }) => vec![Item::Rect {
                x: *x,
                y: *y,
                width: *width,
                height: *height,
                radius: 3.0_f64.min(width / 2.0).min(height / 2.0),
                fill,
                stroke,
                stroke_width: LINE,
            }],
            Form::Ellipse(area) => {
                let (cx, cy) = area.middle();
                vec![Item::Ellipse {
                    cx,
                    cy,
                    rx: area.width / 2.0,
                    ry: area.height / 2.0,
                    fill,
                    stroke,
                    stroke_width: LINE,
                }]
            }
            Form::Triangle(area) => vec![path(&triangle(area), true, fill)],
            Form::Line(from, to) => vec![path(&[*from, *to], false, Paint::None)],
            Form::Arrow(from, to) => arrow(*from, *to),
            Form::Point(at) => vec![dot(*at, POINT, Paint::Ink)],
            Form::Words(_) => Vec::new(),
        }
    }

    /// Adds its outline to what labels should not hide.
    pub(super) fn outline(&self, obstacles: &mut Obstacles) {
        match &self.form {
            Form::Rectangle(area) => {
                obstacles.cover(area);
                obstacles.line(&corners(area));
            }
            Form::Ellipse(area) => {
                obstacles.cover(&shrunk(area, 0.7, 0.7));
                let (cx, cy) = area.middle();
                let at = |step: u32| {
                    let angle = f64::from(step) * std::f64::consts::TAU / 32.0;
                    (cx + area.width / 2.0 * angle.cos(), cy + area.height / 2.0 * angle.sin())
                };
                obstacles.line(&(0..=32).map(at).collect::<Vec<_>>());
            }
            Form::Triangle(area) => {
                let [a, b, c] = triangle(area);
                obstacles.line(&[a, b, c, a]);
            }
            Form::Line(from, to) | Form::Arrow(from, to) => obstacles.line(&[*from, *to]),
            Form::Point(at) => obstacles.take(Area::new(at.0 - POINT, at.1 - POINT, 2.0 * POINT, 2.0 * POINT)),
            Form::Words(_) => {}
        }
    }

    /// Its words, with the places where they may stand.
    pub(super) fn label(&self) -> Option<Label> {
        if self.label.is_empty() {
            return None;
        }
        let text = self.label.as_str();
        let label = Label::new(text, 3);
        // On marigold only the darkest colour can be read in every theme.
        let on_fill = if self.fill == Paint::Mark { Paint::Board } else { Paint::Ink };
        Some(match &self.form {
            Form::Rectangle(area) => label.inside(text, area.grown(-6.0), on_fill).around(*area, area.middle()),
            Form::Ellipse(area) => {
                let inner = shrunk(area, 0.8, 0.6);
                label.inside(text, inner, on_fill).around(*area, area.middle())
            }
            Form::Triangle(area) => {
                let inner = Area::new(
                    area.x + area.width * 0.24,
                    area.y + area.height * 0.48,
                    area.width * 0.52,
                    area.height * 0.46,
                );
                let target = (area.x + area.width / 2.0, area.y + area.height * 0.6);
                label.inside(text, inner, on_fill).around(*area, target)
            }
            Form::Line(from, to) | Form::Arrow(from, to) => label.along(*from, *to),
            Form::Point(at) => label.around(Area::new(at.0 - POINT, at.1 - POINT, 2.0 * POINT, 2.0 * POINT), *at),
            Form::Words(area) => Label::new(text, 1).at(*area, grid()),
        })
    }
}

fn shrunk(area: &Area, wide: f64, high: f64) -> Area {
    let (x, y) = area.middle();
    Area::new(x - area.width * wide / 2.0, y - area.height * high / 2.0, area.width * wide, area.height * high)
}

/// The part of `area` that lies on the grid.
fn cut(area: Area, grid: &Area) -> Area {
    let right = (area.x + area.width).min(grid.x + grid.width);
    let under = (area.y + area.height).min(grid.y + grid.height);
    let (x, y) = (area.x.max(grid.x), area.y.max(grid.y));
    Area::new(x, y, (right - x).max(0.0), (under - y).max(0.0))
}

/// `area` moved onto the grid, because round and pointed forms lose their form when they are cut.
fn moved(area: Area, grid: &Area) -> Area {
    let (width, height) = (area.width.min(grid.width), area.height.min(grid.height));
    let x = area.x.clamp(grid.x, grid.x + grid.width - width);
    let y = area.y.clamp(grid.y, grid.y + grid.height - height);
    Area::new(x, y, width, height)
}

/// `area` at least [`THIN`] units thick, still on the grid.
fn thick(area: Area, grid: &Area) -> Area {
    moved(Area { width: area.width.max(THIN), height: area.height.max(THIN), ..area }, grid)
}

/// Where a line from `from` that goes as far as `by` ends: on the grid.
fn reach(from: (f64, f64), by: (f64, f64), grid: &Area) -> (f64, f64) {
    let part = |start: f64, by: f64, low: f64, high: f64| {
        if by > 0.0 {
            (high - start) / by
        } else if by < 0.0 {
            (low - start) / by
        } else {
            1.0
        }
    };
    let across = part(from.0, by.0, grid.x, grid.x + grid.width);
    let down = part(from.1, by.1, grid.y, grid.y + grid.height);
    let least = across.min(down).clamp(0.0, 1.0);
    (from.0 + by.0 * least, from.1 + by.1 * least)
}

fn corners(area: &Area) -> [(f64, f64); 5] {
    let (right, under) = (area.x + area.width, area.y + area.height);
    [(area.x, area.y), (right, area.y), (right, under), (area.x, under), (area.x, area.y)]
}

fn triangle(area: &Area) -> [(f64, f64); 3] {
    let under = area.y + area.height;
    [(area.x, under), (area.x + area.width / 2.0, area.y), (area.x + area.width, under)]
}

/// A line with a head at its end. Short arrows have small heads.
pub(super) fn arrow(from: (f64, f64), to: (f64, f64)) -> Vec<Item> {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let length = dx.hypot(dy);
    if length < LEAST {
        return vec![dot(to, POINT, Paint::Ink)];
    }
    let (ax, ay) = (dx / length, dy / length);
    let head = HEAD.min(length * 0.6);
    let base = (to.0 - ax * head, to.1 - ay * head);
    let side = |sign: f64| (base.0 - sign * ay * head * 0.42, base.1 + sign * ax * head * 0.42);
    let shaft = path(&[from, (to.0 - ax * head * 0.8, to.1 - ay * head * 0.8)], false, Paint::None);
    let Item::Path { d, dash, .. } = path(&[side(1.0), to, side(-1.0)], true, Paint::Ink) else { return vec![shaft] };
    vec![shaft, Item::Path { d, fill: Paint::Ink, stroke: Paint::Ink, stroke_width: 1.0, dash }]
}

fn path(points: &[(f64, f64)], closed: bool, fill: Paint) -> Item {
    let end = if closed { " Z" } else { "" };
    Item::Path { d: through(points) + end, fill, stroke: Paint::Ink, stroke_width: LINE, dash: Vec::new() }
}

/// Path data of straight lines through `points`.
pub(super) fn through(points: &[(f64, f64)]) -> String {
    let mut d = String::new();
    for (idx, (x, y)) in points.iter().enumerate() {
        d.push_str(if idx == 0 { "M " } else { " L " });
        d.push_str(&format!("{} {}", number(*x), number(*y)));
    }
    d
}

fn fill(tone: Tone) -> Paint {
    match tone {
        Tone::Plain => Paint::Surface,
        Tone::Green => Paint::AppSoft,
        Tone::Yellow => Paint::Mark,
        Tone::Orange => Paint::YetSoft,
    }
}
