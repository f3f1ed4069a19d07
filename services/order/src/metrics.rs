//! What the worker tells about orders besides what every process tells.

use crate::store::waiting::AGES;
use prometheus::{IntGaugeVec, Opts, Registry};

#[derive(Clone)]
pub struct OrderMetrics {
    placed: IntGaugeVec,
    months_ahead: IntGaugeVec,
}

impl OrderMetrics {
    pub fn new(registry: &Registry) -> prometheus::Result<Self> {
        let placed = IntGaugeVec::new(
            Opts::new(
                "shop_orders_placed",
                "Orders that wait for their payment, by how long they have waited",
            ),
            &["shard", "age"],
        )?;
        let months_ahead = IntGaugeVec::new(
            Opts::new("shop_orders_months_ahead", "Coming months that have their partition"),
            &["shard"],
        )?;
        registry.register(Box::new(placed.clone()))?;
        registry.register(Box::new(months_ahead.clone()))?;
        Ok(Self { placed, months_ahead })
    }

    /// In the order of [`AGES`].
    pub fn waiting(&self, shard: u16, counts: &[i64; 4]) {
        let shard = shard.to_string();
        for (age, count) in AGES.iter().zip(counts) {
            self.placed.with_label_values(&[&shard, *age]).set(*count);
        }
    }

    pub fn months_ahead(&self, shard: u16, months: i32) {
        let shard = shard.to_string();
        self.months_ahead.with_label_values(&[&shard]).set(i64::from(months));
    }
}
