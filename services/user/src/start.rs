//! What the program's verbs start, for this service's own program and for one that holds several services.

use crate::config::{ApiConfig, WorkConfig};
use crate::job;
use crate::router::{AppState, router};
use crate::store::sweep::sweep_all_shards;
use crate::{MIGRATIONS_TABLE, migrator};
use anyhow::anyhow;
use axum::Router;
use futures::FutureExt;
use futures::future::BoxFuture;
use prometheus::Registry;
use shop_kit_postgres::{AWAY, OrdersSettings, ShardedPool, migrate_rest, migrate_shards};
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// A request waits this long for its turn to hash a password.
const PATIENCE: Duration = Duration::from_secs(5);

/// The API, without its face.
pub fn api(config: ApiConfig, registry: &Registry, stop: CancellationToken) -> BoxFuture<'_, anyhow::Result<Router>> {
    async move {
        let shards = open(&config.orders, stop)?;
        Ok(router(AppState::new(&config, shards, PATIENCE, registry)?))
    }
    .boxed()
}

/// All workers, until `stop`.
pub fn work(config: WorkConfig, registry: &Registry, stop: CancellationToken) -> BoxFuture<'_, anyhow::Result<()>> {
    async move {
        let shards = open(&config.orders, stop.clone())?;
        let sweep = sweep_all_shards(shards.clone(), stop.clone());
        let rest = migrate_rest(config.orders.clone(), migrator, MIGRATIONS_TABLE, stop.clone());
        let work = job::work::work(shards, config, registry, stop);
        let (done, (), ()) = tokio::join!(work, sweep, rest);
        done
    }
    .boxed()
}

/// The tables of every shard that answers; the worker sees to the others.
pub fn migrate(orders: OrdersSettings, deadline: Instant) -> BoxFuture<'static, anyhow::Result<()>> {
    async move {
        let done = migrate_shards(&orders, migrator, MIGRATIONS_TABLE, AWAY, deadline).await;
        done.map_err(|error| anyhow!(error))
    }
    .boxed()
}

pub fn open(orders: &OrdersSettings, stop: CancellationToken) -> anyhow::Result<ShardedPool> {
    ShardedPool::open(orders.clone(), stop).map_err(|error| anyhow!(error))
}
