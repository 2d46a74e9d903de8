//! The table at the end of a test run.

use std::fmt::Write as _;
use std::time::Duration;

use super::count::Tally;

/// What became of a stage.
#[derive(Debug)]
pub enum Outcome {
    /// All is well.
    Good {
        /// Its tests, if it has any that can be counted.
        tally: Tally,
    },
    /// Something failed.
    Failed {
        /// Its tests so far.
        tally: Tally,
        /// In one sentence.
        why: String,
    },
    /// It cannot be done on this machine.
    Skipped {
        /// In one sentence.
        why: String,
    },
    /// It was not run.
    NotRun {
        /// The stage that it needs and that failed.
        because: &'static str,
    },
}

impl Outcome {
    /// Whether nothing failed.
    pub fn is_good(&self) -> bool {
        matches!(self, Self::Good { .. } | Self::Skipped { .. })
    }

    /// Passed and failed; a stage without countable tests is one check.
    fn tally(&self) -> Tally {
        match self {
            Self::Good { tally } if tally.total() == 0 => Tally { passed: 1, failed: 0 },
            Self::Good { tally } => *tally,
            Self::Failed { tally, .. } => Tally { passed: tally.passed, failed: tally.failed.max(1) },
            Self::Skipped { .. } => Tally::default(),
            Self::NotRun { .. } => Tally { passed: 0, failed: 1 },
        }
    }
}

/// One line of the table.
#[derive(Debug)]
pub struct Row {
    /// The stage.
    pub name: &'static str,
    /// Its budget.
    pub minutes: u64,
    /// What it took.
    pub seconds: u64,
    /// What became of it.
    pub outcome: Outcome,
}

/// The table and its last line `N passed, M failed`, with M.
pub fn report(rows: &[Row], total: Duration) -> (String, u64) {
    let mut text = format!("{:<14} {:>7} {:>7}  result\n", "stage", "budget", "took");
    let mut sum = Tally::default();
    for row in rows {
        let tally = row.outcome.tally();
        sum.passed += tally.passed;
        sum.failed += tally.failed;
        let mut result = match &row.outcome {
            Outcome::Good { tally } if tally.total() > 0 => format!("ok, {} tests", tally.passed),
            Outcome::Good { .. } => "ok".to_owned(),
            Outcome::Failed { why, .. } => format!("FAILED: {}", why.lines().next().unwrap_or("")),
            Outcome::Skipped { why } => format!("skipped: {why}"),
            Outcome::NotRun { because } => format!("NOT RUN, because {because} failed"),
        };
        if row.seconds > row.minutes * 60 {
            result.push_str(" (over its budget)");
        }
        let _ = writeln!(text, "{:<14} {:>7} {:>7}  {result}", row.name, clock(row.minutes * 60), clock(row.seconds));
    }
    let budget: u64 = rows.iter().map(|row| row.minutes * 60).sum();
    let _ = writeln!(text, "{:<14} {:>7} {:>7}\n", "all", clock(budget), clock(total.as_secs()));
    let _ = write!(text, "{} passed, {} failed", sum.passed, sum.failed);
    (text, sum.failed)
}

/// Minutes and seconds.
fn clock(seconds: u64) -> String {
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_table() {
        let rows = [
            Row { name: "fmt", minutes: 1, seconds: 2, outcome: Outcome::Good { tally: Tally::default() } },
            Row {
                name: "rust-tests",
                minutes: 1,
                seconds: 75,
                outcome: Outcome::Good { tally: Tally { passed: 40, failed: 0 } },
            },
            Row {
                name: "build",
                minutes: 2,
                seconds: 9,
                outcome: Outcome::Failed { tally: Tally::default(), why: "it broke\nbadly".to_owned() },
            },
            Row {
                name: "emulate",
                minutes: 2,
                seconds: 0,
                outcome: Outcome::Skipped { why: "no emulator".to_owned() },
            },
            Row { name: "window", minutes: 3, seconds: 0, outcome: Outcome::NotRun { because: "build" } },
        ];
        let (text, failed) = report(&rows, Duration::from_secs(86));
        let expected = "\
stage           budget    took  result
fmt               1:00    0:02  ok
rust-tests        1:00    1:15  ok, 40 tests (over its budget)
build             2:00    0:09  FAILED: it broke
emulate           2:00    0:00  skipped: no emulator
window            3:00    0:00  NOT RUN, because build failed
all               9:00    1:26

41 passed, 2 failed";
        assert_eq!((text.as_str(), failed), (expected, 2));
    }
}
