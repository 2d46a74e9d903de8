//! Curves, computed from their numbers: which part of them is shown, how they run there, what stands beside them.

use tutor::tools::{Curve, Function};

use super::axes::Axes;
use super::labels::{Area, Label, Obstacles};
use super::shapes::through;
use crate::scene::{Item, Paint};

/// Width of curves.
const LINE: f64 = 3.0;
/// Places at which a curve is computed.
const SAMPLES: usize = 900;
/// Farthest from 0 that is shown because something happens there.
const FAR: f64 = 30.0;
/// Room around the plot, for the ends of the axes.
const INSET: f64 = 6.0;
/// From the place of a curve's name to other curves.
const CLEAR: f64 = 50.0;
/// Radius of a named point.
const POINT: f64 = 5.5;

/// Axes and curves, and the words that look for a place beside them.
pub(super) struct Plot {
    pub items: Vec<Item>,
    pub labels: Vec<Label>,
}

/// What is worth seeing of a curve.
#[derive(Debug, Default)]
struct View {
    xs: Vec<f64>,
    ys: Vec<f64>,
    /// The height that it comes near to and never reaches.
    asymptote: Option<f64>,
    /// Points with whole numbers that have a name in class: vertex, crossings with the axes.
    points: Vec<(f64, f64)>,
}

fn numbers(curve: &Curve) -> (f64, f64, f64) {
    (f64::from(curve.a), f64::from(curve.b), f64::from(curve.c))
}

fn value(curve: &Curve, x: f64) -> f64 {
    let (a, b, c) = numbers(curve);
    match curve.function {
        Function::Line => b * x + c,
        Function::Parabola => a * x * x + b * x + c,
        Function::Sine => a * (b * x).sin() + c,
        Function::Exponential => a * (b * x).exp2() + c,
        Function::Hyperbola => {
            if x == 0.0 && a != 0.0 {
                f64::NAN
            } else if a == 0.0 {
                c
            } else {
                a / x + c
            }
        }
    }
}

fn view(curve: &Curve) -> View {
    let (a, b, c) = numbers(curve);
    match curve.function {
        Function::Parabola if curve.a != 0 => parabola(a, b, c),
        Function::Line | Function::Parabola => line(b, c),
        Function::Sine if curve.a != 0 && curve.b != 0 => {
            let period = std::f64::consts::TAU / b.abs();
            View { xs: vec![-period, period], ys: vec![c - a.abs(), c + a.abs()], ..View::default() }
        }
        Function::Sine => line(0.0, c),
        Function::Exponential if curve.a != 0 && curve.b != 0 => View {
            xs: vec![-4.0 / b.abs(), 4.0 / b.abs()],
            ys: vec![c, c + 9.0 * a],
            asymptote: Some(c),
            points: vec![(0.0, a + c)],
        },
        Function::Exponential => line(0.0, if curve.b == 0 { a + c } else { c }),
        Function::Hyperbola if curve.a != 0 => {
            let reach = a.abs().max(4.0);
            View { xs: vec![-reach, reach], ys: vec![c - reach, c + reach], asymptote: Some(c), points: Vec::new() }
        }
        Function::Hyperbola => line(0.0, c),
    }
}

fn line(slope: f64, c: f64) -> View {
    if slope == 0.0 {
        return View { xs: vec![-5.0, 5.0], ys: vec![c], ..View::default() };
    }
    let root = -c / slope;
    let reach = (root.abs() * 1.4).clamp(5.0, FAR);
    View {
        xs: vec![-reach, reach],
        ys: vec![slope * -reach + c, slope * reach + c],
        asymptote: None,
        points: vec![(0.0, c), (root, 0.0)],
    }
}

fn parabola(a: f64, b: f64, c: f64) -> View {
    let vertex = -b / (2.0 * a);
    let height = a * vertex * vertex + b * vertex + c;
    let to_root = (b * b - 4.0 * a * c).max(0.0).sqrt() / (2.0 * a.abs());
    let reach = (to_root * 1.5).max(vertex.abs() * 1.3).max(2.0);
    let edge = |x: f64| a * x * x + b * x + c;
    let mut points = vec![(vertex, height)];
    if to_root > 0.0 {
        points.extend([(vertex - to_root, 0.0), (vertex + to_root, 0.0)]);
    }
    View {
        xs: vec![vertex - reach, vertex + reach],
        ys: vec![height, edge(vertex + reach * 0.9)],
        asymptote: None,
        points,
    }
}

