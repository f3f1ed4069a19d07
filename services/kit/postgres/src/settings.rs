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
    /// For reads that may lag behind.
    pub replica: Option<Address>,
    pub timeouts: Timeouts,
}

/// The payments: one database, no shards, never read from a replica.
#[derive(Clone, Debug)]
pub struct PaymentsSettings {
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
        let account = credentials(
            env,
            shop_contract::database::CATALOG,
            env::CATALOG_USER,
            env::CATALOG_PASSWORD,
        );
        let pooler = address(env, env::CATALOG_HOST, env::CATALOG_PORT);
        let primary = address(env, env::CATALOG_PRIMARY_HOST, env::CATALOG_PRIMARY_PORT);
        let replica = match env.optional(env::CATALOG_REPLICA_HOST) {
            Some(_) => address(env, env::CATALOG_REPLICA_HOST, env::CATALOG_REPLICA_PORT),
            None => None,
        };
        let timeouts = Timeouts::read(env);
        Some(Self {
            credentials: account?,
            pooler: pooler?,
            primary: primary?,
            replica,
            timeouts: timeouts?,
        })
    }
}

impl PaymentsSettings {
    pub fn read(env: &Env) -> Option<Self> {
        let account = credentials(
            env,
            shop_contract::database::PAYMENTS,
            env::PAYMENTS_USER,
            env::PAYMENTS_PASSWORD,
        );
        let pooler = address(env, env::PAYMENTS_HOST, env::PAYMENTS_PORT);
        let primary = address(env, env::PAYMENTS_PRIMARY_HOST, env::PAYMENTS_PRIMARY_PORT);
        let timeouts = Timeouts::read(env);
        Some(Self {
            credentials: account?,
            pooler: pooler?,
            primary: primary?,
            timeouts: timeouts?,
        })
    }
}

impl OrdersSettings {
    pub fn read(env: &Env) -> Option<Self> {
        let account = credentials(
            env,
            shop_contract::database::ORDERS,
            env::ORDERS_USER,
            env::ORDERS_PASSWORD,
        );
        let timeouts = Timeouts::read(env);
        let default = format!("{MOUNT_PATH}/{}", shop_contract::shard_map::FILE);
        let shard_map = env.optional(env::SHARD_MAP).unwrap_or(default).into();
        Some(Self {
            credentials: account?,
            shard_map,
            timeouts: timeouts?,
        })
    }
}

fn credentials(env: &Env, database: &str, user: &str, password: &str) -> Option<Credentials> {
    let (user, password) = (env.text(user), env.secret(password));
    Some(Credentials {
        database: database.to_owned(),
        user: user?,
        password: password?,
    })
}

fn address(env: &Env, host: &str, port: &str) -> Option<Address> {
    let (host, port) = (env.text(host), env.parsed(port));
    Some(Address {
        host: host?,
        port: port?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(names: &[&'static str]) -> Env {
        Env::of(names.iter().map(|name| (*name, "7".to_owned())))
    }

    #[test]
    fn a_replica_is_optional_but_not_half_of_one() {
        let required = [
            env::CATALOG_USER,
            env::CATALOG_PASSWORD,
            env::CATALOG_HOST,
            env::CATALOG_PORT,
            env::CATALOG_PRIMARY_HOST,
            env::CATALOG_PRIMARY_PORT,
        ];
        let read = |more: &[&'static str]| {
            let env = env(&[&required, more].concat());
            let settings = CatalogSettings::read(&env);
            env.finish(settings)
        };
        assert!(read(&[]).unwrap().replica.is_none());
        let both = read(&[env::CATALOG_REPLICA_HOST, env::CATALOG_REPLICA_PORT]).unwrap();
        assert_eq!(both.replica.unwrap().port, 7);
        assert!(read(&[env::CATALOG_REPLICA_HOST]).is_err());
    }

    #[test]
    fn whatever_payments_lack_is_named_at_once() {
        let env = env(&[env::PAYMENTS_USER]);
        let settings = PaymentsSettings::read(&env);
        assert_eq!(env.finish(settings).unwrap_err().0.len(), 5);
    }
}
