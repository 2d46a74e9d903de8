//! Where labels stand: each has places in its order of preference; the first good one is taken. No two labels overlap,
//! and a label that stands away from what it names is joined to it by a line.

use crate::font::width;
use crate::scene::{Anchor, Item, Paint, TextLine};
use crate::svg::number;
use crate::text::{longest, wrap};

/// Size of labels.
pub(super) const SIZE: f64 = 16.0;
/// From one line to the next.
const LEADING: f64 = 20.0;
/// Longest line of a label.
const MOST: f64 = 168.0;
/// Between labels.
const APART: f64 = 5.0;
/// What hiding one point of a line costs, in units of distance.
const HIDES: f64 = 9.0;
/// What standing on another shape costs.
const MISLEADS: f64 = 32.0;
/// Between points of lines that labels should not hide.
const GRAIN: f64 = 7.0;

/// A box along the axes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Area {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

impl Area {
    pub(super) fn new(x: f64, y: f64, width: f64, height: f64) -> Self {
        Self { x, y, width, height }
    }

    pub(super) fn middle(&self) -> (f64, f64) {
        (self.x + self.width / 2.0, self.y + self.height / 2.0)
    }

    pub(super) fn grown(&self, by: f64) -> Self {
        Self::new(self.x - by, self.y - by, self.width + 2.0 * by, self.height + 2.0 * by)
    }

    pub(super) fn contains(&self, (x, y): (f64, f64)) -> bool {
        x >= self.x && x <= self.x + self.width && y >= self.y && y <= self.y + self.height
    }

    pub(super) fn holds(&self, other: &Self) -> bool {
        self.contains((other.x, other.y)) && self.contains((other.x + other.width, other.y + other.height))
    }

    fn meets(&self, other: &Self) -> bool {
        self.x < other.x + other.width
            && other.x < self.x + self.width
            && self.y < other.y + other.height
            && other.y < self.y + self.height
    }

    /// The point of it that is nearest to `point`.
    fn nearest(&self, (x, y): (f64, f64)) -> (f64, f64) {
        (x.clamp(self.x, self.x + self.width), y.clamp(self.y, self.y + self.height))
    }
}

/// A place that a label may take.
#[derive(Debug, Clone, Copy)]
struct Spot {
    area: Area,
    cost: f64,
    /// Where a line to what is named ends; none where the words stand close enough.
    leader: Option<(f64, f64)>,
    /// Whether it lies inside what is named, on its fill.
    inside: bool,
}

/// Words that look for a place.
#[derive(Debug)]
pub(super) struct Label {
    lines: Vec<String>,
    width: f64,
    height: f64,
    fill: Paint,
    bold: bool,
    /// Colour of the words inside what they name.
    inside_fill: Paint,
    spots: Vec<Spot>,
    /// Who chooses first: the smaller.
    rank: u8,
}

impl Label {
    pub(super) fn new(text: &str, rank: u8) -> Self {
        let lines = wrap(text, SIZE, false, MOST);
        let mut label = Self {
            lines: Vec::new(),
            width: 0.0,
            height: 0.0,
            fill: Paint::Ink,
            bold: false,
            inside_fill: Paint::Ink,
            spots: Vec::new(),
            rank,
        };
        label.set(lines);
        label
    }

    /// Words on one line in colour, e.g. a formula.
    pub(super) fn line(text: String, fill: Paint, bold: bool, rank: u8) -> Self {
        let mut label = Self::new("", rank);
        (label.fill, label.bold) = (fill, bold);
        label.set(vec![text]);
        label
    }

    fn set(&mut self, lines: Vec<String>) {
        self.width = longest(&lines, SIZE, self.bold) + 4.0;
        self.height = lines.len() as f64 * LEADING;
        self.lines = lines;
    }

