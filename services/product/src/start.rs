//! Starts what this service consists of: its API, its worker, its migrations. Opens pools and background loops, listens
//! nowhere; a process may hold several services started like this.

use crate::cache::{Cache, CacheMetrics, RedisCache};
use crate::config::{ApiConfig, RedisSettings, WorkConfig};
use crate::images::NotConfigured;
use crate::router::{AppState, router};
use crate::search::PostgresSearch;
use crate::{MIGRATIONS_TABLE, job, migrator};
use axum::Router;
use futures::FutureExt;
use futures::future::BoxFuture;
use prometheus::Registry;
use shop_kit_events::EventMetrics;
use shop_kit_postgres::{CatalogSettings, Pool, Reads};
use std::sync::Arc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

const TIER: &str = "postgres/catalog";

pub fn api(config: ApiConfig, registry: &Registry, stop: CancellationToken) -> BoxFuture<'_, anyhow::Result<Router>> {
    async move {
        let catalog = pool(&config.catalog);
        let reads = Reads::of_catalog(&config.catalog, catalog.clone());
        let state = AppState {
            catalog,
            reads: reads.clone(),
            cache: cache(config.redis, registry, stop)?,
            search: Arc::new(PostgresSearch::new(reads, config.catalog.timeouts.connections)),
            images: Arc::new(NotConfigured),
            verifier: config.verifier,
        };
        Ok(router(state))
    }
    .boxed()
}

/// Returns after `stop`.
pub fn work(config: WorkConfig, registry: &Registry, stop: CancellationToken) -> BoxFuture<'_, anyhow::Result<()>> {
    async move {
        let (pool, metrics) = (pool(&config.catalog), EventMetrics::new(registry)?);
        let cache = cache(config.redis, registry, stop.clone())?;
        job::work::work(pool, cache, config.broker, metrics, stop).await;
        Ok(())
    }
    .boxed()
}

pub fn migrate(catalog: CatalogSettings, deadline: Instant) -> BoxFuture<'static, anyhow::Result<()>> {
    async move {
        let (at, role) = (&catalog.primary, &catalog.credentials);
        let done = shop_kit_postgres::migrate(TIER, at, role, catalog.timeouts, migrator(), MIGRATIONS_TABLE, deadline);
        Ok(done.await?)
    }
    .boxed()
}

pub fn pool(catalog: &CatalogSettings) -> Pool {
    Pool::lazy(TIER, &catalog.pooler, &catalog.credentials, catalog.timeouts)
}

fn cache(redis: Option<RedisSettings>, registry: &Registry, stop: CancellationToken) -> anyhow::Result<Cache> {
    if redis.is_none() {
        tracing::warn!("no Redis is configured: every read asks Postgres");
    }
    let redis = redis.map(|settings| RedisCache::start(settings, stop));
    Ok(Cache::new(redis, CacheMetrics::new(registry)?))
}
