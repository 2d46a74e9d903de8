//! Where the nodes of a mind map stand: the topic in the middle, main ideas to its right and left in clockwise order,
//! what belongs to them outwards from there.
//!
//! Boxes are measured first, then stacked: each idea takes the height of what hangs on it, so nothing can overlap.

mod draw;
mod measure;
mod place;

use tutor::tools::MindMap;

use crate::scene::Drawing;

/// How much longer than usual the lines of outer texts may be. Full maps take longer lines, so that they do not become
/// towers.
const STRETCHES: [f64; 4] = [0.8, 1.0, 1.5, 2.6];

/// The drawing of `map`, at least 960 × 480 units and about as wide as a screen.
pub fn mind_map(map: &MindMap) -> Drawing {
    let laid_out = |stretch: f64| {
        let tree = measure::Tree::of(map, stretch);
        let page = place::place(&tree);
        (tree, page)
    };
    let mut chosen = laid_out(STRETCHES[0]);
    for stretch in &STRETCHES[1..] {
        if chosen.1.content_height <= chosen.1.width / place::WIDEST {
            break;
        }
        chosen = laid_out(*stretch);
    }
    draw::draw(&chosen.0, &chosen.1)
}
