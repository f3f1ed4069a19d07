//! The environment a service finds a database by that is not sharded: its pooler, its primary for migrations, its role,
//! and, for the catalogue, the standbys that may be read.

use super::environment::key_of;
use crate::component::fragment::env::plain;
use crate::names::{self, key};
use crate::observed::ShardId;
use crate::shop::ValidatedShop;
use k8s_openapi::api::core::v1::EnvVar;
use shop_contract::database::{CATALOG, PAYMENTS};
use shop_contract::{env, port};

pub fn catalog(shop: &ValidatedShop) -> Vec<EnvVar> {
    let mut variables = database(shop, CATALOG, &CATALOG_NAMES);
    variables.extend(readers(shop));
    variables
}

pub fn payments(shop: &ValidatedShop) -> Vec<EnvVar> {
    database(shop, PAYMENTS, &PAYMENTS_NAMES)
}

/// The six variables of a database that is not sharded.
struct Names {
    host: &'static str,
    port: &'static str,
    primary_host: &'static str,
    primary_port: &'static str,
    user: &'static str,
    password: &'static str,
}

const CATALOG_NAMES: Names = Names {
    host: env::CATALOG_HOST,
    port: env::CATALOG_PORT,
    primary_host: env::CATALOG_PRIMARY_HOST,
    primary_port: env::CATALOG_PRIMARY_PORT,
    user: env::CATALOG_USER,
    password: env::CATALOG_PASSWORD,
};

const PAYMENTS_NAMES: Names = Names {
    host: env::PAYMENTS_HOST,
    port: env::PAYMENTS_PORT,
    primary_host: env::PAYMENTS_PRIMARY_HOST,
    primary_port: env::PAYMENTS_PRIMARY_PORT,
    user: env::PAYMENTS_USER,
    password: env::PAYMENTS_PASSWORD,
};

fn database(shop: &ValidatedShop, database: &str, names: &Names) -> Vec<EnvVar> {
    let shard = only_shard(database);
    let host = |service: String| names::host(&shop.namespace, &service);
    vec![
        plain(names.host, host(names::pooler(&shop.name, &shard))),
        plain(names.port, port::PGBOUNCER.to_string()),
        plain(names.primary_host, host(names::scope(&shop.name, &shard))),
        plain(names.primary_port, port::POSTGRES.to_string()),
        plain(names.user, database),
        key_of(shop, names.password, key::database_password(database)),
    ]
}

/// Where the catalogue's standbys are read, if there are any.
fn readers(shop: &ValidatedShop) -> Vec<EnvVar> {
    if shop.database(CATALOG).replicas == 0 {
        return Vec::new();
    }
    let pooler = names::readers_pooler(&shop.name, &only_shard(CATALOG));
    vec![
        plain(env::CATALOG_REPLICA_HOST, names::host(&shop.namespace, &pooler)),
        plain(env::CATALOG_REPLICA_PORT, port::PGBOUNCER.to_string()),
    ]
}

fn only_shard(database: &str) -> ShardId {
    ShardId {
        database: database.into(),
        index: 0,
    }
}
