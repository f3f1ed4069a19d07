//! Pools of one database or of all its shards, routed by the published shard map. Connections are made when first
//! used, so an unreachable shard stops nobody else; every error names its tier, such as `postgres/orders/1`.
//! Made for PgBouncer in transaction mode: no session state, no LISTEN, no advisory lock outside migrations.

mod error;
mod executor;
mod lease;
mod map_file;
mod migrate;
mod pool;
mod reads;
mod settings;
mod sharded;
mod transaction;

pub use error::StoreError;
pub use lease::Lease;
pub use migrate::{AWAY, migrate, migrate_rest, migrate_shards};
pub use pool::Pool;
pub use reads::Reads;
pub use settings::{CatalogSettings, Credentials, OrdersSettings, PaymentsSettings, Timeouts};
pub use sharded::{Shard, ShardedPool};
pub use transaction::Transaction;
