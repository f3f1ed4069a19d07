//! Every minute, in every shard: removes the operator's test orders and answers kept long enough, keeps the partitions,
//! and counts the orders that wait for their payment.

use crate::job::months::keep_months;
use crate::metrics::OrderMetrics;
use crate::store::waiting::by_age;
use crate::store::{REQUESTS, order};
use jiff::Timestamp;
use shop_kit_postgres::{Shard, ShardedPool, StoreError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const EVERY: Duration = Duration::from_secs(60);

/// `keep` is how many full months stay attached; all of them without it.
pub async fn sweep_all_shards(shards: ShardedPool, keep: Option<u32>, metrics: OrderMetrics, stop: CancellationToken) {
    let mut tick = tokio::time::interval(EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        let shards = shards.all();
        let swept = shards
            .iter()
            .map(|shard| sweep(shard, Timestamp::now(), keep, &metrics));
        for error in futures::future::join_all(swept).await.into_iter().flatten() {
            tracing::warn!("sweep: {error}");
        }
    }
}

/// One shard. What fails holds up nothing else.
pub async fn sweep(shard: &Shard, now: Timestamp, keep: Option<u32>, metrics: &OrderMetrics) -> Vec<StoreError> {
    let pool = &shard.pool;
    let orders = order::sweep(shard).await.map(drop);
    let answers = shop_kit_idempotency::purge(pool, REQUESTS).await.map(drop);
    let months = keep_months(pool, now, keep)
        .await
        .map(|ahead| metrics.months_ahead(shard.index, ahead));
    let waiting = by_age(pool).await.map(|ages| metrics.waiting(shard.index, &ages));
    [orders, answers, months, waiting]
        .into_iter()
        .filter_map(Result::err)
        .collect()
}
