//! The fonts of the drawings, compiled in, under the SIL Open Font License 1.1 (`fonts/README.md`). Widths are measured
//! with them, and pictures are set in them.

use std::sync::OnceLock;

use ttf_parser::Face;

/// Weight 400.
pub(crate) const REGULAR: &[u8] = include_bytes!("../fonts/AtkinsonHyperlegibleNext-Regular.ttf");
/// Weight 600.
pub(crate) const SEMIBOLD: &[u8] = include_bytes!("../fonts/AtkinsonHyperlegibleNext-SemiBold.ttf");
/// What the two lack: Greek letters, small figures, arrows, signs of mathematics.
pub(crate) const SIGNS: &[u8] = include_bytes!("../fonts/STIXTwoMath-Signs.ttf");

/// Width of a character that the fonts lacks, in ems: some other font of the computer draws it.
const FOREIGN: f64 = 0.68;
/// The same for Chinese, Japanese and Korean writing and for pictographs.
const FOREIGN_WIDE: f64 = 1.2;

/// Width of `text` in user units at `size`. Kerning is left out: it only makes lines shorter.
pub(crate) fn width(text: &str, size: f64, bold: bool) -> f64 {
    text.chars().map(|c| advance(c, bold)).sum::<f64>() * size
}

/// How far `c` moves the pen, in ems.
fn advance(c: char, bold: bool) -> f64 {
    if is_mark(c) || matches!(c, '\u{200c}' | '\u{200d}') {
        return 0.0;
    }
    let [regular, semibold, signs] = faces();
    let in_ems = |face: &Option<Face<'_>>| {
        let face = face.as_ref()?;
        let units = face.glyph_hor_advance(face.glyph_index(c)?)?;
        Some(f64::from(units) / f64::from(face.units_per_em()))
    };
    let own = in_ems(if bold { semibold } else { regular }).or_else(|| in_ems(signs));
    own.unwrap_or(if is_wide(c) { FOREIGN_WIDE } else { FOREIGN })
}

fn faces() -> &'static [Option<Face<'static>>; 3] {
    static FACES: OnceLock<[Option<Face<'static>>; 3]> = OnceLock::new();
    FACES.get_or_init(|| [REGULAR, SEMIBOLD, SIGNS].map(|bytes| Face::parse(bytes, 0).ok()))
}

/// Whether `c` stands on the character before it.
pub(crate) fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5bd}' | '\u{610}'..='\u{61a}'
        | '\u{64b}'..='\u{65f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{fe20}'..='\u{fe2f}' | '\u{1f3fb}'..='\u{1f3ff}')
}

/// Whether `c` is drawn in a square: East Asian writing and pictographs. Lines may break on both sides of it.
pub(crate) fn is_wide(c: char) -> bool {
    matches!(c, '\u{1100}'..='\u{115f}' | '\u{2600}'..='\u{27bf}' | '\u{2b00}'..='\u{2bff}' | '\u{2e80}'..='\u{303e}'
        | '\u{3041}'..='\u{33ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{a000}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe4f}' | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}' | '\u{1f000}'..='\u{1faff}' | '\u{20000}'..='\u{3fffd}')
}
