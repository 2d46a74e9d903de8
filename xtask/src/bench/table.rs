//! The results: what was measured, and the table made of it.

use serde::Serialize;

use super::machine::Machine;
use super::rows::{Bar, Facts, Unit};
use super::stats::{Sample, Spread, kept, ratios};

/// Everything that was found; what `--json` writes.
#[derive(Debug, Serialize)]
pub struct Report {
    /// On what.
    pub machine: Machine,
    /// Of what.
    pub model: Facts,
    /// Threads, where a row does not say otherwise.
    pub threads: usize,
    /// Which kernels computed ours.
    pub kernels: String,
    /// How the peer was built.
    pub peer: String,
    /// How the other build of it was.
    pub beside: Option<String>,
    /// Processors that others may have kept busy during a run that counts.
    pub limit: f64,
    /// Read bandwidth of memory, one series for each number of threads.
    pub bandwidth: Vec<Probe>,
    /// Row by row.
    pub rows: Vec<Found>,
}

/// Read bandwidth in bytes a second, once in each round.
#[derive(Debug, Clone, Serialize)]
pub struct Probe {
    /// Threads that read.
    pub threads: usize,
    /// The median over pieces of one run.
    pub medians: Vec<Sample>,
    /// The best piece of one run.
    pub maxima: Vec<Sample>,
}

/// What was found for one row.
#[derive(Debug, Clone, Serialize)]
pub struct Found {
    /// The row's name.
    pub name: String,
    /// What the numbers are.
    pub unit: Unit,
    /// Ours.
    pub ours: Vec<Sample>,
    /// What ours is divided by.
    pub against_name: Option<&'static str>,
    /// Its numbers.
    pub against: Vec<Sample>,
    /// The other build of the peer.
    pub beside: Vec<Sample>,
    /// What has to be reached.
    pub bar: Option<Bar>,
    /// Threads of the probe that this row is a share of.
    pub share_of: Option<usize>,
    /// The commands, as a person would type them.
    pub commands: Vec<String>,
}

impl Found {
    /// Ours over theirs, of runs of the same round.
    pub fn ratio(&self) -> Option<Spread> {
        Spread::of(ratios(&self.ours, &self.against))
    }

    /// Whether the bar is reached; `None` without a bar or without a number.
    pub fn holds(&self) -> Option<bool> {
        match self.bar? {
            Bar::RatioAtLeast(least) => Some(self.ratio()?.median >= least),
            Bar::AtMost(most) => Some(Spread::of(kept(&self.ours))?.median <= most),
        }
    }

    /// The share of the bandwidth that reading `bytes_per_token` for each token of ours takes up.
    fn share(&self, probes: &[Probe], bytes_per_token: u64) -> Option<Spread> {
        let probe = probes.iter().find(|probe| Some(probe.threads) == self.share_of)?;
        let shares = ratios(&self.ours, &probe.medians);
        Spread::of(shares.into_iter().map(|tokens_per_byte| tokens_per_byte * bytes_per_token as f64))
    }
}

impl Report {
    /// The table, as Markdown.
    pub fn render(&self) -> String {
        let Machine { processor, processors, system, instruction_sets, .. } = &self.machine;
        let mut text = format!(
            "{} {}, {} threads, kernels {}; {processor}, {processors} processors, {system} ({})\nPeer: {}\n",
            self.model.name,
            self.model.quantization,
            self.threads,
            self.kernels,
            instruction_sets.join(" "),
            self.peer,
        );
        if let Some(beside) = &self.beside {
            text.push_str(&format!("Beside: {beside}\n"));
        }
        for probe in &self.bandwidth {
            let gigabytes = |samples: &[Sample]| spread(Spread::of(kept(samples).map(|bytes| bytes / 1e9)), 1);
            let (medians, maxima) = (gigabytes(&probe.medians), gigabytes(&probe.maxima));
            text.push_str(&format!(
                "Memory read by {} threads: median {medians} GB/s, best {maxima} GB/s\n",
                probe.threads
            ));
        }
        text.push_str("\n| row | unit | Aula | against | beside | ratio | bar | share of bandwidth |\n|---|---|---|---|---|---|---|---|\n");
        for row in &self.rows {
            let unit = row.unit;
            let shown = |samples: &[Sample]| {
                let left_out = samples.iter().filter(|sample| !sample.kept).count();
                let numbers = spread(Spread::of(kept(samples).map(|value| unit.scale(value))), unit.digits());
                if left_out > 0 { format!("{numbers} (−{left_out})") } else { numbers }
            };
            let against = row.against_name.map_or(String::new(), |name| format!("{name} {}", shown(&row.against)));
            let cells = [
                row.name.clone(),
                unit.name().to_owned(),
                shown(&row.ours),
                against,
                if row.beside.is_empty() { String::new() } else { shown(&row.beside) },
                row.against_name.map_or(String::new(), |_| spread(row.ratio(), 2)),
                row.bar.map_or(String::new(), |bar| verdict(bar, unit, row.holds())),
                row.share(&self.bandwidth, self.model.bytes_per_token)
                    .map_or(String::new(), |share| spread(Some(share), 2)),
            ];
            text.push_str(&format!("| {} |\n", cells.join(" | ")));
        }
        text
    }
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Self::TokensPerSecond => "tokens/s",
            Self::Seconds => "s",
            Self::Bytes => "GB",
            Self::Times => "× one row",
        }
    }

    fn scale(self, value: f64) -> f64 {
        if self == Self::Bytes { value / 1e9 } else { value }
    }

    fn digits(self) -> usize {
        match self {
            Self::TokensPerSecond => 1,
            Self::Seconds => 3,
            Self::Bytes | Self::Times => 2,
        }
    }
}