    /// May stand inside `area`, if its words fit in there in some form; then that is where it stands first of all.
    pub(super) fn inside(mut self, text: &str, area: Area, fill: Paint) -> Self {
        self.inside_fill = fill;
        for most in [MOST, area.width] {
            let lines = wrap(text, SIZE, false, most.min(area.width));
            let words_whole = lines.join(" ").split(' ').count() == text.split(' ').count();
            let fits = longest(&lines, SIZE, false) + 4.0 <= area.width
                && lines.len() as f64 * LEADING <= area.height
                && words_whole;
            if fits {
                self.set(lines);
                self.rank = 0;
                let (x, y) = area.middle();
                self.add(x, y, 0.0, None);
                let room = (area.height - self.height) / 2.0;
                for part in [0.35, -0.35, 0.7, -0.7, 1.0, -1.0] {
                    self.add(x, y + part * room, 6.0 + part.abs() * 12.0, None);
                }
                self.spots.iter_mut().for_each(|spot| spot.inside = true);
                break;
            }
        }
        self
    }

    /// May stand around `area`, close to it or joined by a line to `target`.
    pub(super) fn around(self, area: Area, target: (f64, f64)) -> Self {
        self.around_as_choice(0, area, target)
    }

    /// The same, as the choice of so many others before it.
    pub(super) fn around_as_choice(mut self, choice: usize, area: Area, target: (f64, f64)) -> Self {
        let later = 5.0 * choice as f64;
        let far = Some(target);
        let (x, y) = area.middle();
        let (across, down) = ((area.width + self.width) / 2.0, (area.height + self.height) / 2.0);
        for (gap, leader, base) in
            [(7.0, None, 16.0), (26.0, far, 44.0), (50.0, far, 66.0), (84.0, far, 96.0), (130.0, far, 140.0)]
        {
            let sides = [(0.0, 1.0), (0.0, -1.0), (1.0, 0.0), (-1.0, 0.0)];
            for (idx, (right, under)) in sides.into_iter().enumerate() {
                let cost = base + later + 2.0 * idx as f64;
                self.add(x + right * (across + gap), y + under * (down + gap), cost, leader);
            }
            for (right, under) in [(1.0, 1.0), (1.0, -1.0), (-1.0, -1.0), (-1.0, 1.0)] {
                let (dx, dy) = (right * (across + gap * 0.8), under * (down + gap * 0.8));
                self.add(x + dx, y + dy, base + later + 12.0, leader);
                self.add(x + dx, y + dy / 2.0, base + later + 16.0, leader);
                self.add(x + dx / 2.0, y + under * (down + gap), base + later + 14.0, leader);
            }
        }
        self
    }

    /// May stand near the line from `from` to `to`, beside its middle first.
    pub(super) fn along(mut self, from: (f64, f64), to: (f64, f64)) -> Self {
        let point = |part: f64| (from.0 + (to.0 - from.0) * part, from.1 + (to.1 - from.1) * part);
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let length = dx.hypot(dy).max(1e-9);
        // Across the line, to the right or upwards first.
        let (mut nx, mut ny) = (-dy / length, dx / length);
        if nx < -0.3 || (nx.abs() <= 0.3 && ny > 0.0) {
            (nx, ny) = (-nx, -ny);
        }
        let off = (self.width / 2.0 * nx.abs() + self.height / 2.0 * ny.abs()) + 7.0;
        for (part, cost) in [(0.5, 4.0), (0.35, 9.0), (0.65, 9.0), (0.2, 13.0), (0.8, 14.0), (0.05, 16.0), (0.95, 19.0)]
        {
            let (x, y) = point(part);
            self.add(x + nx * off, y + ny * off, cost, None);
            self.add(x - nx * off, y - ny * off, cost + 3.0, None);
        }
        let middle = point(0.5);
        let area = Area::new(middle.0 - 4.0, middle.1 - 4.0, 8.0, 8.0);
        self.around(area, middle)
    }

