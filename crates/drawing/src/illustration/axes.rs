//! Axes: which numbers they show, and where a number lies on the paper.

use super::labels::{Area, Obstacles, fixed};
use super::shapes::{arrow, through};
use crate::scene::{Anchor, Item, Paint};

/// Size of the numbers at the axes.
const SIZE: f64 = 15.0;
/// How far the axes go beyond the plot.
const BEYOND: f64 = 14.0;
/// Steps on the horizontal and on the vertical axis, about.
const STEPS: (f64, f64) = (11.0, 9.0);

/// What an axis shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Range {
    pub low: f64,
    pub high: f64,
    /// From one number to the next.
    pub step: f64,
}

impl Range {
    /// From about `low` to about `high` and over 0, in round steps.
    fn round(low: f64, high: f64, steps: f64) -> Self {
        let (mut low, mut high) = (low.min(0.0), high.max(0.0));
        if high - low < 1e-6 {
            (low, high) = (-1.0, 1.0);
        }
        let rough = (high - low) / steps;
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].into_iter().find(|part| part * power >= rough * 0.999).unwrap_or(10.0) * power;
        Self { low: (low / step - 1e-9).floor() * step, high: (high / step + 1e-9).ceil() * step, step }
    }

    fn numbers(&self) -> impl Iterator<Item = f64> {
        let (first, last) = ((self.low / self.step).round() as i64, (self.high / self.step).round() as i64);
        let step = self.step;
        (first..=last).map(move |idx| idx as f64 * step)
    }
}

/// Two axes on the paper.
#[derive(Debug)]
pub(super) struct Axes {
    pub x: Range,
    pub y: Range,
    plot: Area,
}

impl Axes {
    pub(super) fn new(x: (f64, f64), y: (f64, f64), plot: Area) -> Self {
        Self { x: Range::round(x.0, x.1, STEPS.0), y: Range::round(y.0, y.1, STEPS.1), plot }
    }

    /// Where the point (`x`, `y`) lies.
    pub(super) fn at(&self, x: f64, y: f64) -> (f64, f64) {
        let right = (x - self.x.low) / (self.x.high - self.x.low);
        let up = (y - self.y.low) / (self.y.high - self.y.low);
        (self.plot.x + right * self.plot.width, self.plot.y + (1.0 - up) * self.plot.height)
    }

    /// Squares, axes with heads, numbers and names.
    pub(super) fn items(&self, obstacles: &mut Obstacles) -> Vec<Item> {
        let plot = &self.plot;
        let (right, under) = (plot.x + plot.width, plot.y + plot.height);
        let mut squares = String::new();
        for x in self.x.numbers() {
            let x = self.at(x, 0.0).0;
            squares.push_str(&(through(&[(x, plot.y), (x, under)]) + " "));
        }
        for y in self.y.numbers() {
            let y = self.at(0.0, y).1;
            squares.push_str(&(through(&[(plot.x, y), (right, y)]) + " "));
        }
        let mut items = vec![Item::Path {
            d: squares.trim_end().to_owned(),
            fill: Paint::None,
            stroke: Paint::Grid,
            stroke_width: 1.0,
            dash: Vec::new(),
        }];
        let zero = self.at(0.0, 0.0);
        let (left_end, right_end) = ((plot.x, zero.1), (right + BEYOND, zero.1));
        let (low_end, high_end) = ((zero.0, under), (zero.0, plot.y - BEYOND));
        for (from, to) in [(left_end, right_end), (low_end, high_end)] {
            // Twice: words across an axis look like one of its numbers.
            obstacles.line(&[from, to]);
            obstacles.line(&[from, to]);
            items.extend(arrow(from, to).into_iter().map(thin));
        }
        for (item, area) in self.numbers(zero).into_iter().chain([
            fixed("x".to_owned(), right_end.0 + 2.0, zero.1 - 10.0, Anchor::Middle, SIZE),
            fixed("y".to_owned(), zero.0 + 10.0, high_end.1 + 8.0, Anchor::Start, SIZE),
        ]) {
            obstacles.take(area);
            items.push(item);
        }
        items
    }

    /// The numbers, below the horizontal axis and left of the vertical one, and the marks beside them.
    fn numbers(&self, zero: (f64, f64)) -> Vec<(Item, Area)> {
        let mut numbers = Vec::new();
        // At the edge of the paper there is no room on the usual side.
        let left_free = zero.0 - self.plot.x > 30.0;
        let widest =
            self.x.numbers().map(|x| label(x, self.x.step).chars().count()).max().unwrap_or(1) as f64 * SIZE * 0.6;
        let apart = self.x.step / (self.x.high - self.x.low) * self.plot.width;
        let every = ((widest + 8.0) / apart).ceil().max(1.0) as i64;
        for x in self.x.numbers() {
            let idx = (x / self.x.step).round() as i64;
            if idx != 0 && idx % every == 0 && x < self.x.high - self.x.step * 0.5 + 1e-9 {
                let at = self.at(x, 0.0).0;
                numbers.push(fixed(label(x, self.x.step), at, zero.1 + SIZE + 3.0, Anchor::Middle, SIZE));
            }
        }
        for y in self.y.numbers() {
            let is_zero = (y / self.y.step).round() as i64 == 0;
            let shift = if is_zero { SIZE + 3.0 } else { SIZE * 0.335 };
            let at = self.at(0.0, y).1 + shift;
            let is_end = y > self.y.high - self.y.step * 0.5;
            if is_end || (is_zero && !left_free) {
                continue;
            }
            numbers.push(fixed(label(y, self.y.step), zero.0 - 7.0, at, Anchor::End, SIZE));
        }
        numbers
    }
}

/// The lines of axes are thinner than those of shapes.
fn thin(item: Item) -> Item {
    match item {
        Item::Path { d, fill: Paint::None, stroke, dash, .. } => {
            Item::Path { d, fill: Paint::None, stroke, stroke_width: 1.5, dash }
        }
        other => other,
    }
}

/// A number with as many decimals as its steps need, and a real minus.
fn label(value: f64, step: f64) -> String {
    let decimals = if step >= 1.0 - 1e-9 { 0 } else { (-step.log10()).ceil().clamp(0.0, 6.0) as usize };
    let text = format!("{:.decimals$}", value.abs());
    if value < -step / 2.0 { format!("−{text}") } else { text }
}
