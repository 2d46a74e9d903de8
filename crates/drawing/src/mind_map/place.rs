//! Where each node stands.

use super::measure::{Sized, Tree};

/// Paper around everything.
const MARGIN: f64 = 36.0;
/// Smallest drawing.
const LEAST: (f64, f64) = (960.0, 480.0);
/// Narrowest form: width by height.
const NARROWEST: f64 = 1.0;
/// Form that gaps grow into.
pub(super) const WIDEST: f64 = 16.0 / 9.0;
/// Flattest form.
const FLATTEST: f64 = 2.1;
/// From the topic to the main ideas.
const TO_BRANCHES: f64 = 56.0;
/// From main ideas to what belongs to them.
const TO_LEAVES: f64 = 44.0;
/// From there to the last level.
const TO_TWIGS: f64 = 34.0;
/// Between main ideas, one above the other.
const BRANCH_GAP: f64 = 30.0;
/// Between boxes of the third level.
const LEAF_GAP: f64 = 8.0;
/// Between boxes of the last level.
const TWIG_GAP: f64 = 2.0;
/// How far gaps may grow to fill the paper.
const MOST_AIR: f64 = 4.0;

/// A placed node: the upper left corner of its box.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Placed {
    pub x: f64,
    pub y: f64,
    pub left: bool,
    pub children: Vec<Placed>,
}

/// Everything placed on its paper.
#[derive(Debug)]
pub(super) struct Page {
    pub width: f64,
    pub height: f64,
    /// What the nodes need of the height, with the margins.
    pub content_height: f64,
    pub root: Placed,
}

/// Gaps between neighbours, by level.
#[derive(Debug, Clone, Copy)]
struct Gaps {
    branch: f64,
    leaf: f64,
    twig: f64,
}

impl Gaps {
    fn with_air(air: f64) -> Self {
        Self { branch: BRANCH_GAP * air, leaf: LEAF_GAP * air, twig: TWIG_GAP * (1.0 + (air - 1.0) / 2.0) }
    }

    /// Between the children of a node that lies `depth` levels below the topic.
    fn below(self, depth: usize) -> f64 {
        [self.branch, self.leaf, self.twig][depth.min(2)]
    }
}

/// Height that `node` and everything on it take.
fn height(node: &Sized, depth: usize, gaps: Gaps) -> f64 {
    node.height.max(stack(&node.children, depth, gaps))
}

/// Height of `nodes` one above the other.
fn stack(nodes: &[Sized], depth: usize, gaps: Gaps) -> f64 {
    let sum: f64 = nodes.iter().map(|node| height(node, depth + 1, gaps)).sum();
    sum + gaps.below(depth) * nodes.len().saturating_sub(1) as f64
}

/// How many main ideas stand on the right, so that both sides are about equally high.
fn on_the_right(branches: &[Sized], gaps: Gaps) -> usize {
    let difference = |right: usize| {
        let (right, left) = branches.split_at(right);
        (stack(right, 0, gaps) - stack(left, 0, gaps)).abs()
    };
    (1..branches.len()).min_by(|a, b| difference(*a).total_cmp(&difference(*b))).unwrap_or(branches.len())
}

/// Where the levels begin, outwards from the middle of the paper.
#[derive(Debug)]
struct Columns {
    branch: f64,
    leaf: f64,
    twig: f64,
    end: f64,
}

impl Columns {
    fn of(root: &Sized, branches: &[Sized]) -> Self {
        let branch = root.width / 2.0 + TO_BRANCHES;
        let widest = |nodes: &mut dyn Iterator<Item = &Sized>| nodes.map(|node| node.width).fold(0.0, f64::max);
        let branch_end = branch + widest(&mut branches.iter());
        let leaf = branch_end + TO_LEAVES;
        let leaves = || branches.iter().flat_map(|branch| &branch.children);
        let leaf_end = leaf + widest(&mut leaves());
        let with_twigs = widest(&mut leaves().filter(|leaf| !leaf.children.is_empty()));
        let twig = leaf + with_twigs + TO_TWIGS;
        let twig_end = twig + widest(&mut leaves().flat_map(|leaf| &leaf.children));
        let mut end = branch_end;
        if leaves().next().is_some() {
            end = end.max(leaf_end);
        }
        if with_twigs > 0.0 {
            end = end.max(twig_end);
        }
        Self { branch, leaf, twig, end }
    }

