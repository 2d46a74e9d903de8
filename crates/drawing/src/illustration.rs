//! An illustration: shapes on a grid of 100 × 75, their labels, and curves that are computed.

mod axes;
mod curves;
mod labels;
mod shapes;

use tutor::tools::Illustration;

use crate::paper::{paper, sheet};
use crate::scene::Drawing;
use crate::text::clean;
use labels::{Area, Obstacles};
use shapes::Placed;

/// Units of the drawing for one of the grid.
const UNIT: f64 = 8.0;
/// Paper around the grid.
const MARGIN: f64 = 32.0;
/// From the edge of the paper to words.
const EDGE: f64 = 8.0;

/// Where the grid lies on the paper.
fn grid() -> Area {
    Area::new(MARGIN, MARGIN, 100.0 * UNIT, 75.0 * UNIT)
}

/// The drawing of `illustration`: 864 × 664 units, higher where more words stand in it than find room.
pub fn illustration(illustration: &Illustration) -> Drawing {
    let mut obstacles = Obstacles::default();
    let (mut marks, mut words) = (Vec::new(), Vec::new());
    let has_curves = !illustration.curves.is_empty();
    if has_curves {
        let plot = curves::plot(&illustration.curves, grid(), &mut obstacles);
        marks.extend(plot.items);
        words.extend(plot.labels);
    }
    let placed = in_order(illustration.shapes.iter().map(Placed::of).collect());
    for shape in &placed {
        marks.extend(shape.items());
        shape.outline(&mut obstacles);
        words.extend(shape.label());
    }
    let (width, height) = (grid().width + 2.0 * MARGIN, grid().height + 2.0 * MARGIN);
    let paper_area = Area::new(0.0, 0.0, width, height).grown(-EDGE);
    let (mut texts, more) = labels::place(words, obstacles, paper_area);
    let height = height + more;
    let mut items = if has_curves { vec![sheet(width, height)] } else { paper(width, height) };
    items.append(&mut marks);
    items.append(&mut texts);
    Drawing {
        width,
        height,
        title: clean(&illustration.title.text),
        description: clean(&illustration.description.text),
        items,
        nodes: Vec::new(),
    }
}

/// The shapes in their order, except that one that would hide an earlier one comes before it.
fn in_order(shapes: Vec<Placed>) -> Vec<Placed> {
    let mut ordered: Vec<Placed> = Vec::with_capacity(shapes.len());
    for shape in shapes {
        let at = ordered.iter().position(|earlier| shape.hides(earlier)).unwrap_or(ordered.len());
        ordered.insert(at, shape);
    }
    ordered
}
