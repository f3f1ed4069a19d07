//! Customers: they register, log in and are known by their token. In: requests of the public API. Out: rows in the
//! customer's shard, tokens. `main.rs` reads the environment; everything else gets what it needs as arguments.

pub mod config;
pub mod email;
pub mod http;
pub mod password;
pub mod router;
pub mod store;

use sqlx::migrate::Migrator;

/// Versions of this service's tables, apart from those of `order`, which lie in the same database.
pub const MIGRATIONS_TABLE: &str = "user_migrations";

pub fn migrator() -> Migrator {
    sqlx::migrate!("./migrations")
}