    fn at(&self, depth: usize) -> f64 {
        [self.branch, self.leaf, self.twig][depth.min(2)]
    }
}

/// Stands every node of `tree` in its place.
pub(super) fn place(tree: &Tree) -> Page {
    let root = &tree.root;
    let tight = Gaps::with_air(1.0);
    let split = on_the_right(&root.children, tight);
    let (right, left) = root.children.split_at(split);
    let columns = [Columns::of(root, right), Columns::of(root, left)];
    let half = columns[0].end.max(columns[1].end);
    let width = (2.0 * (half + MARGIN)).max(LEAST.0);

    let tallest = |gaps| [right, left].map(|side| stack(side, 0, gaps)).into_iter().fold(root.height, f64::max);
    let room = width / WIDEST - 2.0 * MARGIN;
    let gaps = fitting_gaps(&tallest, room);
    let content_height = tallest(gaps) + 2.0 * MARGIN;
    let height = content_height.max(width / FLATTEST).max(LEAST.1);
    let width = width.max(height * NARROWEST);

    let middle = (width / 2.0, height / 2.0);
    let mut children = Vec::with_capacity(root.children.len());
    for (nodes, columns, is_left) in [(right, &columns[0], false), (left, &columns[1], true)] {
        let side = Side { columns, left: is_left, gaps, middle: middle.0 };
        let top = middle.1 - stack(nodes, 0, gaps) / 2.0;
        // Clockwise: down on the right, up on the left.
        let order: Vec<&Sized> = if is_left { nodes.iter().rev().collect() } else { nodes.iter().collect() };
        let mut placed = side.stacked(&order, 0, top);
        if is_left {
            placed.reverse();
        }
        children.extend(placed);
    }
    let root = Placed { x: middle.0 - root.width / 2.0, y: middle.1 - root.height / 2.0, left: false, children };
    Page { width, height, content_height, root }
}

/// The widest gaps with which everything is at most `room` high, within [`MOST_AIR`].
fn fitting_gaps(tallest: &dyn Fn(Gaps) -> f64, room: f64) -> Gaps {
    let (mut least, mut most) = (1.0, MOST_AIR);
    for _ in 0..20 {
        let middle = (least + most) / 2.0;
        if tallest(Gaps::with_air(middle)) <= room { least = middle } else { most = middle }
    }
    Gaps::with_air(least)
}

/// One side of the topic.
struct Side<'a> {
    columns: &'a Columns,
    left: bool,
    gaps: Gaps,
    middle: f64,
}

impl Side<'_> {
    /// `nodes` one below the other from `top`, each in the middle of the height that it takes.
    fn stacked(&self, nodes: &[&Sized], depth: usize, top: f64) -> Vec<Placed> {
        let mut y = top;
        let mut placed = Vec::with_capacity(nodes.len());
        for node in nodes {
            let taken = height(node, depth + 1, self.gaps);
            let children: Vec<&Sized> = node.children.iter().collect();
            let below = y + (taken - stack(&node.children, depth + 1, self.gaps)) / 2.0;
            let out = self.columns.at(depth);
            let x = if self.left { self.middle - out - node.width } else { self.middle + out };
            placed.push(Placed {
                x,
                y: y + (taken - node.height) / 2.0,
                left: self.left,
                children: self.stacked(&children, depth + 1, below),
            });
            y += taken + self.gaps.below(depth);
        }
        placed
    }
}
