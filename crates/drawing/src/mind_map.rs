//! Where the nodes of a mind map stand: the topic in the middle, main ideas to its right and left in clockwise order,
//! what belongs to them outwards from there.
//!
//! Boxes are measured first, then stacked: each idea takes the height of what hangs on it, so nothing can overlap.

mod draw;
mod measure;
mod place;

use tutor::tools::MindMap;

use crate::scene::Drawing;

/// The drawing of `map`, at least 960 × 540 units.
pub fn mind_map(map: &MindMap) -> Drawing {
    let tree = measure::Tree::of(map);
    let placed = place::place(&tree);
    draw::draw(&tree, &placed)
}
