//! The shop's databases as this machine reaches them: the published shard map with the primaries' own addresses in it.

use crate::arguments::Access;
use crate::target;
use anyhow::{Context, anyhow};
use serde::Deserialize;
use shop_books::read::Sources;
use shop_contract::database;
use shop_contract::shard_map::{Address, FILE, ShardMap};
use shop_kit_config::Secret;
use shop_kit_postgres::{Credentials, OrdersSettings, Pool, ShardedPool, Timeouts};
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

const CONNECTIONS: u32 = 8;

#[derive(Clone, Deserialize)]
pub struct Databases {
    orders: Vec<ShardAddress>,
    pub catalog: Address,
    payments: Address,
}

#[derive(Clone, Deserialize)]
struct ShardAddress {
    shard: u16,
    host: String,
    port: u16,
}

/// Holds the rewritten map's file for as long as it is read.
pub struct Opened {
    pub sources: Sources,
    pub databases: Databases,
    pub catalog: Credentials,
    _folder: TempDir,
    _stop: tokio_util::sync::DropGuard,
}

pub fn open(access: &Access) -> anyhow::Result<Opened> {
    let databases: Databases = {
        let path = given(access.databases.as_deref(), "--databases")?;
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} is not what --help describes", path.display()))?
    };
    let hosts = databases.orders.iter().map(|shard| &shard.host);
    for host in hosts.chain([&databases.catalog.host, &databases.payments.host]) {
        target::host(host)?;
    }
    let (folder, stop) = (tempfile::tempdir()?, CancellationToken::new());
    let shard_map = folder.path().join(FILE);
    let map = map(given(access.shard_map.as_deref(), "--shard-map")?, &databases)?;
    std::fs::write(&shard_map, serde_json::to_string(&map)?)?;
    let (timeouts, catalog) = (
        timeouts(),
        credentials(database::CATALOG, access.catalog_password.as_deref())?,
    );
    let orders = OrdersSettings {
        credentials: credentials(database::ORDERS, access.orders_password.as_deref())?,
        shard_map,
        timeouts,
    };
    let payments = credentials(database::PAYMENTS, access.payments_password.as_deref())?;
    let sources = Sources {
        shards: ShardedPool::open(orders, stop.clone()).map_err(|error| anyhow!(error))?,
        catalog: Pool::lazy("postgres/catalog", &databases.catalog, &catalog, timeouts),
        payments: Pool::lazy("postgres/payments", &databases.payments, &payments, timeouts),
    };
    Ok(Opened {
        sources,
        databases,
        catalog,
        _folder: folder,
        _stop: stop.drop_guard(),
    })
}

fn timeouts() -> Timeouts {
    Timeouts {
        acquire: Duration::from_secs(5),
        connections: CONNECTIONS,
        ..Timeouts::default()
    }
}

fn given<'a, T: ?Sized>(value: Option<&'a T>, flag: &str) -> anyhow::Result<&'a T> {
    value.with_context(|| format!("{flag} is missing: the databases are needed here; ./shop passes it"))
}

fn credentials(database: &str, password: Option<&str>) -> anyhow::Result<Credentials> {
    let variable = format!("SHOP_LOAD_{}_PASSWORD", database.to_uppercase());
    let password = password.with_context(|| format!("{variable} is not set; ./shop sets it"))?;
    Ok(Credentials {
        database: database.to_owned(),
        user: database.to_owned(),
        password: Secret::new(password),
    })
}

/// The published map says which bucket lies where; its addresses are names inside the cluster.
fn map(path: &Path, databases: &Databases) -> anyhow::Result<ShardMap> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut map = ShardMap::parse(&text)?;
    for shard in &mut map.shards {
        let known = databases.orders.iter().find(|address| address.shard == shard.index);
        let known = known.with_context(|| format!("--databases does not know shard {} of the map", shard.index))?;
        let address = Address {
            host: known.host.clone(),
            port: known.port,
        };
        (shard.pooler, shard.primary) = (address.clone(), address);
    }
    Ok(map)
}
