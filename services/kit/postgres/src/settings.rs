//! Where the databases are and how long to wait for them, read from the environment the operator sets.

use shop_contract::env;
use shop_contract::shard_map::{Address, MOUNT_PATH};
use shop_kit_config::{Env, Secret};
use std::path::PathBuf;
use std::time::Duration;

/// A role of a database.
#[derive(Clone, Debug)]
pub struct Credentials {
    pub database: String,
    pub user: String,
    pub password: Secret,
}

/// How long to wait for a connection, and how many to hold to one server.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    pub acquire: Duration,
    /// After which the server itself ends a statement; set at the role by migrations.
    pub statement: Duration,
    pub connections: u32,
}

/// The catalogue: one database, no shards.
#[derive(Clone, Debug)]
pub struct CatalogSettings {
    pub credentials: Credentials,
    pub pooler: Address,
    pub primary: Address,
    pub timeouts: Timeouts,
}

/// The orders: every shard is in the map.
#[derive(Clone, Debug)]
pub struct OrdersSettings {
    pub credentials: Credentials,
    pub shard_map: PathBuf,
    pub timeouts: Timeouts,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            acquire: Duration::from_secs(2),
            statement: Duration::from_secs(5),
            connections: 8,
        }
    }
}

impl Timeouts {
    fn read(env: &Env) -> Option<Self> {
        let connections = env.parsed_or(env::POOL_SIZE, Self::default().connections)?;
        if connections == 0 {
            env.problem(env::POOL_SIZE, "is 0: must be at least 1");
            return None;
        }
        Some(Self {
            connections,
            ..Self::default()
        })
    }
}

impl CatalogSettings {
    pub fn read(env: &Env) -> Option<Self> {
        let (user, password) = (env.text(env::CATALOG_USER), env.secret(env::CATALOG_PASSWORD));
        let pooler = env.text(env::CATALOG_HOST).zip(env.parsed(env::CATALOG_PORT));
        let primary = env
            .text(env::CATALOG_PRIMARY_HOST)
            .zip(env.parsed(env::CATALOG_PRIMARY_PORT));
        let timeouts = Timeouts::read(env);
        let address = |(host, port)| Address { host, port };
        let database = shop_contract::database::CATALOG.to_owned();
        let credentials = Credentials {
            database,
            user: user?,
            password: password?,
        };
        Some(Self {
            credentials,
            pooler: address(pooler?),
            primary: address(primary?),
            timeouts: timeouts?,
        })
    }
}

impl OrdersSettings {
    pub fn read(env: &Env) -> Option<Self> {
        let (user, password) = (env.text(env::ORDERS_USER), env.secret(env::ORDERS_PASSWORD));
        let timeouts = Timeouts::read(env);
        let default = format!("{MOUNT_PATH}/{}", shop_contract::shard_map::FILE);
        let shard_map = env.optional(env::SHARD_MAP).unwrap_or(default).into();
        let database = shop_contract::database::ORDERS.to_owned();
        let credentials = Credentials {
            database,
            user: user?,
            password: password?,
        };
        Some(Self {
            credentials,
            shard_map,
            timeouts: timeouts?,
        })
    }
}
