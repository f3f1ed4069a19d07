//! What the desks of this process did.

use prometheus::{Histogram, HistogramOpts, IntCounterVec, Opts, Registry};

#[derive(Clone)]
pub struct DeskMetrics {
    outcomes: IntCounterVec,
    groups: Histogram,
}

impl DeskMetrics {
    pub fn new(registry: &Registry) -> prometheus::Result<Self> {
        let outcomes = Opts::new("shop_reservations_total", "Orders that asked for stock, by outcome");
        let groups = HistogramOpts::new(
            "shop_reservation_group_orders",
            "Orders reserved for in one transaction",
        );
        let this = Self {
            outcomes: IntCounterVec::new(outcomes, &["outcome"])?,
            groups: Histogram::with_opts(groups.buckets(vec![1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0]))?,
        };
        registry.register(Box::new(this.outcomes.clone()))?;
        registry.register(Box::new(this.groups.clone()))?;
        Ok(this)
    }

    pub(super) fn count(&self, outcome: &str, orders: usize) {
        self.outcomes.with_label_values(&[outcome]).inc_by(orders as u64);
    }

    pub(super) fn group(&self, orders: usize) {
        self.groups.observe(orders as f64);
    }
}
