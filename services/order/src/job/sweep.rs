//! Every minute, in every shard: removes the operator's test orders, kept answers and events that are done with.

use crate::store::order;
use shop_kit_events::purge;
use shop_kit_postgres::{ShardedPool, StoreError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const EVERY: Duration = Duration::from_secs(60);

pub async fn sweep_all_shards(shards: ShardedPool, stop: CancellationToken) {
    let mut tick = tokio::time::interval(EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        let shards = shards.all();
        let swept = futures::future::join_all(shards.iter().map(one)).await;
        for error in swept.into_iter().filter_map(Result::err) {
            tracing::warn!("sweep: {error}");
        }
    }
}

async fn one(shard: &shop_kit_postgres::Shard) -> Result<(), StoreError> {
    let orders = order::sweep(shard).await?;
    purge(&shard.pool).await?;
    if orders > 0 {
        tracing::debug!(shard = shard.index, orders, "synthetic orders removed");
    }
    Ok(())
}
