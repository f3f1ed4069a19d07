//! Orders: placed in the customer's shard together with their event, relayed to RabbitMQ, accepted by the worker.
//! `main.rs` reads the environment; everything else gets what it needs as arguments.

pub mod cart;
pub mod config;
pub mod http;
pub mod job;
pub mod prices;
pub mod router;
pub mod store;

use sqlx::migrate::Migrator;

/// Versions of this service's tables, apart from those of `user`, which lie in the same database.
pub const MIGRATIONS_TABLE: &str = "order_migrations";

pub fn migrator() -> Migrator {
    sqlx::migrate!("./migrations")
}
