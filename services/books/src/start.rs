//! What the verbs start, for this program and for the one that holds all services. Reads no environment.

use crate::config::{ApiConfig, WorkConfig};
use crate::job::work::BooksMetrics;
use crate::read::Sources;
use crate::router::{AppState, router};
use crate::{MIGRATIONS_TABLE, migrator};
use anyhow::anyhow;
use axum::Router;
use futures::FutureExt;
use futures::future::BoxFuture;
use prometheus::Registry;
use shop_kit_postgres::{PaymentsSettings, Pool, ShardedPool};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

const PAYMENTS: &str = "postgres/payments";
const CATALOG: &str = "postgres/catalog";

/// Its metrics are those of every service; nothing runs in the background.
pub fn api(config: ApiConfig, _registry: &Registry, _stop: CancellationToken) -> BoxFuture<'_, anyhow::Result<Router>> {
    async move {
        let state = AppState {
            payments: payments(&config.payments),
            verifier: config.verifier,
        };
        Ok(router(state))
    }
    .boxed()
}

/// Returns after `stop`.
pub fn work(config: WorkConfig, registry: &Registry, stop: CancellationToken) -> BoxFuture<'_, anyhow::Result<()>> {
    async move {
        let metrics = BooksMetrics::new(registry)?;
        let sources = sources(&config, stop.clone())?;
        crate::job::work::work(sources, metrics, stop).await;
        Ok(())
    }
    .boxed()
}

pub fn migrate(settings: PaymentsSettings, deadline: Instant) -> BoxFuture<'static, anyhow::Result<()>> {
    async move {
        let PaymentsSettings {
            credentials,
            primary,
            timeouts,
            ..
        } = settings;
        shop_kit_postgres::migrate(
            PAYMENTS,
            &primary,
            &credentials,
            timeouts,
            migrator(),
            MIGRATIONS_TABLE,
            deadline,
        )
        .await?;
        Ok(())
    }
    .boxed()
}

pub fn sources(config: &WorkConfig, stop: CancellationToken) -> anyhow::Result<Sources> {
    let catalog = &config.catalog;
    Ok(Sources {
        shards: ShardedPool::open(config.orders.clone(), stop).map_err(|error| anyhow!(error))?,
        catalog: Pool::lazy(CATALOG, &catalog.pooler, &catalog.credentials, catalog.timeouts),
        payments: payments(&config.payments),
    })
}

fn payments(settings: &PaymentsSettings) -> Pool {
    Pool::lazy(PAYMENTS, &settings.pooler, &settings.credentials, settings.timeouts)
}
