//! Carts and orders, in the customer's shard. A checkout writes the order together with its event; what payment and
//! inventory say later moves it from state to state. `program.rs` reads the environment; everything else gets what it needs
//! as arguments.

pub mod checkout;
pub mod config;
pub mod http;
pub mod job;
pub mod lines;
pub mod metrics;
pub mod month;
pub mod neighbour;
pub mod payment_token;
pub mod prices;
pub mod program;
pub mod router;
pub mod start;
pub mod state;
pub mod stock;
pub mod store;
pub mod time;

use sqlx::migrate::Migrator;

/// Versions of this service's tables, apart from those of `user`, which lie in the same database.
pub const MIGRATIONS_TABLE: &str = "order_migrations";

/// This service, in problems.
const SERVICE: &str = "service/order";

pub fn migrator() -> Migrator {
    sqlx::migrate!("./migrations")
}
