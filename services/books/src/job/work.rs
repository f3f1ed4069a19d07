//! `books work`: a round every few seconds for whoever holds the lease; every instance shows the metrics of what the
//! tables say, so it does not matter which one is asked.

use super::walk::round;
use crate::check::Limits;
use crate::invariant::Invariant;
use crate::read::Sources;
use crate::store::{finding, lease};
use prometheus::{IntGaugeVec, Opts, Registry};
use shop_kit_postgres::StoreError;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const EVERY: Duration = Duration::from_secs(5);
/// Longer than a round may take, shorter than anybody would miss the books.
const LEASE_SECONDS: f64 = 60.0;
const ROUND: Duration = Duration::from_secs(50);

#[derive(Clone)]
pub struct BooksMetrics {
    violations: IntGaugeVec,
    checked: IntGaugeVec,
}

impl BooksMetrics {
    pub fn new(registry: &Registry) -> prometheus::Result<Self> {
        let gauge = |name: &str, help: &str| IntGaugeVec::new(Opts::new(name, help), &["invariant"]);
        let violations = gauge("shop_books_violations", "Findings that last, by invariant")?;
        let checked = gauge(
            "shop_books_checked_timestamp_seconds",
            "When it was last looked at, by invariant",
        )?;
        registry.register(Box::new(violations.clone()))?;
        registry.register(Box::new(checked.clone()))?;
        for invariant in Invariant::ALL {
            violations.with_label_values(&[invariant.name()]).set(0);
        }
        Ok(Self { violations, checked })
    }

    async fn show(&self, sources: &Sources) -> Result<(), StoreError> {
        for (invariant, violations, checked) in finding::states(&sources.payments).await? {
            let violations = i64::try_from(violations).unwrap_or(i64::MAX);
            self.violations.with_label_values(&[invariant.name()]).set(violations);
            if let Some(checked) = checked {
                self.checked.with_label_values(&[invariant.name()]).set(checked);
            }
        }
        Ok(())
    }
}

pub async fn work(sources: Sources, metrics: BooksMetrics, stop: CancellationToken) {
    let holder = Uuid::now_v7();
    let mut tick = tokio::time::interval(EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            _ = tick.tick() => {}
        }
        let turn = async {
            if lease::take(&sources.payments, holder, LEASE_SECONDS).await? {
                round(&sources, &Limits::default(), jiff::Timestamp::now().as_second()).await?;
            }
            metrics.show(&sources).await
        };
        // A round that is cut off here would not be cut off by the loss of its lease.
        match tokio::time::timeout(ROUND, turn).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!("round: {error}"),
            Err(_) => tracing::warn!("round: not done after {} s", ROUND.as_secs()),
        }
    }
    if let Err(error) = lease::give_back(&sources.payments, holder).await {
        tracing::info!("the lease ends by itself: {error}");
    }
}
