//! Postgres: roles and databases on a primary (`database`), and its Patroni's REST interface (`patroni`).
//!
//! In come addresses and the wished state, out come reports. Never reads or writes rows of the shop.

mod connect;
mod database;
mod error;
pub mod patroni;
mod wanted;

pub use connect::{Login, connect};
pub use database::ensure_database;
pub use error::PostgresError;
pub use wanted::Database;
