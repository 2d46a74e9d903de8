//! How a number is read from a run.

use anyhow::{Context, Result};
use serde_json::Value;

use super::child::Run;

/// Where a run's number stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// In the JSON that was printed, at this pointer.
    Json(&'static str),
    /// The same, nanoseconds, of which seconds are made.
    Nanoseconds(&'static str),
    /// In two lines of JSON from llama-batched-bench, for one conversation and for several: the time of a step of the
    /// second over the time of a step of the first.
    BatchedCost,
    /// From the start to the first byte printed, or to the end if nothing was.
    FirstByte,
    /// Most resident memory.
    PeakMemory,
}

impl Reading {
    /// The number.
    ///
    /// # Errors
    /// If it is not there.
    pub fn of(self, run: &Run) -> Result<f64> {
        match self {
            Self::Json(pointer) => number(&run.stdout, pointer),
            Self::Nanoseconds(pointer) => Ok(number(&run.stdout, pointer)? / 1e9),
            Self::BatchedCost => {
                let mut lines = run.stdout.lines().filter(|line| line.starts_with('{'));
                let (one, several) = (lines.next().unwrap_or(""), lines.next().unwrap_or(""));
                Ok(number(several, "/t_tg")? / number(one, "/t_tg")?)
            }
            Self::FirstByte => Ok(run.first_byte_s.unwrap_or(run.seconds)),
            Self::PeakMemory => run.peak_rss_bytes.map(|bytes| bytes as f64).context("the system does not say"),
        }
    }
}

fn number(json: &str, pointer: &str) -> Result<f64> {
    let value: Value = serde_json::from_str(json).context("it did not print JSON")?;
    value.pointer(pointer).and_then(Value::as_f64).with_context(|| format!("there is no number at `{pointer}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(reading: Reading, stdout: &str) -> Result<f64> {
        reading.of(&Run {
            stdout: stdout.to_owned(),
            seconds: 2.0,
            first_byte_s: None,
            peak_rss_bytes: Some(5),
            others: None,
        })
    }

    #[test]
    fn numbers_are_found() {
        let json = r#"[{"avg_ts": 21.5, "avg_ns": 2500000000}]"#;
        assert_eq!(read(Reading::Json("/0/avg_ts"), json).expect("a number"), 21.5);
        assert_eq!(read(Reading::Nanoseconds("/0/avg_ns"), json).expect("a number"), 2.5);
        let lines = "main: text\n{\"pl\": 1, \"t_tg\": 0.5}\n{\"pl\": 4, \"t_tg\": 1.25}\n";
        assert_eq!(read(Reading::BatchedCost, lines).expect("a number"), 2.5);
        assert_eq!(read(Reading::FirstByte, "").expect("a number"), 2.0);
        assert_eq!(read(Reading::PeakMemory, "").expect("a number"), 5.0);
    }

    #[test]
    fn a_number_that_is_missing_is_an_error() {
        for (reading, stdout) in [
            (Reading::Json("/0/avg_ts"), "[]"),
            (Reading::Json("/0/avg_ts"), "text"),
            (Reading::Json("/decode_tps/median"), r#"{"decode_tps": null}"#),
            (Reading::BatchedCost, "{\"t_tg\": 0.5}"),
        ] {
            assert!(read(reading, stdout).is_err(), "{reading:?} {stdout}");
        }
    }
}