/// The curves on one pair of axes in `area`.
pub(super) fn plot(curves: &[Curve], area: Area, obstacles: &mut Obstacles) -> Plot {
    let views: Vec<View> = curves.iter().map(view).collect();
    let span = |values: &mut dyn Iterator<Item = f64>| {
        values.fold((0.0_f64, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)))
    };
    let across = span(&mut views.iter().flat_map(|view| view.xs.iter().copied()));
    let (low, high) = span(&mut views.iter().flat_map(|view| view.ys.iter().copied()));
    let room = (high - low).max(1.0) * 0.06;
    let axes = Axes::new(across, (low - room, high + room), area.grown(-INSET));
    let mut plot = Plot { items: axes.items(obstacles), labels: Vec::new() };
    for view in &views {
        if let Some(height) = view.asymptote.filter(|height| *height != 0.0) {
            let ends = [axes.at(axes.x.low, height), axes.at(axes.x.high, height)];
            plot.items.push(stroke(&ends, Paint::Ink2, 1.5, vec![3.0, 6.0]));
            obstacles.line(&ends);
        }
    }
    let pieces: Vec<Vec<Vec<(f64, f64)>>> = curves.iter().map(|curve| runs(curve, &axes)).collect();
    for (idx, curve) in curves.iter().enumerate() {
        let (paint, dash) = if idx == 0 { (Paint::App, Vec::new()) } else { (Paint::Ink, vec![11.0, 8.0]) };
        for run in &pieces[idx] {
            plot.items.push(stroke(run, paint, LINE, dash.clone()));
            obstacles.line(run);
        }
        let others: Vec<(f64, f64)> =
            pieces.iter().enumerate().filter(|(other, _)| *other != idx).flat_map(|(_, runs)| runs.concat()).collect();
        plot.labels.extend(name(curve, paint, &pieces[idx], &others));
    }
    for point in named(&views, &axes) {
        let (cx, cy) = axes.at(point.0, point.1);
        let (fill, stroke) = (Paint::Mark, Paint::Ink);
        plot.items.push(Item::Ellipse { cx, cy, rx: POINT, ry: POINT, fill, stroke, stroke_width: 1.5 });
        let around = Area::new(cx - POINT, cy - POINT, 2.0 * POINT, 2.0 * POINT);
        obstacles.take(around);
        let text = format!("({}, {})", whole(point.0), whole(point.1));
        plot.labels.push(Label::line(text, Paint::Ink, false, 1).around(around, (cx, cy)));
    }
    plot
}

/// The points with whole numbers that lie on the paper, each once.
fn named(views: &[View], axes: &Axes) -> Vec<(f64, f64)> {
    let mut named: Vec<(f64, f64)> = Vec::new();
    for point in views.iter().flat_map(|view| &view.points) {
        let whole = (point.0.round(), point.1.round());
        let is_whole = (point.0 - whole.0).abs() < 1e-9 && (point.1 - whole.1).abs() < 1e-9;
        let is_seen = (axes.x.low..=axes.x.high).contains(&whole.0) && (axes.y.low..=axes.y.high).contains(&whole.1);
        if is_whole && is_seen && !named.contains(&whole) {
            named.push((whole.0 + 0.0, whole.1 + 0.0));
        }
    }
    named
}

fn stroke(points: &[(f64, f64)], stroke: Paint, stroke_width: f64, dash: Vec<f64>) -> Item {
    Item::Path { d: through(points), fill: Paint::None, stroke, stroke_width, dash }
}

/// The visible pieces of `curve`, as points on the paper.
fn runs(curve: &Curve, axes: &Axes) -> Vec<Vec<(f64, f64)>> {
    let mut runs: Vec<Vec<(f64, f64)>> = Vec::new();
    let mut run: Vec<(f64, f64)> = Vec::new();
    let (low, high) = (axes.y.low, axes.y.high);
    let mut before: Option<(f64, f64)> = None;
    let mut end = |run: &mut Vec<(f64, f64)>| {
        let done = std::mem::take(run);
        if done.len() > 1 {
            runs.push(done);
        }
    };
    for sample in 0..=SAMPLES {
        let x = axes.x.low + (axes.x.high - axes.x.low) * sample as f64 / SAMPLES as f64;
        let y = value(curve, x);
        if !y.is_finite() {
            end(&mut run);
            before = None;
            continue;
        }
        // From one side of a vertical asymptote to the other there is no curve.
        if before
            .is_some_and(|(left, _)| curve.function == Function::Hyperbola && curve.a != 0 && left < 0.0 && x > 0.0)
        {
            end(&mut run);
            before = None;
        }
        let is_inside = (low..=high).contains(&y);
        if let Some((px, py)) = before {
            let was_inside = (low..=high).contains(&py);
            let edge = |outside: f64| if outside > high { high } else { low };
            if was_inside && !is_inside {
                run.push(crossing((px, py), (x, y), edge(y), axes));
                end(&mut run);
            } else if !was_inside && is_inside {
                run.push(crossing((px, py), (x, y), edge(py), axes));
            } else if !was_inside && (py > high) != (y > high) {
                end(&mut run);
                run.push(crossing((px, py), (x, y), edge(py), axes));
                run.push(crossing((px, py), (x, y), edge(y), axes));
                end(&mut run);
            }
        }
        if is_inside {
            run.push(axes.at(x, y));
        }
        before = Some((x, y));
    }
    end(&mut run);
    runs
}

