//! Latencies in HDR histograms, one per step, in microseconds up to ten minutes with three digits.

use hdrhistogram::Histogram;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

const LONGEST_MICROS: u64 = 600_000_000;

/// Shared by all journeys.
#[derive(Default)]
pub struct Latencies(Mutex<BTreeMap<&'static str, Step>>);

struct Step {
    times: Histogram<u64>,
    statuses: BTreeMap<String, u64>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    pub step: &'static str,
    pub count: u64,
    pub p50_ms: f64,
    pub p90_ms: f64,
    pub p99_ms: f64,
    pub max_ms: f64,
    /// By status, or what became of requests without one.
    pub answers: BTreeMap<String, u64>,
}

impl Latencies {
    pub fn note(&self, step: &'static str, took: Duration, answer: &str) {
        let mut steps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let step = steps.entry(step).or_insert_with(|| Step {
            times: histogram(),
            statuses: BTreeMap::new(),
        });
        step.times.saturating_record(micros(took));
        *step.statuses.entry(answer.to_owned()).or_default() += 1;
    }

    pub fn summaries(&self) -> Vec<Summary> {
        let steps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        steps
            .iter()
            .map(|(name, step)| summary(name, &step.times, step.statuses.clone()))
            .collect()
    }
}

pub fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LONGEST_MICROS, 3).expect("these bounds are in order and three digits are allowed")
}

pub fn micros(took: Duration) -> u64 {
    u64::try_from(took.as_micros()).unwrap_or(LONGEST_MICROS).max(1)
}

pub fn summary(step: &'static str, times: &Histogram<u64>, answers: BTreeMap<String, u64>) -> Summary {
    let at = |quantile: f64| times.value_at_quantile(quantile) as f64 / 1_000.0;
    Summary {
        step,
        count: times.len(),
        p50_ms: at(0.5),
        p90_ms: at(0.9),
        p99_ms: at(0.99),
        max_ms: times.max() as f64 / 1_000.0,
        answers,
    }
}

impl Summary {
    pub const HEADING: &'static str = "step                count      p50      p90      p99      max ms  answers";

    pub fn line(&self) -> String {
        let answers: Vec<String> = self
            .answers
            .iter()
            .map(|(answer, count)| format!("{answer}×{count}"))
            .collect();
        format!(
            "{:<18}{:>7}{:>9.1}{:>9.1}{:>9.1}{:>12.1}  {}",
            self.step,
            self.count,
            self.p50_ms,
            self.p90_ms,
            self.p99_ms,
            self.max_ms,
            answers.join(" ")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_come_out_as_they_went_in() {
        let latencies = Latencies::default();
        for millis in 1..=100 {
            latencies.note("read", Duration::from_millis(millis), "200");
        }
        let summary = latencies.summaries().pop().unwrap();
        assert_eq!((summary.count, summary.answers["200"]), (100, 100));
        assert!(
            (summary.p50_ms - 50.0).abs() < 0.1 && (summary.p99_ms - 99.0).abs() < 0.1,
            "{summary:?}"
        );
    }
}
