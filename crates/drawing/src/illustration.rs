//! An illustration: shapes on a grid of 100 × 75, their labels, and curves that are computed.

mod shapes;

use tutor::tools::Illustration;

use crate::paper::paper;
use crate::scene::Drawing;
use crate::text::clean;

/// Units of the drawing for one of the grid.
const UNIT: f64 = 8.0;
/// Paper around the grid.
const MARGIN: f64 = 32.0;

/// The drawing of `illustration`, 864 × 664 units.
pub fn illustration(illustration: &Illustration) -> Drawing {
    let (width, height) = (100.0 * UNIT + 2.0 * MARGIN, 75.0 * UNIT + 2.0 * MARGIN);
    let mut items = paper(width, height);
    items.extend(illustration.shapes.iter().flat_map(shapes::shape));
    Drawing {
        width,
        height,
        title: clean(&illustration.title.text),
        description: clean(&illustration.description.text),
        items,
        nodes: Vec::new(),
    }
}
