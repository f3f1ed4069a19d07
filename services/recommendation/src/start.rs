//! Starts what this service consists of: its API, its worker, its migrations. Opens pools and background loops, listens
//! nowhere; a process may hold several services started like this.

use crate::best::BestSellers;
use crate::config::{ApiConfig, WorkConfig};
use crate::router::{AppState, router};
use crate::{MIGRATIONS_TABLE, job, migrator};
use axum::Router;
use futures::FutureExt;
use futures::future::BoxFuture;
use prometheus::Registry;
use shop_kit_events::EventMetrics;
use shop_kit_postgres::{CatalogSettings, Pool};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

const TIER: &str = "postgres/catalog";

/// Its reads are few and short, so they go where the writes go.
pub fn api(config: ApiConfig, _registry: &Registry, _stop: CancellationToken) -> BoxFuture<'_, anyhow::Result<Router>> {
    async move {
        let pool = pool(&config.catalog);
        let state = AppState {
            best: BestSellers::new(pool.clone()),
            pool,
            verifier: config.verifier,
        };
        Ok(router(state))
    }
    .boxed()
}

/// Returns after `stop`.
pub fn work(config: WorkConfig, registry: &Registry, stop: CancellationToken) -> BoxFuture<'_, anyhow::Result<()>> {
    async move {
        let metrics = EventMetrics::new(registry)?;
        job::work::work(pool(&config.catalog), config.broker, metrics, stop).await;
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

fn pool(catalog: &CatalogSettings) -> Pool {
    Pool::lazy(TIER, &catalog.pooler, &catalog.credentials, catalog.timeouts)
}
