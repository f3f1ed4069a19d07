//! What the verbs start, for this program and for the one that holds all services. Reads no environment, listens
//! nowhere.

use crate::config::{ApiConfig, WorkConfig};
use crate::desk::{Desk, DeskMetrics, Rules};
use crate::router::{AppState, router};
use crate::{MIGRATIONS_TABLE, TIER, job, migrator};
use axum::Router;
use futures::FutureExt;
use futures::future::BoxFuture;
use prometheus::Registry;
use shop_kit_events::EventMetrics;
use shop_kit_postgres::{CatalogSettings, Pool, Reads};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The routes. Their queue ends with them, not with `_stop`: requests under way are still served while draining.
pub fn api(config: ApiConfig, registry: &Registry, _stop: CancellationToken) -> BoxFuture<'_, anyhow::Result<Router>> {
    async move {
        let pool = pool(&config.catalog);
        Ok(router(AppState {
            reads: Reads::of_catalog(&config.catalog, pool.clone()),
            desk: Desk::open(pool.clone(), Rules::default(), DeskMetrics::new(registry)?),
            pool,
            verifier: config.verifier,
        }))
    }
    .boxed()
}

/// The worker; returns after `stop`.
pub fn work(config: WorkConfig, registry: &Registry, stop: CancellationToken) -> BoxFuture<'_, anyhow::Result<()>> {
    async move {
        let metrics = EventMetrics::new(registry)?;
        let overdue = job::sweep::Overdue::new(registry)?;
        job::work::work(pool(&config.catalog), config.broker, metrics, overdue, stop).await;
        Ok(())
    }
    .boxed()
}

/// Brings the tables up to date.
pub fn migrate(settings: CatalogSettings, deadline: Instant) -> BoxFuture<'static, anyhow::Result<()>> {
    async move {
        let (at, role) = (&settings.primary, &settings.credentials);
        let done = shop_kit_postgres::migrate(
            TIER,
            at,
            role,
            settings.timeouts,
            migrator(),
            MIGRATIONS_TABLE,
            deadline,
        );
        Ok(done.await?)
    }
    .boxed()
}

pub fn pool(catalog: &CatalogSettings) -> Pool {
    Pool::lazy(TIER, &catalog.pooler, &catalog.credentials, catalog.timeouts)
}
