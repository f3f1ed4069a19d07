//! What is done with, in one shard: sessions that ended, kept answers, events, addresses of deleted accounts.

use crate::store::{removal, remove_old};
use crate::{KEPT_ANSWERS, TABLES};
use futures::future::join_all;
use shop_kit_postgres::{Pool, ShardedPool, StoreError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const EVERY: Duration = Duration::from_secs(60);

/// Every minute, in every shard, until told to stop.
pub async fn sweep_all_shards(shards: ShardedPool, stop: CancellationToken) {
    let mut tick = tokio::time::interval(EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        let all = shards.all();
        let swept = join_all(all.iter().map(|shard| sweep(&shards, &shard.pool))).await;
        for error in swept.into_iter().filter_map(Result::err) {
            tracing::warn!("sweep: {error}");
        }
    }
}

pub async fn sweep(shards: &ShardedPool, pool: &Pool) -> Result<(), StoreError> {
    remove_old(pool, "user_sessions", "expires_at < now()").await?;
    shop_kit_idempotency::purge(pool, KEPT_ANSWERS).await?;
    shop_kit_events::purge(pool, &TABLES).await?;
    removal::release_removed(shards, pool).await
}
