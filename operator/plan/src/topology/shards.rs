//! The shards of a database and the map from buckets to them.

use crate::names;
use crate::observed::ShardId;
use crate::shop::{Database, ValidatedShop};
use shop_contract::database::{CATALOG, PAYMENTS};
use shop_contract::port;
use shop_contract::shard_map::{Address, ShardMap};

/// Every shard of a database, in order.
pub fn ids(database: &Database) -> Vec<ShardId> {
    (0..database.shards)
        .map(|index| ShardId {
            database: database.name.clone(),
            index,
        })
        .collect()
}

/// Where the servers of one shard listen. No other shard of the shop has the same ports: after a restart of nodes an
/// address may belong to another database's pod before everybody has heard of it, and whoever goes there must find nobody
/// rather than the wrong server. Behind a Service it is the usual port all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    pub postgres: u16,
    pub patroni: u16,
}

pub fn ports(shard: &ShardId) -> Ports {
    let place = match shard.database.as_str() {
        CATALOG => 0,
        PAYMENTS => 1,
        _ => 2 + shard.index,
    };
    Ports {
        postgres: port::POSTGRES + place,
        patroni: port::PATRONI + place,
    }
}

/// The first map of a shop: buckets evenly over the shards, generation 1. Shards are fixed after creation, so as long as
/// nothing moves buckets this is also the wanted map of every later day.
pub fn even_map(shop: &ValidatedShop) -> ShardMap {
    let orders = shop.orders();
    ShardMap::even(1, orders.shards, |index| {
        let shard = ShardId {
            database: orders.name.clone(),
            index,
        };
        let at = |service: String, port| Address {
            host: names::host(&shop.namespace, &service),
            port,
        };
        (
            at(names::pooler(&shop.name, &shard), port::PGBOUNCER),
            at(names::scope(&shop.name, &shard), port::POSTGRES),
        )
    })
}
