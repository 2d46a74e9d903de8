//! Medians, and ratios of runs of the same round.

use serde::Serialize;

/// Median, least and most.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// The middle one; of an even number the mean of the two in the middle.
    pub median: f64,
    /// The least.
    pub min: f64,
    /// The most.
    pub max: f64,
    /// How many there are.
    pub count: usize,
}

impl Spread {
    /// The spread of `values`; `None` without any.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (min, max) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let median = if values.len() % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 };
        Some(Self { median, min, max, count: values.len() })
    }
}

/// One accepted or rejected measurement.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Sample {
    /// In which round, from 1.
    pub round: usize,
    /// In the row's unit.
    pub value: f64,
    /// Processors that other programs kept busy meanwhile.
    pub others: Option<f64>,
    /// Whether it counts: others disturbed it little enough.
    pub kept: bool,
}

/// The values that count.
pub fn kept(samples: &[Sample]) -> impl Iterator<Item = f64> {
    samples.iter().filter(|sample| sample.kept).map(|sample| sample.value)
}

/// `ours / theirs` for each round in which both count.
pub fn ratios(ours: &[Sample], theirs: &[Sample]) -> Vec<f64> {
    let of_round = |round| theirs.iter().find(|sample| sample.kept && sample.round == round);
    let pairs = ours.iter().filter(|sample| sample.kept).filter_map(|sample| Some((sample, of_round(sample.round)?)));
    pairs.filter(|(_, theirs)| theirs.value > 0.0).map(|(ours, theirs)| ours.value / theirs.value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(round: usize, value: f64, kept: bool) -> Sample {
        Sample { round, value, others: None, kept }
    }

    #[test]
    fn a_spread_is_median_least_and_most() {
        assert_eq!(Spread::of([3.0, 1.0, 2.0]), Some(Spread { median: 2.0, min: 1.0, max: 3.0, count: 3 }));
        assert_eq!(Spread::of([4.0, 1.0, 2.0, 3.0]).map(|spread| spread.median), Some(2.5));
        assert_eq!(Spread::of([]), None);
    }

    #[test]
    fn only_runs_of_the_same_round_are_compared() {
        let ours = [sample(1, 10.0, true), sample(2, 30.0, true), sample(3, 99.0, false), sample(4, 8.0, true)];
        let theirs = [sample(2, 10.0, true), sample(1, 5.0, true), sample(3, 1.0, true), sample(4, 1.0, false)];
        assert_eq!(ratios(&ours, &theirs), [2.0, 3.0]);
        assert_eq!(kept(&ours).collect::<Vec<_>>(), [10.0, 30.0, 8.0]);
    }
}
