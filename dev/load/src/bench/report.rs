//! Figures of all rounds, their medians and the ratios between them.

use super::processes::Usage;
use crate::arguments::Output;
use serde_json::json;
use std::collections::BTreeMap;

/// What is compared with what: name, left figure, right figure, goal.
const RATIOS: [(&str, &str, &str, f64); 3] = [
    (
        "checkout in line / asynchronous, p50",
        "checkout in line p50 ms",
        "checkout asynchronous p50 ms",
        35.0,
    ),
    (
        "product read without / with cache, p50",
        "read without cache p50 ms",
        "read with cache p50 ms",
        3.3,
    ),
    (
        "checkouts with the whole saga / bare SQL",
        "saga drained orders/s",
        "bare SQL orders/s",
        0.2,
    ),
];
/// Figures with a goal of their own; false is "at most".
const GOALS: [(&str, bool, f64); 4] = [
    ("hit rate %", true, 90.0),
    ("queries saved %", true, 80.0),
    ("cached reads through the gateway /s", true, 7_000.0),
    ("cached reads, scheduled, p99 ms", false, 50.0),
];

/// Processes that work before a checkout is answered, besides the databases, whose share cannot be told apart.
const FRONT: [&str; 4] = ["envoy", "order", "inventory", "product"];

#[derive(Default)]
pub struct Report {
    figures: BTreeMap<String, Vec<f64>>,
    /// CPU milliseconds per checkout and per read, by process.
    cpu: BTreeMap<&'static str, BTreeMap<String, Vec<f64>>>,
    pub memory: Vec<Usage>,
    /// Work a core did in a fixed time.
    pub noise: Vec<f64>,
    notes: Vec<String>,
}

impl Report {
    pub fn add(&mut self, name: &str, value: f64) {
        self.figures.entry(name.to_owned()).or_default().push(value);
    }

    pub fn add_cpu(&mut self, per: &'static str, by_process: BTreeMap<String, f64>) {
        for (process, millis) in by_process {
            self.cpu
                .entry(per)
                .or_default()
                .entry(process)
                .or_default()
                .push(millis);
        }
    }

    pub fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    fn median_of(&self, name: &str) -> Option<f64> {
        self.figures.get(name).map(|values| median(values))
    }

    fn ratios(&self) -> Vec<(&'static str, f64, f64)> {
        let ratio = |(name, left, right, goal): (&'static str, &str, &str, f64)| {
            Some((name, self.median_of(left)? / self.median_of(right)?, goal))
        };
        RATIOS.into_iter().filter_map(ratio).collect()
    }

    pub fn print(&self, output: Output) {
        match output {
            Output::Json => println!("{:#}", self.json()),
            Output::Text => self.text(),
        }
    }

    fn json(&self) -> serde_json::Value {
        let figures: BTreeMap<&String, serde_json::Value> = self
            .figures
            .iter()
            .map(|(name, values)| (name, json!({"median": median(values), "rounds": values})))
            .collect();
        let cpu: BTreeMap<&str, BTreeMap<&String, f64>> = self
            .cpu
            .iter()
            .map(|(per, processes)| {
                (
                    *per,
                    processes.iter().map(|(name, values)| (name, median(values))).collect(),
                )
            })
            .collect();
        let ratios: Vec<_> = self
            .ratios()
            .into_iter()
            .map(|(name, ratio, goal)| json!({"name": name, "ratio": ratio, "goal": goal}))
            .collect();
        json!({
            "ratios": ratios, "figures": figures, "cpu_ms": cpu, "memory": self.memory,
            "noise_percent": spread(&self.noise), "load_average": load_average(), "notes": self.notes,
        })
    }

    fn text(&self) {
        println!(
            "machine: {} cores, its speed varied by {:.0} %, load average {}",
            cores(),
            spread(&self.noise),
            load_average()
        );
        for (name, ratio, goal) in self.ratios() {
            println!("{name:<44}{ratio:>10.2}x   goal ≥ {goal}x");
        }
        for (name, values) in &self.figures {
            let goal = GOALS.iter().find(|(of, ..)| of == name);
            let goal = goal.map(|(_, least, goal)| format!("   goal {} {goal}", if *least { "≥" } else { "≤" }));
            let rounds: Vec<String> = values.iter().map(|value| format!("{value:.1}")).collect();
            println!(
                "{name:<44}{:>10.1}   of {}{}",
                median(values),
                rounds.join(" "),
                goal.unwrap_or_default()
            );
        }
        for (per, processes) in &self.cpu {
            let total: f64 = processes.values().map(|values| median(values)).sum();
            let front: f64 = FRONT
                .iter()
                .filter_map(|name| processes.get(*name))
                .map(|values| median(values))
                .sum();
            println!(
                "CPU per {per}: {total:.2} ms, of which {front:.2} ms by {}",
                FRONT.join(", ")
            );
            for (process, values) in processes.iter().filter(|(_, values)| median(values) >= 0.005) {
                println!("  {process:<30}{:>8.2} ms", median(values));
            }
        }
        for usage in &self.memory {
            println!("memory idle  {:<28}{:>8.1} MiB", usage.process, usage.mib);
        }
        self.notes.iter().for_each(|note| println!("note: {note}"));
    }
}

pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match (sorted.len(), sorted.len() / 2) {
        (0, _) => f64::NAN,
        (count, middle) if count % 2 == 1 => sorted[middle],
        (_, middle) => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

/// The largest less the smallest, in percent of the median.
fn spread(values: &[f64]) -> f64 {
    let most = values.iter().copied().fold(f64::MIN, f64::max);
    let least = values.iter().copied().fold(f64::MAX, f64::min);
    (most - least) / median(values) * 100.0
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(0, usize::from)
}

fn load_average() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_ratios() {
        assert_eq!((median(&[3.0, 1.0, 2.0]), median(&[1.0, 2.0])), (2.0, 1.5));
        assert_eq!(spread(&[90.0, 100.0, 110.0]), 20.0);
        let mut report = Report::default();
        assert!(report.ratios().is_empty());
        report.add("saga drained orders/s", 600.0);
        report.add("bare SQL orders/s", 3_000.0);
        assert_eq!(
            report.ratios(),
            [("checkouts with the whole saga / bare SQL", 0.2, 0.2)]
        );
    }
}
