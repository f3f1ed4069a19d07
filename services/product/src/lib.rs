//! The catalogue: lists and shows products. Reads come from Redis when it answers and from Postgres when it does not.
//! `main.rs` reads the environment; everything else gets what it needs as arguments.

pub mod cache;
pub mod config;
pub mod http;
pub mod job;
pub mod router;
pub mod store;

use sqlx::migrate::Migrator;

pub const MIGRATIONS_TABLE: &str = "product_migrations";

pub fn migrator() -> Migrator {
    sqlx::migrate!("./migrations")
}
