//! SQL of this service, one file per noun. Reads the primary only: a customer sees what was just done.

pub mod cart;
pub mod change;
pub mod month;
pub mod order;
pub mod placing;
pub mod row;
pub mod shipping;
pub mod waiting;

use shop_kit_events::Tables;

/// Events of orders.
pub const TABLES: Tables = Tables {
    outbox: "outbox",
    inbox: "inbox",
};
/// Answers kept for requests that come twice.
pub const REQUESTS: &str = "order_idempotency";
