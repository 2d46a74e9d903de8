//! A drawing as SVG: only elements and attributes that are written here, only texts that are escaped.

use std::fmt::Write;

use crate::scene::{Anchor, Drawing, Item, Paint, TextLine};
use crate::theme::Theme;

/// What sets the texts: the page's list of fonts.
pub(crate) const FAMILIES: &str = "Atkinson Hyperlegible Next, Atkinson Hyperlegible, Segoe UI, Ubuntu, Cantarell, \
                                   Noto Sans, sans-serif";
/// How far the halo reaches to each side of a letter.
const HALO: f64 = 3.0;

/// `drawing` as an SVG document of its own: no styles, scripts, links, names or references.
pub fn svg(drawing: &Drawing, theme: Theme) -> String {
    let mut out = String::new();
    let (width, height) = (number(drawing.width), number(drawing.height));
    push(
        &mut out,
        format_args!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         role=\"img\" font-family=\"{FAMILIES}\">\n<title>{}</title>\n<desc>{}</desc>\n",
            escape(&drawing.title),
            escape(&drawing.description)
        ),
    );
    for item in &drawing.items {
        draw(&mut out, item, theme);
    }
    out.push_str("</svg>\n");
    out
}

fn draw(out: &mut String, item: &Item, theme: Theme) {
    match item {
        Item::Rect { x, y, width, height, radius, fill, stroke, stroke_width } => {
            push(
                out,
                format_args!(
                    "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"",
                    number(*x),
                    number(*y),
                    number(width.max(0.0)),
                    number(height.max(0.0))
                ),
            );
            if *radius > 0.0 {
                push(out, format_args!(" rx=\"{}\"", number(*radius)));
            }
            paint(out, theme, *fill, *stroke, *stroke_width);
        }
        Item::Ellipse { cx, cy, rx, ry, fill, stroke, stroke_width } => {
            push(
                out,
                format_args!(
                    "<ellipse cx=\"{}\" cy=\"{}\" rx=\"{}\" ry=\"{}\"",
                    number(*cx),
                    number(*cy),
                    number(rx.max(0.0)),
                    number(ry.max(0.0))
                ),
            );
            paint(out, theme, *fill, *stroke, *stroke_width);
        }
        Item::Path { d, fill, stroke, stroke_width, dash } => {
            push(out, format_args!("<path d=\"{}\"", path_data(d)));
            if !dash.is_empty() {
                let lengths: Vec<String> = dash.iter().map(|length| number(length.max(0.0))).collect();
                push(out, format_args!(" stroke-dasharray=\"{}\"", lengths.join(" ")));
            }
            out.push_str(" stroke-linecap=\"round\" stroke-linejoin=\"round\"");
            paint(out, theme, *fill, *stroke, *stroke_width);
        }
        Item::Text(line) => text(out, line, theme),
    }
}

fn paint(out: &mut String, theme: Theme, fill: Paint, stroke: Paint, width: f64) {
    push(out, format_args!(" fill=\"{}\"", theme.colour(fill).unwrap_or("none")));
    if let Some(colour) = theme.colour(stroke).filter(|_| width > 0.0) {
        push(out, format_args!(" stroke=\"{colour}\" stroke-width=\"{}\"", number(width)));
    }
    out.push_str("/>\n");
}

/// A line of text; with a halo it is written twice, because not every reader of SVG knows `paint-order`.
fn text(out: &mut String, line: &TextLine, theme: Theme) {
    if line.halo
        && let Some(colour) = theme.colour(Paint::Surface)
    {
        let halo = format!(
            " stroke=\"{colour}\" stroke-width=\"{}\" stroke-linejoin=\"round\" aria-hidden=\"true\"",
            number(2.0 * HALO)
        );
        one_text(out, line, colour, &halo);
    }
    one_text(out, line, theme.colour(line.fill).unwrap_or("none"), "");
}

fn one_text(out: &mut String, line: &TextLine, colour: &str, more: &str) {
    let anchor = match line.anchor {
        Anchor::Start => "start",
        Anchor::Middle => "middle",
        Anchor::End => "end",
    };
    let weight = if line.bold { " font-weight=\"600\"" } else { "" };
    push(
        out,
        format_args!(
            "<text x=\"{}\" y=\"{}\" font-size=\"{}\"{weight} text-anchor=\"{anchor}\" fill=\"{colour}\"{more}>{}</text>\n",
            number(line.x),
            number(line.y),
            number(line.size),
            escape(&line.text)
        ),
    );
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a `String` cannot fail.
    let _ = out.write_fmt(text);
}

/// At most two decimals; what is no number becomes 0.
pub(crate) fn number(value: f64) -> String {
    let value = if value.is_finite() { value.clamp(-1e6, 1e6) } else { 0.0 };
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// Commands and numbers only.
fn path_data(d: &str) -> String {
    d.chars().filter(|c| matches!(c, 'M' | 'L' | 'C' | 'Z' | '0'..='9' | '.' | '-' | ' ' | ',')).collect()
}

/// `text` as XML character data; characters that XML does not allow are left out.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => {}
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}
