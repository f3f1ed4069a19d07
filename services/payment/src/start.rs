//! Starts what this service consists of: its API, its worker, its migrations. Opens its pool and background loops,
//! listens nowhere; a process may hold several services started like this.

use crate::config::{ApiConfig, WorkConfig};
use crate::job::ask::{Ask, AskSettings};
use crate::job::work::{Work, work as work_all};
use crate::provider::TestProvider;
use crate::router::{AppState, router};
use crate::{MIGRATIONS_TABLE, migrator};
use axum::Router;
use futures::FutureExt;
use futures::future::BoxFuture;
use prometheus::Registry;
use shop_kit_events::EventMetrics;
use shop_kit_postgres::{PaymentsSettings, Pool};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

const TIER: &str = "postgres/payments";

/// Registry and `stop` are what every service's API is given; this one has no metrics and no loops of its own.
pub fn api(config: ApiConfig, _registry: &Registry, _stop: CancellationToken) -> BoxFuture<'_, anyhow::Result<Router>> {
    async move {
        Ok(router(AppState {
            payments: pool(&config.payments),
            verifier: config.verifier,
            webhook_secret: config.webhook_secret,
        }))
    }
    .boxed()
}

/// Returns after `stop`.
pub fn work(config: WorkConfig, registry: &Registry, stop: CancellationToken) -> BoxFuture<'_, anyhow::Result<()>> {
    async move {
        let pool = pool(&config.payments);
        let provider = TestProvider::new(pool.clone(), config.test_provider);
        let (ask, answers) = Ask::new(provider, AskSettings::default(), registry)?;
        let metrics = EventMetrics::new(registry)?;
        let all = Work {
            pool,
            broker: config.broker,
            metrics,
            webhook_secret: config.webhook_secret,
            ask,
            answers,
        };
        work_all(all, stop).await;
        Ok(())
    }
    .boxed()
}

pub fn migrate(payments: PaymentsSettings, deadline: Instant) -> BoxFuture<'static, anyhow::Result<()>> {
    async move {
        let (at, role) = (&payments.primary, &payments.credentials);
        let done = shop_kit_postgres::migrate(
            TIER,
            at,
            role,
            payments.timeouts,
            migrator(),
            MIGRATIONS_TABLE,
            deadline,
        );
        Ok(done.await?)
    }
    .boxed()
}

pub fn pool(payments: &PaymentsSettings) -> Pool {
    Pool::lazy(TIER, &payments.pooler, &payments.credentials, payments.timeouts)
}
