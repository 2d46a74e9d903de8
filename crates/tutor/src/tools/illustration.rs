//! An illustration: shapes on a grid of 100 × 75, labels, and curves that are computed from their numbers.

use super::text::{MediumText, ShortText};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use specta::Type;

/// A drawing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct Illustration {
    /// What it shows.
    pub title: ShortText,
    /// The same in words, for whoever cannot see it.
    pub description: MediumText,
    /// Shapes and labels, in the order in which they are drawn.
    #[schemars(length(min = 0, max = 16))]
    pub shapes: Vec<Shape>,
    /// Curves in one system of axes; where there is none, no axes are drawn.
    #[schemars(length(min = 0, max = 2))]
    pub curves: Vec<Curve>,
}

/// A shape with its label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct Shape {
    /// What it is.
    pub kind: ShapeKind,
    /// Left edge, 0 to 100; for a line or an arrow where it begins.
    #[schemars(range(min = 0, max = 100))]
    pub x: u8,
    /// Upper edge, 0 to 75, downwards; for a line or an arrow where it begins.
    #[schemars(range(min = 0, max = 75))]
    pub y: u8,
    /// Width; for a line or an arrow how far it goes to the right, or to the left below zero.
    #[schemars(range(min = -100, max = 100))]
    pub width: i8,
    /// Height; for a line or an arrow how far it goes down, or up below zero.
    #[schemars(range(min = -75, max = 75))]
    pub height: i8,
    /// How it is filled.
    pub tone: Tone,
    /// The words on it or beside it; empty for none.
    #[schemars(length(min = 0, max = 30))]
    pub label: String,
}

/// Kinds of shapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, Type)]
#[serde(rename_all = "snake_case")]
pub enum ShapeKind {
    /// A rectangle.
    Rectangle,
    /// An ellipse in its box; a circle where width and height are equal.
    Ellipse,
    /// A triangle that stands in its box.
    Triangle,
    /// A straight line.
    Line,
    /// A line with a head at its end.
    Arrow,
    /// Words alone.
    Label,
}

/// Fills. Colours follow the theme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, Type)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    /// Like the paper.
    Plain,
    /// Green.
    Green,
    /// Yellow.
    Yellow,
    /// Orange.
    Orange,
}

/// A curve, computed from its numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Type)]
#[serde(deny_unknown_fields)]
pub struct Curve {
    /// Which function.
    pub function: Function,
    /// First number.
    #[schemars(range(min = -10, max = 10))]
    pub a: i8,
    /// Second number.
    #[schemars(range(min = -10, max = 10))]
    pub b: i8,
    /// Third number.
    #[schemars(range(min = -10, max = 10))]
    pub c: i8,
}

/// Functions of x with three numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, Type)]
#[serde(rename_all = "snake_case")]
pub enum Function {
    /// b x + c.
    Line,
    /// a x² + b x + c.
    Parabola,
    /// a sin(b x) + c.
    Sine,
    /// a · 2^(b x) + c.
    Exponential,
    /// a / x + c.
    Hyperbola,
}
