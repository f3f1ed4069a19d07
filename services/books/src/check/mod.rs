//! Facts in, findings out. Pure: no clock, no database. A finding says what does not hold now; whether it lasts, and so
//! counts, is decided by who keeps it.

mod money;
mod order;
mod outbox;
mod stock;

pub use money::{Sums, check_money};
pub use order::check_order;
pub use outbox::check_outbox;
pub use stock::check_stock;

use crate::invariant::Invariant;
use uuid::Uuid;

/// Something that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub invariant: Invariant,
    pub object: String,
    pub detail: String,
}

/// How long work may be under way before it is late.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub order_seconds: i64,
    pub outbox_seconds: i64,
    /// After the end of a reservation.
    pub reservation_seconds: i64,
    /// Up to which age an order that is in no shard is missing.
    pub absent_seconds: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            order_seconds: 180,
            outbox_seconds: 60,
            reservation_seconds: 300,
            absent_seconds: 30 * 24 * 3600,
        }
    }
}

pub fn order_object(id: Uuid) -> String {
    format!("order/{id}")
}

pub fn product_object(id: Uuid) -> String {
    format!("product/{id}")
}

/// The order an object names.
pub fn order_of(object: &str) -> Option<Uuid> {
    object.strip_prefix("order/")?.parse().ok()
}

pub fn product_of(object: &str) -> Option<Uuid> {
    object.strip_prefix("product/")?.parse().ok()
}
