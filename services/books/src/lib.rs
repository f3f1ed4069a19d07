//! The shop's books: compares what orders, stock and payments say of each other, all the time, tells what does not hold
//! and repairs what an event said once more can repair. Reads every database, writes its own tables and outboxes.
//! `check`, `repair` and `facts` are pure; `read`, `store` and `repair::act` do what those decided.

pub mod check;
pub mod config;
pub mod facts;
pub mod http;
pub mod invariant;
pub mod job;
pub mod program;
pub mod read;
pub mod repair;
pub mod router;
pub mod start;
pub mod store;

use sqlx::migrate::Migrator;

/// Versions of this service's tables, apart from those of `payment`, which lie in the same database.
pub const MIGRATIONS_TABLE: &str = "books_migrations";

pub fn migrator() -> Migrator {
    sqlx::migrate!("./migrations")
}
