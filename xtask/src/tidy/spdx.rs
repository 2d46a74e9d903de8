//! Licence expressions as they stand in manifests: names joined by `OR`, `AND`, `WITH`, brackets, and the old `/`.

/// Whether the expression is fulfilled by licences that `allowed` accepts. Text that is not an expression is not.
pub fn fulfilled(expression: &str, allowed: &dyn Fn(&str) -> bool) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<_> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    let result = any(&mut rest, allowed);
    rest.is_empty() && result == Some(true)
}

/// `a OR b`, the loosest binding.
fn any(words: &mut &[&str], allowed: &dyn Fn(&str) -> bool) -> Option<bool> {
    let mut result = all(words, allowed)?;
    while take(words, "OR") {
        result |= all(words, allowed)?;
    }
    Some(result)
}

/// `a AND b`.
fn all(words: &mut &[&str], allowed: &dyn Fn(&str) -> bool) -> Option<bool> {
    let mut result = one(words, allowed)?;
    while take(words, "AND") {
        result &= one(words, allowed)?;
    }
    Some(result)
}

/// A name, perhaps `WITH` an exception (which only ever permits more), or a bracket.
fn one(words: &mut &[&str], allowed: &dyn Fn(&str) -> bool) -> Option<bool> {
    if take(words, "(") {
        let result = any(words, allowed)?;
        return take(words, ")").then_some(result);
    }
    let (name, rest) = words.split_first()?;
    if matches!(*name, "OR" | "AND" | "WITH" | ")") {
        return None;
    }
    *words = rest;
    if take(words, "WITH") {
        let (_, rest) = words.split_first()?;
        *words = rest;
    }
    Some(allowed(name))
}

fn take(words: &mut &[&str], word: &str) -> bool {
    match words.split_first() {
        Some((first, rest)) if *first == word => {
            *words = rest;
            true
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions() {
        let allowed = |name: &str| matches!(name, "MIT" | "Apache-2.0" | "Zlib");
        for (expression, expected) in [
            ("MIT", true),
            ("GPL-3.0", false),
            ("MIT OR GPL-3.0", true),
            ("MIT AND GPL-3.0", false),
            ("GPL-3.0 OR MIT AND Zlib", true),
            ("(GPL-3.0 OR MIT) AND Zlib", true),
            ("(GPL-3.0 OR MIT) AND LGPL-2.1", false),
            ("Apache-2.0 WITH LLVM-exception", true),
            ("MIT/Apache-2.0", true),
            ("(MIT", false),
            ("MIT Zlib", false),
            ("OR MIT", false),
            ("", false),
        ] {
            assert_eq!(fulfilled(expression, &allowed), expected, "{expression}");
        }
    }
}
