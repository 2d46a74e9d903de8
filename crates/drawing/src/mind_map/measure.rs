//! How large each node is.

use tutor::tools::MindMap;

use crate::scene::NodeLevel;
use crate::text::{clean, longest, wrap};

/// How the nodes of a level look.
#[derive(Debug)]
pub(super) struct Style {
    /// Size of the letters.
    pub size: f64,
    /// Whether they are bold.
    pub bold: bool,
    /// From one line to the next.
    pub leading: f64,
    /// Longest line of a map that is not full.
    pub most: f64,
    /// From the edge of the box to its text, left and right.
    pub side: f64,
    /// From the edge of the box to its text, above and below.
    pub above: f64,
}

/// Diameter of the disc with a main idea's number.
pub(super) const DISC: f64 = 24.0;
/// From the disc to the text.
pub(super) const DISC_GAP: f64 = 8.0;

impl Style {
    pub(super) fn of(level: NodeLevel) -> Self {
        match level {
            NodeLevel::Root => Self { size: 20.0, bold: true, leading: 26.0, most: 230.0, side: 28.0, above: 23.0 },
            NodeLevel::Branch => Self { size: 16.0, bold: true, leading: 21.0, most: 170.0, side: 14.0, above: 13.0 },
            NodeLevel::Leaf => Self { size: 15.0, bold: false, leading: 19.0, most: 170.0, side: 12.0, above: 8.0 },
            NodeLevel::Twig => Self { size: 14.0, bold: false, leading: 18.0, most: 170.0, side: 12.0, above: 5.0 },
        }
    }
}

/// A node with its size and what hangs on it.
#[derive(Debug)]
pub(super) struct Sized {
    pub level: NodeLevel,
    pub label: String,
    pub lines: Vec<String>,
    /// Size of the box.
    pub width: f64,
    pub height: f64,
    pub children: Vec<Sized>,
}

impl Sized {
    fn new(level: NodeLevel, label: &str, stretch: f64, children: Vec<Self>) -> Self {
        let style = Style::of(level);
        let label = clean(label);
        // Outer texts have the room: the topic and the main ideas stay compact.
        let outer = matches!(level, NodeLevel::Leaf | NodeLevel::Twig);
        let most = if outer { style.most * stretch } else { style.most };
        let lines = wrap(&label, style.size, style.bold, most);
        let text_width = longest(&lines, style.size, style.bold);
        let disc = if level == NodeLevel::Branch { DISC + DISC_GAP } else { 0.0 };
        let width = (text_width + disc + 2.0 * style.side).ceil();
        let height = (lines.len() as f64 * style.leading + 2.0 * style.above).ceil();
        Self { level, label, lines, width, height, children }
    }
}

/// The measured map.
#[derive(Debug)]
pub(super) struct Tree {
    pub root: Sized,
}

impl Tree {
    /// `map` with the lines of its outer texts `stretch` times as long as usual.
    pub(super) fn of(map: &MindMap, stretch: f64) -> Self {
        let branches = map.children.iter().map(|branch| {
            let leaves = branch.children.iter().map(|leaf| {
                let twigs =
                    leaf.children.iter().map(|twig| Sized::new(NodeLevel::Twig, &twig.label, stretch, Vec::new()));
                Sized::new(NodeLevel::Leaf, &leaf.label, stretch, twigs.collect())
            });
            Sized::new(NodeLevel::Branch, &branch.label, stretch, leaves.collect())
        });
        let mut root = Sized::new(NodeLevel::Root, &map.label, stretch, branches.collect());
        // Boxes of main ideas are equally wide: their edges make two columns.
        let widest = root.children.iter().map(|branch| branch.width).fold(120.0, f64::max);
        for branch in &mut root.children {
            branch.width = widest;
        }
        Self { root }
    }
}
