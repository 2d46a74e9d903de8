//! Whether an answer that a person typed is the one that was expected.
//!
//! Equality is what can be shown here; difference is not: `1/2` and `0.5`, or two ways to say the same thing, look different
//! and are both right. So the two outcomes are "the same" and "looks different", and the page never says "wrong" for the
//! second: it shows the expected answer and lets the person say whether theirs means the same.

/// Whether `given` is `expected` to a reader: the same after [`normal`], or the same number, or the same fraction.
pub fn same(expected: &str, given: &str) -> bool {
    let (expected, given) = (normal(expected), normal(given));
    if given.is_empty() {
        return false;
    }
    if expected == given {
        return true;
    }
    match (number(&expected), number(&given)) {
        (Some(a), Some(b)) => a == b,
        _ => false,
    }
}

/// `text` as it is compared, in this order:
///
/// 1. dollar signs are taken out, letters are made small and lose their accents (`ñ` and `ç` stay: they are letters of
///    their own), `−` becomes `-`, `·` and `×` become `*`, `:` and `÷` become `/`;
/// 2. all spaces are taken out;
/// 3. a beginning like `x=` (one letter and an equals sign) is taken out, and full stops, `!`, `?`, `¡`, `¿` at the ends;
/// 4. a comma between two digits becomes a point.
pub fn normal(text: &str) -> String {
    let mut out: String = text
        .chars()
        .filter(|c| *c != '$' && !c.is_whitespace())
        .flat_map(char::to_lowercase)
        .map(|c| match c {
            'á' | 'à' | 'â' | 'ã' | 'ä' => 'a',
            'é' | 'è' | 'ê' | 'ë' => 'e',
            'í' | 'ì' | 'î' | 'ï' => 'i',
            'ó' | 'ò' | 'ô' | 'õ' | 'ö' => 'o',
            'ú' | 'ù' | 'û' | 'ü' => 'u',
            '−' | '–' => '-',
            '·' | '×' => '*',
            ':' | '÷' => '/',
            other => other,
        })
        // Accents that stand behind their letter.
        .filter(|c| !('\u{300}'..='\u{302}').contains(c) && *c != '\u{308}')
        .collect();
    let mut start = out.chars();
    if let (Some(letter), Some('=')) = (start.next(), start.next())
        && letter.is_alphabetic()
    {
        out = start.as_str().to_owned();
    }
    let ends = |c: char| matches!(c, '.' | '!' | '?' | '¡' | '¿');
    let out: Vec<char> = out.trim_matches(ends).chars().collect();
    let digit = |at: Option<&char>| at.is_some_and(char::is_ascii_digit);
    (0..out.len())
        .map(|at| match out[at] {
            ',' if at > 0 && digit(out.get(at - 1)) && digit(out.get(at + 1)) => '.',
            other => other,
        })
        .collect()
}

/// The number that `text` is, as a fraction in lowest terms with a positive denominator: `7`, `-0.50`, `3/4`, `+2`.
fn number(text: &str) -> Option<(i128, i128)> {
    let (above, below) = match text.split_once('/') {
        Some((above, below)) => (decimal(above)?, decimal(below)?),
        None => (decimal(text)?, (1, 1)),
    };
    // (a/b) / (c/d)
    let (n, d) = (above.0.checked_mul(below.1)?, above.1.checked_mul(below.0)?);
    if d == 0 {
        return None;
    }
    let common = gcd(n.unsigned_abs(), d.unsigned_abs());
    let common = i128::try_from(common).ok()? * d.signum();
    Some((n / common, d / common))
}

/// `-12.50` as (-1250, 100).
fn decimal(text: &str) -> Option<(i128, i128)> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    // More digits than this are not typed by hand, and the products above must not overflow.
    if whole.is_empty() || !all_digits(whole) || !all_digits(part) || whole.len() + part.len() > 15 {
        return None;
    }
    let value: i128 = format!("{whole}{part}").parse().ok()?;
    Some((sign * value, 10_i128.pow(u32::try_from(part.len()).ok()?)))
}

fn gcd(a: u128, b: u128) -> u128 {
    if b == 0 { a.max(1) } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_written_in_another_way() {
        for (expected, given) in [
            ("3,5", "3.5"),
            ("3.5", " 3,50 "),
            ("12", "x = 12"),
            ("x=12", "12"),
            ("y = -3", "−3"),
            ("1/2", "0,5"),
            ("2/4", "1/2"),
            ("-1/2", "1/-2"),
            ("6:3", "2"),
            ("Bogotá", "bogota"),
            ("Bogotá", "bogota\u{301}"),
            ("el núcleo.", "El  nucleo"),
            ("$x^2$", "x^2"),
            ("2 · x", "2×x"),
            ("¿Quién?", "quien"),
            ("0", "-0"),
            ("1000", "+1000"),
        ] {
            assert!(same(expected, given), "{expected} and {given}");
            assert!(same(given, expected), "{given} and {expected}");
        }
    }

    #[test]
    fn what_looks_different() {
        for (expected, given) in [
            ("3.5", "35"),
            ("12", "-12"),
            ("12", ""),
            ("", ""),
            ("año", "ano"),
            ("1/3", "0.33"),
            ("1/0", "2/0"),
            ("x", "y"),
            ("2x", "x=2"),
            ("12 cm", "12"),
            ("1, 2", "1.2.3"),
            ("99999999999999999999", "99999999999999999998"),
        ] {
            assert!(!same(expected, given), "{expected} and {given}");
        }
        assert!(same("99999999999999999999", "99999999999999999999"));
    }

    #[test]
    fn the_form_that_is_compared() {
        for (text, expected) in [
            (" X = 3,5 ", "3.5"),
            ("a, b", "a,b"),
            ("1,", "1,"),
            ("Ça va?", "çava"),
            ("Niño", "niño"),
            ("nin\u{303}o", "nin\u{303}o"),
            ("...", ""),
            ("xy=3", "xy=3"),
            ("12 ÷ 4", "12/4"),
        ] {
            assert_eq!(normal(text), expected, "{text}");
        }
    }
}
