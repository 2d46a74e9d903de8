//! A drawing as positions: what the page, the SVG and the PNG are made from. Lengths are in user units, 1 unit = 1 CSS
//! pixel at 100 %; x grows to the right, y downwards.

use serde::Serialize;
use specta::Type;

/// A drawing.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Drawing {
    /// Width of the whole.
    pub width: f64,
    /// Height of the whole.
    pub height: f64,
    /// What it shows, in a few words.
    pub title: String,
    /// The same in sentences, for whoever cannot see it.
    pub description: String,
    /// What is drawn, in this order.
    pub items: Vec<Item>,
    /// The nodes of a mind map, in reading order; empty for illustrations.
    pub nodes: Vec<Node>,
}

/// Colours by their job; each theme has its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum Paint {
    /// Nothing.
    None,
    /// The paper.
    Surface,
    /// Text and lines.
    Ink,
    /// Second text.
    Ink2,
    /// The squares of the paper.
    Grid,
    /// Board green: the root of a mind map.
    Board,
    /// Text on board green.
    OnBoard,
    /// Teal: branches, curves.
    App,
    /// Text on teal.
    OnApp,
    /// Light teal.
    AppSoft,
    /// Marigold.
    Mark,
    /// Light marigold.
    MarkSoft,
    /// Light clay.
    YetSoft,
    /// Clay.
    Yet,
}

/// Where a text stands in relation to its x.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum Anchor {
    /// It begins there.
    Start,
    /// Its middle is there.
    Middle,
    /// It ends there.
    End,
}

/// Something drawn.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(tag = "item", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Item {
    /// A rectangle.
    Rect {
        /// Left edge.
        x: f64,
        /// Upper edge.
        y: f64,
        /// Width.
        width: f64,
        /// Height.
        height: f64,
        /// Radius of the corners.
        radius: f64,
        /// Inside.
        fill: Paint,
        /// Edge.
        stroke: Paint,
        /// Width of the edge.
        stroke_width: f64,
    },
    /// An ellipse.
    Ellipse {
        /// Middle.
        cx: f64,
        /// Middle.
        cy: f64,
        /// Horizontal radius.
        rx: f64,
        /// Vertical radius.
        ry: f64,
        /// Inside.
        fill: Paint,
        /// Edge.
        stroke: Paint,
        /// Width of the edge.
        stroke_width: f64,
    },
    /// A path of our own making: `M`, `L`, `C` and `Z` with numbers.
    Path {
        /// SVG path data.
        d: String,
        /// Inside.
        fill: Paint,
        /// Edge.
        stroke: Paint,
        /// Width of the edge.
        stroke_width: f64,
        /// Lengths of dashes and gaps; empty for a whole line.
        dash: Vec<f64>,
    },
    /// A line of text on its baseline.
    Text(TextLine),
}

/// A line of text.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct TextLine {
    /// Where it stands.
    pub x: f64,
    /// The baseline.
    pub y: f64,
    /// Size.
    pub size: f64,
    /// Whether it is set in bold (600).
    pub bold: bool,
    /// Where it stands in relation to `x`.
    pub anchor: Anchor,
    /// Colour.
    pub fill: Paint,
    /// Whether it is set off from what is below it by a halo of the paper's colour.
    pub halo: bool,
    /// What it says.
    pub text: String,
}

/// How deep a node lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum NodeLevel {
    /// The topic.
    Root,
    /// A main idea.
    Branch,
    /// What belongs to it.
    Leaf,
    /// The last level.
    Twig,
}

/// A node of a mind map: what can be selected, and the tree as a list.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Node {
    /// Its place in [`Drawing::nodes`].
    pub id: u32,
    /// The node it hangs on; none for the root.
    pub parent: Option<u32>,
    /// How deep.
    pub level: NodeLevel,
    /// Number of a main idea, from 1; its descendants have the same.
    pub branch: u32,
    /// What it says, whole.
    pub label: String,
    /// Left edge of its box.
    pub x: f64,
    /// Upper edge.
    pub y: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
    /// Whether it stands to the left of the root.
    pub left: bool,
}
