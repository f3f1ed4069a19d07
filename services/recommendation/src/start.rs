//! Starts what this service consists of: its API, its worker, its migrations. Opens pools and background loops, listens
//! nowhere; a process may hold several services started like this.

use crate::best::BestSellers;
use crate::config::{ApiConfig, WorkConfig};
use crate::router::{AppState, router};
use crate::{MIGRATIONS_TABLE, job, migrator};
use axum::Router;
use prometheus::Registry;
use shop_kit_events::EventMetrics;
use shop_kit_postgres::{CatalogSettings, Pool};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

const TIER: &str = "postgres/catalog";

/// Its reads are few and short, so they go where the writes go.
pub async fn api(config: ApiConfig, _registry: &Registry, _stop: CancellationToken) -> anyhow::Result<Router> {
    let pool = pool(&config.catalog);
    let state = AppState {
        best: BestSellers::new(pool.clone()),
        pool,
        verifier: config.verifier,
    };
    Ok(router(state))
}

/// Returns after `stop`.
pub async fn work(config: WorkConfig, registry: &Registry, stop: CancellationToken) -> anyhow::Result<()> {
    let metrics = EventMetrics::new(registry)?;
    job::work::work(pool(&config.catalog), config.broker, metrics, stop).await;
    Ok(())
}

pub async fn migrate(catalog: CatalogSettings, deadline: Instant) -> anyhow::Result<()> {
    let (at, role) = (&catalog.primary, &catalog.credentials);
    let done = shop_kit_postgres::migrate(TIER, at, role, catalog.timeouts, migrator(), MIGRATIONS_TABLE, deadline);
    Ok(done.await?)
}

fn pool(catalog: &CatalogSettings) -> Pool {
    Pool::lazy(TIER, &catalog.pooler, &catalog.credentials, catalog.timeouts)
}
