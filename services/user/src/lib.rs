//! Accounts: they register, log in and are known by their token; addresses, sessions, roles, mail and notifications.
//! In: requests of the public API, events. Out: rows in the customer's shard, tokens, mail. `program.rs` reads the
//! environment; everything else gets what it needs as arguments.

pub mod account;
pub mod config;
pub mod email;
pub mod grant;
pub mod http;
pub mod job;
pub mod mail;
pub mod password;
pub mod program;
pub mod refresh;
pub mod router;
pub mod start;
pub mod store;
pub mod webhook;

use shop_kit_events::Tables;
use sqlx::migrate::Migrator;

/// Versions of this service's tables, apart from those of `order`, which lie in the same database.
pub const MIGRATIONS_TABLE: &str = "user_migrations";
/// Its events, apart from those of `order`.
pub const TABLES: Tables = Tables {
    outbox: "user_outbox",
    inbox: "user_inbox",
};
/// Answers kept for requests that come twice.
pub const KEPT_ANSWERS: &str = "user_idempotency";

pub fn migrator() -> Migrator {
    sqlx::migrate!("./migrations")
}
