//! Payments: one per order, authorised when it is placed, captured once when its stock is claimed, voided or given back
//! when it is cancelled. The provider is asked outside of transactions: the intent is durable before, the outcome
//! after, and what was lost in between is asked again under the same key. `program.rs` reads the environment.

pub mod backoff;
pub mod card;
pub mod config;
pub mod decide;
pub mod http;
pub mod job;
pub mod machine;
pub mod program;
pub mod provider;
pub mod router;
pub mod signature;
pub mod start;
pub mod store;
pub mod webhook;

use shop_kit_events::Tables;
use sqlx::migrate::Migrator;

/// Versions of this service's tables.
pub const MIGRATIONS_TABLE: &str = "payment_migrations";
pub const TABLES: Tables = Tables {
    outbox: "payment_outbox",
    inbox: "payment_inbox",
};
/// Answers kept under idempotency keys.
pub const IDEMPOTENCY: &str = "payment_idempotency";

pub fn migrator() -> Migrator {
    sqlx::migrate!("./migrations")
}
