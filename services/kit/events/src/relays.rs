//! Keeps relays running: one task per outbox, so that a shard that is down holds up nobody else. Wakes at once after an
//! event was appended in this process; what other processes append it finds by looking (PgBouncer cannot pass LISTEN
//! on): often after work, twice a second when idle. Beside it, figures and the removal of what is done with.

use crate::metrics::OutboxMetrics;
use crate::pace::{Pace, SHORT};
use crate::relay::BATCH;
use crate::{Broker, EventMetrics, RelayError, Tables, backlog, relay_batch, wake};
use lapin::{Channel, Connection};
use shop_kit_postgres::{Pool, ShardedPool};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// For all confirms of a batch.
const CONFIRM: Duration = Duration::from_secs(10);
/// Between two looks: the first after work, the last when idle. The first is what an order waits at each step of its
/// saga; a busy outbox waits longer, see [`Pace`].
const PAUSE: (Duration, Duration) = (SHORT, Duration::from_millis(500));
/// How long after an event was appended here a look that finds nothing is followed by another at once: its transaction
/// commits within this time.
const ALERT: Duration = Duration::from_millis(100);
/// After a failure.
const RETRY: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));
const NEW_SHARDS: Duration = Duration::from_secs(2);
const FIGURES: Duration = Duration::from_secs(15);
/// In units of `FIGURES`.
const PURGE: u32 = 4;

/// Keeps one relay running for every shard of the map, until `stop`; then lets each finish its batch.
pub async fn relay_all_shards(
    shards: ShardedPool,
    tables: Tables,
    broker: Broker,
    metrics: EventMetrics,
    stop: CancellationToken,
) {
    let mut running: BTreeMap<u16, JoinHandle<()>> = BTreeMap::new();
    let mut tick = tokio::time::interval(NEW_SHARDS);
    while !stop.is_cancelled() {
        running.retain(|_, task| !task.is_finished());
        for shard in shards.all() {
            running.entry(shard.index).or_insert_with(|| {
                let source = Source::Shard(shards.clone(), shard.index);
                let relay = Relay::new(source, tables, &broker, &metrics, shard.pool.tier());
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

/// The relay of a database without shards, until `stop`.
pub async fn relay_one(pool: Pool, tables: Tables, broker: Broker, metrics: EventMetrics, stop: CancellationToken) {
    let tier = pool.tier().clone();
    let relay = Relay::new(Source::One(pool), tables, &broker, &metrics, &tier);
    relay.run(stop).await;
}

enum Source {
    Shard(ShardedPool, u16),
    One(Pool),
}

struct Relay {
    source: Source,
    tables: Tables,
    broker: Broker,
    metrics: OutboxMetrics,
}

impl Relay {
    fn new(source: Source, tables: Tables, broker: &Broker, metrics: &EventMetrics, tier: &str) -> Self {
        Self {
            source,
            tables,
            broker: broker.clone(),
            metrics: metrics.outbox(tables.outbox, tier),
        }
    }

    /// Ends at `stop`, or when the shard left the map.
    async fn run(self, stop: CancellationToken) {
        let ended = stop.child_token();
        let relay = async {
            self.publish(&ended).await;
            ended.cancel();
        };
        tokio::join!(relay, self.keep_tidy(&ended));
    }

    /// `None` when the shard left the map.
    fn pool(&self) -> Option<Pool> {
        match &self.source {
            Source::Shard(shards, index) => shards.get(*index).map(|shard| shard.pool),
            Source::One(pool) => Some(pool.clone()),
        }
    }

    async fn publish(&self, stop: &CancellationToken) {
        let mut link: Option<(Connection, Channel)> = None;
        let mut appended = wake::listen();
        let (mut pause, mut retry, mut alert) = (PAUSE.0, RETRY.0, Instant::now());
        let mut pace = Pace::new(Instant::now());
        while let Some(pool) = self.pool() {
            let (wait, may_wake) = match self.round(&pool, &mut link).await {
                Ok(0) if Instant::now() < alert => (pace.short(), true),
                Ok(0) => {
                    pause = (pause * 2).min(PAUSE.1);
                    (pause, true)
                }
                Ok(rows) => {
                    pace.note(rows, Instant::now());
                    (pause, retry) = (PAUSE.0, RETRY.0);
                    (if rows >= BATCH { Duration::ZERO } else { pace.short() }, false)
                }
                Err(error) => {
                    tracing::warn!(tier = &**pool.tier(), outbox = self.tables.outbox, "relay: {error}");
                    if matches!(error, RelayError::Broker(_)) {
                        link = None;
                    }
                    retry = (retry * 2).min(RETRY.1);
                    (retry, false)
                }
            };
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(wait) => {}
                _ = appended.changed(), if may_wake => {
                    (pause, alert) = (PAUSE.0, Instant::now() + ALERT);
                    tokio::time::sleep(pace.short()).await;
                }
            }
        }
        if let Some((connection, _)) = link {
            let _ = connection.close(200, "stopping".into()).await;
        }
    }

    async fn round(&self, pool: &Pool, link: &mut Option<(Connection, Channel)>) -> Result<usize, RelayError> {
        if !backlog::any_due(pool, &self.tables).await? {
            return Ok(0);
        }
        if !link.as_ref().is_some_and(|(_, channel)| channel.status().connected()) {
            let name = format!("relay {} {}", self.tables.outbox, pool.tier());
            *link = Some(self.broker.open(&name).await?);
        }
        let Some((_, channel)) = link.as_ref() else {
            return Ok(0);
        };
        let (published, refused) = relay_batch(pool, &self.tables, channel, CONFIRM).await?;
        self.metrics.published.inc_by(published as u64);
        self.metrics.refused.inc_by(refused as u64);
        Ok(published + refused)
    }

    /// Figures of the backlog; every minute, removal of what is done with.
    async fn keep_tidy(&self, stop: &CancellationToken) {
        let mut tick = tokio::time::interval(FIGURES);
        for count in 0_u32.. {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = tick.tick() => {}
            }
            let Some(pool) = self.pool() else { return };
            let done = async {
                self.metrics.show(backlog::backlog(&pool, &self.tables).await?);
                match count % PURGE {
                    1 => backlog::purge(&pool, &self.tables).await,
                    _ => Ok(()),
                }
            };
            if let Err(error) = done.await {
                tracing::info!(outbox = self.tables.outbox, "figures and removal: {error}");
            }
        }
    }
}
