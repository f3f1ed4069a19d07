//! Recommendations, learnt from confirmed orders, and the merchant's figures, counted from all events. Both only read
//! what others told, so losing this service loses a shop nothing but hints. `program.rs` reads the environment; everything
//! else gets what it needs as arguments.
//!
//! The algorithm is item-to-item collaborative filtering (Linden, Smith, York: "Amazon.com Recommendations", IEEE
//! Internet Computing 7(1), 2003), with orders in the place of customers: two products are alike by the cosine of the
//! sets of orders they are in, `together / sqrt(orders of one * orders of other)`. A pair seen rarely says little, so
//! the cosine is shrunk by `together / (together + 3)` (as in Bell and Koren, ICDM 2007). Only counts are kept, and
//! counts are sums: neither the order of events nor their repetition changes them.

pub mod best;
pub mod config;
pub mod figures;
pub mod http;
pub mod job;
pub mod lessons;
pub mod program;
pub mod router;
pub mod start;
pub mod store;

use shop_kit_events::Tables;
use sqlx::migrate::Migrator;

/// Versions of this service's tables, apart from those of the others in the same database.
pub const MIGRATIONS_TABLE: &str = "recommendation_migrations";
/// This service tells nothing, so it has no outbox.
pub const TABLES: Tables = Tables {
    outbox: "",
    inbox: "recommendation_inbox",
};

pub fn migrator() -> Migrator {
    sqlx::migrate!("./migrations")
}
