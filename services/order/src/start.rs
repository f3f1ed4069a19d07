//! What the program's verbs start. In: settings. Out: the API's router, or work that ends with `stop`. Also for a program
//! that holds several services, so nothing here reads the environment or belongs to the whole process.

use crate::config::{ApiConfig, WorkConfig};
use crate::job::months::keep_months;
use crate::metrics::OrderMetrics;
use crate::router::{AppState, router};
use crate::{MIGRATIONS_TABLE, job, migrator};
use anyhow::anyhow;
use axum::Router;
use futures::FutureExt;
use futures::future::BoxFuture;
use jiff::Timestamp;
use prometheus::Registry;
use shop_kit_events::EventMetrics;
use shop_kit_postgres::{AWAY, OrdersSettings, Pool, ShardedPool, migrate_rest, migrate_shards};
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// For the product service and for inventory, each.
const PATIENCE: Duration = Duration::from_secs(2);

pub fn api(config: ApiConfig, registry: &Registry, stop: CancellationToken) -> BoxFuture<'_, anyhow::Result<Router>> {
    async move {
        let shards = ShardedPool::open(config.orders.clone(), stop).map_err(|error| anyhow!(error))?;
        Ok(router(AppState::new(&config, shards, registry, PATIENCE)?))
    }
    .boxed()
}

pub fn work(config: WorkConfig, registry: &Registry, stop: CancellationToken) -> BoxFuture<'_, anyhow::Result<()>> {
    async move {
        let shards = ShardedPool::open(config.orders.clone(), stop.clone()).map_err(|error| anyhow!(error))?;
        let (events, orders) = (EventMetrics::new(registry)?, OrderMetrics::new(registry)?);
        let rest = migrate_rest(config.orders.clone(), migrator, MIGRATIONS_TABLE, stop.clone());
        let work = job::work::work(shards, config, events, orders, stop);
        tokio::join!(work, rest);
        Ok(())
    }
    .boxed()
}

/// Tables first, then the partitions of the coming months, in every shard that answers. The worker sees to the others.
pub fn migrate(settings: OrdersSettings, deadline: Instant) -> BoxFuture<'static, anyhow::Result<()>> {
    async move {
        let migrated = migrate_shards(&settings, migrator, MIGRATIONS_TABLE, AWAY, deadline).await;
        migrated.map_err(|error| anyhow!(error))?;
        let map = ShardedPool::read_map(&settings.shard_map).map_err(|error| anyhow!(error))?;
        for shard in map.shards {
            let tier = format!("postgres/orders/{}", shard.index);
            let pool = Pool::lazy(&tier, &shard.primary, &settings.credentials, settings.timeouts);
            let kept = keep_months(&pool, Timestamp::now(), None).await;
            pool.close().await;
            match kept {
                Err(error) if error.is_unavailable() => tracing::warn!("months: {error}"),
                kept => drop(kept?),
            }
        }
        Ok(())
    }
    .boxed()
}
