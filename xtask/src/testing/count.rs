//! Counting tests from what test programs print.

/// Tests that passed and failed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// Passed.
    pub passed: u64,
    /// Failed, or broken off.
    pub failed: u64,
}

/// Whose output is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counter {
    /// A program without tests: only its exit code counts.
    None,
    /// `cargo test`.
    Cargo,
    /// Node's own test runner with the `spec` reporter.
    Node,
    /// vitest.
    Vitest,
}

impl Tally {
    /// All of them.
    pub fn total(self) -> u64 {
        self.passed + self.failed
    }

    /// Adds what `line` says.
    pub fn read(&mut self, counter: Counter, line: &str) {
        let line = line.trim();
        match counter {
            Counter::None => {}
            Counter::Cargo => {
                if let Some(rest) = line.strip_prefix("test result: ") {
                    self.passed += number_before(rest, " passed");
                    self.failed += number_before(rest, " failed");
                }
            }
            Counter::Node => {
                if let Some((word, number)) = line.strip_prefix("ℹ ").and_then(|rest| rest.split_once(' ')) {
                    let number = number.parse().unwrap_or(0);
                    match word {
                        "pass" => self.passed += number,
                        "fail" | "cancelled" => self.failed += number,
                        _ => {}
                    }
                }
            }
            Counter::Vitest => {
                if let Some(rest) = line.strip_prefix("Tests ") {
                    self.passed += number_before(rest, " passed");
                    self.failed += number_before(rest, " failed");
                }
            }
        }
    }
}

/// The number that stands directly before `word`; 0 when there is none.
fn number_before(text: &str, word: &str) -> u64 {
    let Some(end) = text.find(word) else { return 0 };
    let digits = text[..end].rsplit(|c: char| !c.is_ascii_digit()).next().unwrap_or("");
    digits.parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(counter: Counter, lines: &[&str]) -> (u64, u64) {
        let mut tally = Tally::default();
        lines.iter().for_each(|line| tally.read(counter, line));
        (tally.passed, tally.failed)
    }

    #[test]
    fn cargo() {
        let lines = [
            "running 3 tests",
            "test a ... ok",
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            "test result: FAILED. 5 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s",
        ];
        assert_eq!(count(Counter::Cargo, &lines), (17, 2));
    }

    #[test]
    fn node() {
        let lines =
            ["✔ asks (12ms)", "ℹ tests 5", "ℹ suites 0", "ℹ pass 3", "ℹ fail 1", "ℹ cancelled 1", "ℹ skipped 0"];
        assert_eq!(count(Counter::Node, &lines), (3, 2));
    }

    #[test]
    fn vitest() {
        assert_eq!(count(Counter::Vitest, &["Test Files  2 passed (2)", "     Tests  34 passed (34)"]), (34, 0));
        assert_eq!(count(Counter::Vitest, &["     Tests  1 failed | 33 passed (34)"]), (33, 1));
    }

    #[test]
    fn nothing_is_counted_where_nothing_is_said() {
        assert_eq!(count(Counter::None, &["test result: ok. 12 passed; 0 failed"]), (0, 0));
        assert_eq!(count(Counter::Cargo, &["12 passed"]), (0, 0));
    }
}