    /// Stands at `area`'s left upper corner, or in its middle where it is larger; else as near to that as possible.
    pub(super) fn at(mut self, area: Area, within: Area) -> Self {
        let x = if area.width > self.width { area.middle().0 } else { area.x + self.width / 2.0 };
        let y = if area.height > self.height { area.middle().1 } else { area.y + self.height / 2.0 };
        let x = x.clamp(within.x + self.width / 2.0, (within.x + within.width - self.width / 2.0).max(within.x));
        let y = y.clamp(within.y + self.height / 2.0, (within.y + within.height - self.height / 2.0).max(within.y));
        self.add(x, y, 0.0, None);
        for distance in [10.0, 20.0, 30.0, 45.0, 60.0, 80.0, 110.0, 150.0] {
            for (right, under) in
                [(0.0, -1.0), (0.0, 1.0), (1.0, 0.0), (-1.0, 0.0), (0.7, 0.7), (-0.7, 0.7), (0.7, -0.7), (-0.7, -0.7)]
            {
                self.add(x + right * distance, y + under * distance, distance, None);
            }
        }
        self
    }

    /// What it names, or else where it would like to stand.
    fn wanted(&self) -> Option<(f64, f64)> {
        let named = self.spots.iter().find_map(|spot| spot.leader);
        named.or_else(|| self.spots.first().map(|spot| spot.area.middle()))
    }

    /// May stand with its middle at a point.
    fn add(&mut self, x: f64, y: f64, cost: f64, leader: Option<(f64, f64)>) {
        let area = Area::new(x - self.width / 2.0, y - self.height / 2.0, self.width, self.height);
        self.spots.push(Spot { area, cost, leader, inside: false });
    }
}

/// What labels should not hide, and what they may not.
#[derive(Debug, Default)]
pub(super) struct Obstacles {
    points: Vec<(f64, f64)>,
    fills: Vec<Area>,
    taken: Vec<Area>,
}

impl Obstacles {
    /// A line through `points`.
    pub(super) fn line(&mut self, points: &[(f64, f64)]) {
        for pair in points.windows(2) {
            let (dx, dy) = (pair[1].0 - pair[0].0, pair[1].1 - pair[0].1);
            let steps = (dx.hypot(dy) / GRAIN).ceil().max(1.0);
            for step in 0..=(steps as usize) {
                let part = step as f64 / steps;
                self.points.push((pair[0].0 + dx * part, pair[0].1 + dy * part));
            }
        }
    }

    /// Something that must stay readable.
    pub(super) fn take(&mut self, area: Area) {
        self.taken.push(area);
    }

    /// Something that hides the lines behind it.
    pub(super) fn cover(&mut self, area: &Area) {
        self.points.retain(|point| !area.contains(*point));
        self.fills.push(*area);
    }

    fn hidden_by(&self, area: &Area) -> usize {
        self.points.iter().filter(|point| area.contains(**point)).count()
    }

    /// What it costs to stand there; none where something else stands.
    fn cost(&self, spot: &Spot, wanted: Option<(f64, f64)>) -> Option<f64> {
        let padded = spot.area.grown(APART / 2.0);
        if self.taken.iter().any(|area| area.grown(APART / 2.0).meets(&padded)) {
            return None;
        }
        let mut cost = spot.cost + self.hidden_by(&spot.area).min(40) as f64 * HIDES;
        // Words on another shape would seem to name that one.
        let misleads = |fill: &&Area| fill.meets(&spot.area) && !wanted.is_some_and(|wanted| fill.contains(wanted));
        cost += MISLEADS * self.fills.iter().filter(misleads).count() as f64;
        if let Some(target) = spot.leader {
            let from = spot.area.nearest(target);
            let point = |part: f64| (from.0 + (target.0 - from.0) * part, from.1 + (target.1 - from.1) * part);
            let crosses = |area: &&Area| (1..20).any(|step| area.contains(point(f64::from(step) / 20.0)));
            cost += 60.0 * self.taken.iter().filter(crosses).count() as f64;
        }
        Some(cost)
    }
}

