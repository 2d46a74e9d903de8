//! Tables and shares.

use std::path::{Path, PathBuf};

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The demo model.
pub fn demo_model() -> PathBuf {
    root().join("models/demo/aula-demo.gguf")
}

/// `part` of `whole` in per cent; nothing of nothing is everything.
pub fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 100.0 } else { part as f64 * 100.0 / whole as f64 }
}

/// The value that `per_cent` of `values` are at most; 0 without any.
pub fn percentile(values: &mut [usize], per_cent: usize) -> usize {
    values.sort_unstable();
    values.len().checked_sub(1).map_or(0, |last| values[last * per_cent / 100])
}

/// A Markdown table; the first row is its head.
pub fn table(rows: &[Vec<String>]) -> String {
    let mut out = String::new();
    for (index, row) in rows.iter().enumerate() {
        out.push_str(&format!("| {} |\n", row.join(" | ")));
        if index == 0 {
            out.push_str(&format!("|{}\n", "---|".repeat(row.len())));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_percentiles_and_tables() {
        assert_eq!((share(1, 4), share(0, 0)), (25.0, 100.0));
        let mut values: Vec<usize> = (1..=200).rev().collect();
        assert_eq!((percentile(&mut values, 50), percentile(&mut values, 99), percentile(&mut [], 99)), (100, 198, 0));
        let rows = [["a", "b"], ["1", "2"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(table(&rows), "| a | b |\n|---|---|\n| 1 | 2 |\n");
    }
}
