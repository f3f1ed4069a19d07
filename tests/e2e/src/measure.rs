//! Figures out of samples: median, 99th percentile and the spread a reader needs to judge them.

use serde_json::{Value, json};

/// Samples of one quantity, with the bound it is measured against.
pub struct Figure {
    pub name: &'static str,
    pub unit: &'static str,
    pub samples: Vec<f64>,
    /// `median` and `p99` must not exceed these; `None` is not bounded.
    pub median_bound: Option<f64>,
    pub p99_bound: Option<f64>,
    /// What makes the figure noisy, or what was not part of it.
    pub note: String,
}

impl Figure {
    /// The value below which the fraction `rank` of the samples lies (nearest rank).
    pub fn at(&self, rank: f64) -> f64 {
        let mut sorted = self.samples.clone();
        sorted.sort_by(f64::total_cmp);
        let position = (rank * sorted.len() as f64).ceil() as usize;
        sorted
            .get(position.clamp(1, sorted.len().max(1)) - 1)
            .copied()
            .unwrap_or(f64::NAN)
    }

    pub fn text(&self) -> String {
        let bound = |bound: Option<f64>| bound.map(|bound| format!(" (bound {bound})")).unwrap_or_default();
        format!(
            "{:<44} median {:>9.3}{} p99 {:>9.3}{} min {:.3} max {:.3} {} (n={})\n    {}",
            self.name,
            self.at(0.5),
            bound(self.median_bound),
            self.at(0.99),
            bound(self.p99_bound),
            self.at(0.0),
            self.at(1.0),
            self.unit,
            self.samples.len(),
            self.note,
        )
    }

    pub fn json(&self) -> Value {
        json!({
            "name": self.name, "unit": self.unit, "n": self.samples.len(), "median": self.at(0.5), "p99": self.at(0.99),
            "min": self.at(0.0), "max": self.at(1.0), "medianBound": self.median_bound, "p99Bound": self.p99_bound,
            "note": self.note, "samples": self.samples,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Figure;

    #[test]
    fn ranks_are_the_nearest() {
        let samples = (1..=30).map(f64::from).rev().collect();
        let figure = Figure {
            name: "n",
            unit: "ms",
            samples,
            median_bound: None,
            p99_bound: None,
            note: String::new(),
        };
        assert_eq!(
            (figure.at(0.0), figure.at(0.5), figure.at(0.99), figure.at(1.0)),
            (1.0, 15.0, 30.0, 30.0)
        );
    }
}
