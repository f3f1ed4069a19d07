//! Stock: reserved at checkout, claimed when the order is paid, released when it is not; never more than there is.
//! Checkout takes the fast way (`desk`, one statement); everything else locks, decides in `settle` and writes.
//! `program.rs` reads the environment; everything else gets what it needs as arguments.

pub mod config;
pub mod desk;
pub mod http;
pub mod job;
pub mod program;
pub mod reservation;
pub mod router;
pub mod settle;
pub mod shelf;
pub mod start;
pub mod store;

use shop_kit_events::Tables;
use sqlx::migrate::Migrator;

/// Versions of this service's tables, apart from those of others that lie in the same database.
pub const MIGRATIONS_TABLE: &str = "inventory_migrations";
pub const TIER: &str = "postgres/catalog";
pub const TABLES: Tables = Tables {
    outbox: "inventory_outbox",
    inbox: "inventory_inbox",
};
/// Kept answers to requests with an Idempotency-Key.
pub const IDEMPOTENCY: &str = "inventory_idempotency";

pub fn migrator() -> Migrator {
    sqlx::migrate!("./migrations")
}