/// Median, range and count, e.g. `24.7 (19.0–29.2), 5`.
fn spread(values: Option<Spread>, digits: usize) -> String {
    let Some(Spread { median, min, max, count }) = values else { return "–".to_owned() };
    if count == 1 {
        return format!("{median:.digits$}, 1");
    }
    format!("{median:.digits$} ({min:.digits$}–{max:.digits$}), {count}")
}

fn verdict(bar: Bar, unit: Unit, holds: Option<bool>) -> String {
    let bar = match bar {
        Bar::RatioAtLeast(least) => format!("≥ {least} ×"),
        Bar::AtMost(most) => format!("≤ {} {}", unit.scale(most), unit.name()),
    };
    match holds {
        Some(true) => format!("{bar}: yes"),
        Some(false) => format!("{bar}: no"),
        None => bar,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(values: &[f64]) -> Vec<Sample> {
        values.iter().zip(1..).map(|(&value, round)| Sample { round, value, others: None, kept: value > 0.0 }).collect()
    }

    fn found(unit: Unit, ours: &[f64], against: &[f64], bar: Bar) -> Found {
        Found {
            name: "row".to_owned(),
            unit,
            ours: samples(ours),
            against_name: (!against.is_empty()).then_some("peer"),
            against: samples(against),
            beside: Vec::new(),
            bar: Some(bar),
            share_of: Some(4),
            commands: Vec::new(),
        }
    }

    #[test]
    fn bars_are_judged_by_medians() {
        let ratio = |ours: &[f64]| found(Unit::TokensPerSecond, ours, &[2.0, 2.0, 2.0], Bar::RatioAtLeast(3.5)).holds();
        assert_eq!(ratio(&[7.0, 1.0, 8.0]), Some(true));
        assert_eq!(ratio(&[6.9, 9.0, 6.0]), Some(false));
        assert_eq!(ratio(&[]), None);
        let most = |ours: &[f64]| found(Unit::Seconds, ours, &[], Bar::AtMost(0.5)).holds();
        assert_eq!((most(&[0.4, 0.6, 0.45]), most(&[0.51])), (Some(true), Some(false)));
    }

    #[test]
    fn the_table_shows_what_counts() {
        let report = Report {
            machine: Machine {
                processor: "A processor".to_owned(),
                processors: 4,
                memory_bytes: None,
                system: "Linux".to_owned(),
                instruction_sets: vec!["avx2".to_owned()],
            },
            model: Facts {
                name: "Gemma 4 E2B".to_owned(),
                quantization: "Q4_0".to_owned(),
                bytes_per_token: 2_000_000_000,
            },
            threads: 4,
            kernels: "avx2".to_owned(),
            peer: "built".to_owned(),
            beside: None,
            limit: 0.15,
            bandwidth: vec![Probe {
                threads: 4,
                medians: samples(&[50e9, 40e9, 40e9]),
                maxima: samples(&[60e9, 60e9, 60e9]),
            }],
            rows: vec![
                found(Unit::TokensPerSecond, &[20.0, 10.0, 0.0], &[10.0, 8.0, 8.0], Bar::RatioAtLeast(1.1)),
                Found { share_of: None, ..found(Unit::Bytes, &[1.5e9], &[], Bar::AtMost(1.7e9)) },
            ],
        };
        let text = report.render();
        assert!(
            text.contains("Memory read by 4 threads: median 40.0 (40.0–50.0), 3 GB/s, best 60.0 (60.0–60.0), 3 GB/s"),
            "{text}"
        );
        let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| row |")).collect();
        assert_eq!(
            rows[1..],
            [
                "| row | tokens/s | 15.0 (10.0–20.0), 2 (−1) | peer 8.0 (8.0–10.0), 3 |  | 1.62 (1.25–2.00), 2 | ≥ 1.1 ×: yes | 0.65 (0.50–0.80), 2 |",
                "| row | GB | 1.50, 1 |  |  |  | ≤ 1.7 GB: yes |  |",
            ]
        );
    }
}
