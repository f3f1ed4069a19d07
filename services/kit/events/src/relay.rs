//! The relay: outbox rows → RabbitMQ. Claims rows, publishes them as mandatory under confirms and marks those that were
//! confirmed, all in one transaction: whatever is lost on the way is claimed and published again. One task per shard,
//! so a shard that is down holds up nobody else. Polls instead of LISTEN, which PgBouncer cannot pass on.

use crate::outbox;
use crate::publish::{Sent, publish};
use crate::{Broker, BrokerError};
use lapin::{Channel, Connection};
use prometheus::{IntCounterVec, Opts, Registry};
use shop_kit_postgres::{Pool, ShardedPool, StoreError};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const BATCH: i64 = 100;
/// For all confirms of a batch.
const CONFIRM: Duration = Duration::from_secs(10);
/// Between two looks: the first after work, the last when idle.
const PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));
/// After a failure.
const RETRY: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));

/// What the relays did, by shard.
#[derive(Clone)]
pub struct RelayMetrics {
    published: IntCounterVec,
    refused: IntCounterVec,
}

#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Broker(#[from] BrokerError),
}

impl RelayMetrics {
    pub fn new(registry: &Registry) -> prometheus::Result<Self> {
        let published = IntCounterVec::new(
            Opts::new("shop_outbox_published_total", "Events RabbitMQ confirmed, by shard"),
            &["shard"],
        )?;
        let refused = IntCounterVec::new(
            Opts::new(
                "shop_outbox_refused_total",
                "Events returned or refused, to be published again, by shard",
            ),
            &["shard"],
        )?;
        registry.register(Box::new(published.clone()))?;
        registry.register(Box::new(refused.clone()))?;
        Ok(Self { published, refused })
    }
}

/// Keeps one relay running for every shard of the map, until `stop`; then lets each finish its batch.
pub async fn relay_all_shards(shards: ShardedPool, broker: Broker, metrics: RelayMetrics, stop: CancellationToken) {
    let mut running: BTreeMap<u16, JoinHandle<()>> = BTreeMap::new();
    let mut tick = tokio::time::interval(Duration::from_secs(2));
    while !stop.is_cancelled() {
        running.retain(|_, task| !task.is_finished());
        for shard in shards.all() {
            running.entry(shard.index).or_insert_with(|| {
                let (shards, broker) = (shards.clone(), broker.clone());
                let relay = Relay {
                    index: shard.index,
                    shards,
                    broker,
                    metrics: metrics.clone(),
                };
                tokio::spawn(relay.run(stop.clone()))
            });
        }
        tokio::select! {
            () = stop.cancelled() => {}
            _ = tick.tick() => {}
        }
    }
    for (_, task) in running {
        let _ = task.await;
    }
}

struct Relay {
    index: u16,
    shards: ShardedPool,
    broker: Broker,
    metrics: RelayMetrics,
}

impl Relay {
    /// Ends at `stop`, or when the shard left the map.
    async fn run(self, stop: CancellationToken) {
        let mut link: Option<(Connection, Channel)> = None;
        let (mut pause, mut retry) = (PAUSE.0, RETRY.0);
        while let Some(pool) = self.shards.get(self.index).map(|shard| shard.pool) {
            let wait = match self.round(&pool, &mut link).await {
                Ok(0) => {
                    pause = (pause * 2).min(PAUSE.1);
                    pause
                }
                Ok(_) => {
                    (pause, retry) = (PAUSE.0, RETRY.0);
                    pause
                }
                Err(error) => {
                    tracing::warn!(shard = self.index, "relay: {error}");
                    if matches!(error, RelayError::Broker(_)) {
                        link = None;
                    }
                    retry = (retry * 2).min(RETRY.1);
                    retry
                }
            };
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(wait) => {}
            }
        }
        if let Some((connection, _)) = link {
            let _ = connection.close(200, "stopping".into()).await;
        }
    }

    async fn round(&self, pool: &Pool, link: &mut Option<(Connection, Channel)>) -> Result<usize, RelayError> {
        if !outbox::any_due(pool).await? {
            return Ok(0);
        }
        if !link.as_ref().is_some_and(|(_, channel)| channel.status().connected()) {
            *link = Some(self.broker.open(&format!("relay {}", pool.tier())).await?);
        }
        let Some((_, channel)) = link.as_ref() else {
            return Ok(0);
        };
        let shard = self.index.to_string();
        let (published, refused) = relay_batch(pool, channel, CONFIRM).await?;
        self.metrics
            .published
            .with_label_values(&[&shard])
            .inc_by(published as u64);
        self.metrics.refused.with_label_values(&[&shard]).inc_by(refused as u64);
        Ok(published + refused)
    }
}

/// One batch, whose confirms may take `patience`. Returns how many were confirmed and how many were refused.
pub async fn relay_batch(pool: &Pool, channel: &Channel, patience: Duration) -> Result<(usize, usize), RelayError> {
    let store = |error: sqlx::Error| RelayError::Store(pool.error(&error));
    let mut transaction = pool.begin().await?;
    let claimed = outbox::claim(&mut transaction, BATCH).await.map_err(store)?;
    let Sent {
        confirmed,
        refused,
        broken,
    } = publish(channel, &claimed, patience).await;
    outbox::mark_published(&mut transaction, &confirmed)
        .await
        .map_err(store)?;
    outbox::put_off(&mut transaction, &refused).await.map_err(store)?;
    pool.commit(transaction).await?;
    match broken {
        Some(detail) => Err(RelayError::Broker(BrokerError {
            at: "while publishing".to_owned(),
            detail,
        })),
        None => Ok((confirmed.len(), refused.len())),
    }
}