/// Where the straight line from `a` to `b` crosses the height `edge`.
fn crossing(a: (f64, f64), b: (f64, f64), edge: f64, axes: &Axes) -> (f64, f64) {
    let part = if (b.1 - a.1).abs() > 0.0 { ((edge - a.1) / (b.1 - a.1)).clamp(0.0, 1.0) } else { 0.0 };
    axes.at(a.0 + (b.0 - a.0) * part, edge)
}

/// The formula of `curve`, to stand beside it, away from where it meets the others.
fn name(curve: &Curve, paint: Paint, runs: &[Vec<(f64, f64)>], others: &[(f64, f64)]) -> Option<Label> {
    let longest = runs.iter().max_by_key(|run| run.len())?;
    let mut label = Label::line(formula(curve), paint, true, 2);
    let parts = [0.86, 0.7, 0.94, 0.14, 0.3, 0.5];
    let places = parts.map(|part| longest[((longest.len() - 1) as f64 * part) as usize]);
    let is_clear = |(x, y): &&(f64, f64)| others.iter().all(|other| (other.0 - x).hypot(other.1 - y) > CLEAR);
    let clear: Vec<_> = places.iter().filter(is_clear).collect();
    let places = if clear.is_empty() { places.iter().collect() } else { clear };
    for (choice, (x, y)) in places.into_iter().enumerate() {
        label = label.around_as_choice(choice, Area::new(x - 3.0, y - 3.0, 6.0, 6.0), (*x, *y));
    }
    Some(label)
}

fn whole(value: f64) -> String {
    if value < 0.0 { format!("−{}", -value) } else { format!("{}", value + 0.0) }
}

/// `y = …` as it is written by hand: no ones, no zeros.
fn formula(curve: &Curve) -> String {
    let (a, b, c) = (i32::from(curve.a), i32::from(curve.b), i32::from(curve.c));
    let mut terms: Vec<(i32, String)> = Vec::new();
    let x_term = |factor: i32| if factor.abs() == 1 { "x".to_owned() } else { format!("{}x", factor.abs()) };
    match curve.function {
        Function::Line | Function::Parabola => {
            if curve.function == Function::Parabola && a != 0 {
                terms.push((a, if a.abs() == 1 { "x²".to_owned() } else { format!("{}x²", a.abs()) }));
            }
            if b != 0 {
                terms.push((b, x_term(b)));
            }
        }
        Function::Sine if a != 0 && b != 0 => {
            let inner = if b < 0 { format!("−{}", x_term(b)) } else { x_term(b) };
            let factor = if a.abs() == 1 { String::new() } else { format!("{} ", a.abs()) };
            terms.push((a, format!("{factor}sin({inner})")));
        }
        Function::Exponential if a != 0 && b != 0 => {
            let factor = if a.abs() == 1 { String::new() } else { format!("{} · ", a.abs()) };
            terms.push((a, format!("{factor}2{}ˣ", raised(b))));
        }
        Function::Exponential if b == 0 && a != 0 => terms.push((a, a.abs().to_string())),
        Function::Hyperbola if a != 0 => terms.push((a, format!("{}/x", a.abs()))),
        Function::Sine | Function::Exponential | Function::Hyperbola => {}
    }
    if c != 0 || terms.is_empty() {
        terms.push((c, c.abs().to_string()));
    }
    let mut text = "y =".to_owned();
    for (idx, (sign, term)) in terms.iter().enumerate() {
        let sign = match (idx, *sign < 0) {
            (0, false) => " ",
            (0, true) => " −",
            (_, false) => " + ",
            (_, true) => " − ",
        };
        text.push_str(sign);
        text.push_str(term);
    }
    text
}

/// A factor of x in an exponent; nothing for 1.
fn raised(factor: i32) -> String {
    const FIGURES: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let sign = if factor < 0 { "⁻" } else { "" };
    if factor.abs() == 1 {
        return sign.to_owned();
    }
    let figures: String =
        factor.abs().to_string().chars().filter_map(|figure| Some(FIGURES[figure.to_digit(10)? as usize])).collect();
    sign.to_owned() + &figures
}
