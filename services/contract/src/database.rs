//! The three databases. Each is owned by one role of the same name; its password lies in the shop's Secret.

pub const CATALOG: &str = "catalog";
pub const ORDERS: &str = "orders";
pub const PAYMENTS: &str = "payments";
pub const ALL: [&str; 3] = [CATALOG, ORDERS, PAYMENTS];
