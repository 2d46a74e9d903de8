//! From what a model wrote to lines of text that can be set.

use crate::font::{is_mark, is_wide, width};

/// Accents that may stand on one letter.
const MOST_MARKS: usize = 2;

/// `text` as one line without characters that cannot be seen or that would change how what follows is read: control
/// characters, direction overrides, line separators. Runs of white space become one space. Never empty.
pub(crate) fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut marks = 0;
    for c in text.chars() {
        if c.is_whitespace() || c.is_control() {
            if !clean.is_empty() && !clean.ends_with(' ') {
                clean.push(' ');
            }
        } else if !is_hidden(c) {
            marks = if is_mark(c) { marks + 1 } else { 0 };
            if marks <= MOST_MARKS {
                clean.push(c);
            }
        }
    }
    clean.truncate(clean.trim_end().len());
    if clean.is_empty() { "–".to_owned() } else { clean }
}

/// Whether `c` has no shape of its own, is not allowed in XML, or belongs to nobody.
fn is_hidden(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}'
        | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{e000}'..='\u{f8ff}' | '\u{fdd0}'..='\u{fdef}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{ffff}'
        | '\u{e0000}'..='\u{10ffff}')
        || (c as u32 & 0xfffe) == 0xfffe
}

/// `text` in lines of at most `most` units, as few and as even as possible. Words that are longer are broken.
pub(crate) fn wrap(text: &str, size: f64, bold: bool, most: f64) -> Vec<String> {
    let pieces = pieces(text, size, bold, most);
    let lines = fill(&pieces, most);
    let (mut narrow, mut wide) = (0.0, most);
    for _ in 0..12 {
        let middle = (narrow + wide) / 2.0;
        let fits = pieces.iter().all(|piece| piece.width <= middle) && fill(&pieces, middle).len() <= lines.len();
        if fits { wide = middle } else { narrow = middle }
    }
    fill(&pieces, wide)
}

/// Something that stays on one line.
struct Piece {
    text: String,
    width: f64,
    /// Width of the space before it; none where it follows directly.
    space: Option<f64>,
}

fn pieces(text: &str, size: f64, bold: bool, most: f64) -> Vec<Piece> {
    let space = width(" ", size, bold);
    let mut pieces = Vec::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let mut piece = Piece { text: String::new(), width: 0.0, space: Some(space) };
        let mut before = None;
        for cluster in clusters(word) {
            let cluster_width = width(cluster, size, bold);
            let wide = cluster.chars().next().is_some_and(is_wide);
            let may_break = wide || before == Some(true);
            if !piece.text.is_empty() && (may_break || piece.width + cluster_width > most) {
                pieces.push(std::mem::replace(&mut piece, Piece { text: String::new(), width: 0.0, space: None }));
            }
            piece.text.push_str(cluster);
            piece.width += cluster_width;
            before = Some(wide);
        }
        pieces.push(piece);
    }
    pieces
}

/// Characters with the marks that stand on them and what is joined to them.
fn clusters(word: &str) -> Vec<&str> {
    let mut starts = Vec::new();
    let mut joined = false;
    for (at, c) in word.char_indices() {
        let belongs = is_mark(c) || matches!(c, '\u{200c}' | '\u{200d}');
        if !(belongs || joined) || starts.is_empty() {
            starts.push(at);
        }
        joined = c == '\u{200d}';
    }
    let ends = starts.iter().skip(1).copied().chain([word.len()]);
    starts.iter().zip(ends).map(|(start, end)| &word[*start..end]).collect()
}

fn fill(pieces: &[Piece], most: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut filled = 0.0;
    for piece in pieces {
        let with_space = piece.space.unwrap_or(0.0) + piece.width;
        match lines.last_mut() {
            Some(line) if filled + with_space <= most + 1e-9 => {
                if piece.space.is_some() {
                    line.push(' ');
                }
                line.push_str(&piece.text);
                filled += with_space;
            }
            _ => {
                lines.push(piece.text.clone());
                filled = piece.width;
            }
        }
    }
    lines
}

/// Width of the longest of `lines`.
pub(crate) fn longest(lines: &[String], size: f64, bold: bool) -> f64 {
    lines.iter().map(|line| width(line, size, bold)).fold(0.0, f64::max)
}
