//! The catalogue: shows, lists and finds products, and lets merchants change them. Reads come from Redis when it
//! answers and from Postgres when it does not. `program.rs` reads the environment; everything else gets what it needs as
//! arguments.

pub mod cache;
pub mod config;
pub mod http;
pub mod images;
pub mod job;
pub mod program;
pub mod router;
pub mod rules;
pub mod search;
pub mod start;
pub mod store;

use shop_kit_events::Tables;
use sqlx::migrate::Migrator;

/// Versions of this service's tables, apart from those of the others in the same database.
pub const MIGRATIONS_TABLE: &str = "product_migrations";
pub const TABLES: Tables = Tables {
    outbox: "product_outbox",
    inbox: "product_inbox",
};
/// Answers kept for repeated requests.
pub const IDEMPOTENCY: &str = "product_idempotency";

pub fn migrator() -> Migrator {
    sqlx::migrate!("./migrations")
}
