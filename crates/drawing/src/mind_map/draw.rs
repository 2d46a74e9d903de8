//! From placed nodes to lines, boxes and texts.

use super::measure::{DISC, DISC_GAP, Sized, Style, Tree};
use super::place::{Page, Placed};
use crate::paper::paper;
use crate::scene::{Anchor, Drawing, Item, Node, NodeLevel, Paint, TextLine};
use crate::svg::number;

/// From the middle of a line of text down to its baseline, in sizes of the letters.
const TO_BASELINE: f64 = 0.335;
/// Corners of the boxes of main ideas.
const CORNER: f64 = 12.0;
/// How far inside the topic's box the lines begin.
const INSIDE: f64 = 24.0;

pub(super) fn draw(tree: &Tree, page: &Page) -> Drawing {
    let mut canvas = Canvas::default();
    canvas.add(&tree.root, &page.root, None, 0);
    let mut items = paper(page.width, page.height);
    items.append(&mut canvas.lines);
    items.append(&mut canvas.shapes);
    Drawing {
        width: page.width,
        height: page.height,
        title: tree.root.label.clone(),
        description: description(&tree.root),
        items,
        nodes: canvas.nodes,
    }
}

/// The map in words: `Topic. 1. Idea: this (that, that); this.`
fn description(root: &Sized) -> String {
    let mut text = format!("{}.", root.label);
    for (idx, branch) in root.children.iter().enumerate() {
        text.push_str(&format!(" {}. {}", idx + 1, branch.label));
        let leaves: Vec<String> = branch
            .children
            .iter()
            .map(|leaf| {
                let twigs: Vec<&str> = leaf.children.iter().map(|twig| twig.label.as_str()).collect();
                if twigs.is_empty() { leaf.label.clone() } else { format!("{} ({})", leaf.label, twigs.join(", ")) }
            })
            .collect();
        if !leaves.is_empty() {
            text.push_str(&format!(": {}", leaves.join("; ")));
        }
        text.push('.');
    }
    text
}

#[derive(Default)]
struct Canvas {
    lines: Vec<Item>,
    shapes: Vec<Item>,
    nodes: Vec<Node>,
}

impl Canvas {
    /// Adds `node` and, in reading order, everything that hangs on it.
    fn add(&mut self, node: &Sized, at: &Placed, parent: Option<u32>, branch: u32) {
        let id = self.nodes.len() as u32;
        self.nodes.push(Node {
            id,
            parent,
            level: node.level,
            branch,
            label: node.label.clone(),
            x: at.x,
            y: at.y,
            width: node.width,
            height: node.height,
            left: at.left,
        });
        self.shape(node, at, branch);
        for (idx, (child, place)) in node.children.iter().zip(&at.children).enumerate() {
            self.line(node, at, child, place);
            let number = if node.level == NodeLevel::Root { idx as u32 + 1 } else { branch };
            self.add(child, place, Some(id), number);
        }
    }

    fn shape(&mut self, node: &Sized, at: &Placed, branch: u32) {
        let (middle, width, height) = (at.y + node.height / 2.0, node.width, node.height);
        match node.level {
            NodeLevel::Root => {
                let radius = (height / 2.0).min(36.0);
                self.rect(at, width, height, radius, [Paint::Board, Paint::App]);
                self.text(node, at.x + width / 2.0, middle, Anchor::Middle, Paint::OnBoard);
            }
            NodeLevel::Branch => {
                self.rect(at, width, height, CORNER, [Paint::Surface, Paint::App]);
                let side = Style::of(node.level).side;
                let cx = at.x + side + DISC / 2.0 - 2.0;
                self.shapes.push(Item::Ellipse {
                    cx,
                    cy: middle,
                    rx: DISC / 2.0,
                    ry: DISC / 2.0,
                    fill: Paint::App,
                    stroke: Paint::None,
                    stroke_width: 0.0,
                });
                self.shapes.push(Item::Text(TextLine {
                    x: cx,
                    y: middle + 14.0 * TO_BASELINE,
                    size: 14.0,
                    bold: true,
                    anchor: Anchor::Middle,
                    fill: Paint::OnApp,
                    halo: false,
                    text: branch.to_string(),
                }));
                self.text(node, cx + DISC / 2.0 + DISC_GAP, middle, Anchor::Start, Paint::Ink);
            }
            NodeLevel::Leaf | NodeLevel::Twig => {
                let ink = if node.level == NodeLevel::Leaf { Paint::Ink } else { Paint::Ink2 };
                let side = Style::of(node.level).side;
                let (x, anchor) =
                    if at.left { (at.x + width - side, Anchor::End) } else { (at.x + side, Anchor::Start) };
                self.text(node, x, middle, anchor, ink);
            }
        }
    }

    fn rect(&mut self, at: &Placed, width: f64, height: f64, radius: f64, [fill, stroke]: [Paint; 2]) {
        self.shapes.push(Item::Rect { x: at.x, y: at.y, width, height, radius, fill, stroke, stroke_width: 2.0 });
    }

    /// The lines of `node`, one below the other around `middle`.
    fn text(&mut self, node: &Sized, x: f64, middle: f64, anchor: Anchor, fill: Paint) {
        let style = Style::of(node.level);
        let first = middle - (node.lines.len() as f64 - 1.0) * style.leading / 2.0 + style.size * TO_BASELINE;
        for (idx, line) in node.lines.iter().enumerate() {
            self.shapes.push(Item::Text(TextLine {
                x,
                y: first + idx as f64 * style.leading,
                size: style.size,
                bold: style.bold,
                anchor,
                fill,
                halo: false,
                text: line.clone(),
            }));
        }
    }

    /// The line from `node` to its `child`.
    fn line(&mut self, node: &Sized, at: &Placed, child: &Sized, place: &Placed) {
        let (inside, stroke_width) = match node.level {
            NodeLevel::Root => (INSIDE, 4.0),
            NodeLevel::Branch => (0.0, 2.0),
            NodeLevel::Leaf | NodeLevel::Twig => (4.0, 1.5),
        };
        let (from, to) =
            if place.left { (at.x + inside, place.x + child.width) } else { (at.x + node.width - inside, place.x) };
        let (y, end) = (at.y + node.height / 2.0, place.y + child.height / 2.0);
        let bend = (from + to) / 2.0;
        let d = [from, y, bend, y, bend, end, to, end].map(number);
        let [a, b, c, e, f, g, h, i] = d;
        self.lines.push(Item::Path {
            d: format!("M {a} {b} C {c} {e} {f} {g} {h} {i}"),
            fill: Paint::None,
            stroke: Paint::App,
            stroke_width,
            dash: Vec::new(),
        });
    }
}