/// Finds a place for each of `labels` within `area`. Returns what is drawn, lines below all words, and how much higher
/// the drawing becomes because something found no place.
pub(super) fn place(mut labels: Vec<Label>, mut obstacles: Obstacles, area: Area) -> (Vec<Item>, f64) {
    labels.sort_by_key(|label| label.rank);
    let (mut leaders, mut texts, mut below) = (Vec::new(), Vec::new(), 0.0);
    for label in &labels {
        let spot = best(label, &obstacles, area).unwrap_or_else(|| {
            let y = area.y + area.height + APART + below;
            below += label.height + APART;
            let area = Area::new(area.x, y, label.width, label.height);
            Spot { area, cost: 0.0, leader: label.wanted(), inside: false }
        });
        texts.extend(text(label, &spot, obstacles.hidden_by(&spot.area) > 0));
        if let Some(target) = spot.leader {
            let from = spot.area.nearest(target);
            obstacles.line(&[from, target]);
            leaders.extend(leader(from, target));
        }
        obstacles.take(spot.area);
    }
    leaders.append(&mut texts);
    (leaders, if below > 0.0 { below + APART } else { 0.0 })
}

/// Worse than this, and any place on the paper will do.
const TOO_BAD: f64 = 400.0;
/// Between places that are tried all over the paper.
const MESH: f64 = 12.0;

fn best(label: &Label, obstacles: &Obstacles, area: Area) -> Option<Spot> {
    let wanted = label.wanted();
    let cheapest = |spots: &mut dyn Iterator<Item = Spot>| {
        spots
            .filter(|spot| area.holds(&spot.area))
            .filter_map(|spot| Some((obstacles.cost(&spot, wanted)?, spot)))
            .min_by(|a, b| a.0.total_cmp(&b.0))
    };
    let near = cheapest(&mut label.spots.iter().copied());
    if let Some((_, spot)) = near.filter(|(cost, _)| *cost < TOO_BAD) {
        return Some(spot);
    }
    let wanted = wanted?;
    let count = |room: f64| (room.max(0.0) / MESH) as usize;
    let (columns, rows) = (count(area.width - label.width), count(area.height - label.height));
    let everywhere = (0..=rows).flat_map(|row| (0..=columns).map(move |column| (row as f64, column as f64)));
    let mut spots = everywhere.map(|(row, column)| {
        let spot = Area::new(area.x + column * MESH, area.y + row * MESH, label.width, label.height);
        let (x, y) = spot.nearest(wanted);
        let cost = 150.0 + (x - wanted.0).hypot(y - wanted.1);
        Spot { area: spot, cost, leader: Some(wanted), inside: false }
    });
    cheapest(&mut spots).or(near).map(|(_, spot)| spot)
}

fn leader(from: (f64, f64), to: (f64, f64)) -> [Item; 2] {
    let [a, b, c, d] = [from.0, from.1, to.0, to.1].map(number);
    let line = Item::Path {
        d: format!("M {a} {b} L {c} {d}"),
        fill: Paint::None,
        stroke: Paint::Ink2,
        stroke_width: 1.25,
        dash: Vec::new(),
    };
    [line, dot(to, 2.5, Paint::Ink2)]
}

/// A small disc.
pub(super) fn dot((cx, cy): (f64, f64), radius: f64, fill: Paint) -> Item {
    Item::Ellipse { cx, cy, rx: radius, ry: radius, fill, stroke: Paint::None, stroke_width: 0.0 }
}

fn text(label: &Label, spot: &Spot, hides: bool) -> Vec<Item> {
    let area = spot.area;
    let x = area.middle().0;
    let (fill, halo) = if spot.inside && !hides { (label.inside_fill, false) } else { (label.fill, true) };
    let item = |(idx, line): (usize, &String)| {
        Item::Text(TextLine {
            x,
            y: area.y + (idx as f64 + 0.5) * LEADING + SIZE * 0.335,
            size: SIZE,
            bold: label.bold,
            anchor: Anchor::Middle,
            fill,
            halo,
            text: line.clone(),
        })
    };
    label.lines.iter().enumerate().map(item).collect()
}

/// A short text with its own place, e.g. at an axis, and what it covers.
pub(super) fn fixed(text: String, x: f64, y: f64, anchor: Anchor, size: f64) -> (Item, Area) {
    let width = width(&text, size, false);
    let left = match anchor {
        Anchor::Start => x,
        Anchor::Middle => x - width / 2.0,
        Anchor::End => x - width,
    };
    let area = Area::new(left, y - size * 0.8, width, size);
    (Item::Text(TextLine { x, y, size, bold: false, anchor, fill: Paint::Ink2, halo: true, text }), area)
}
