//! Every minute: removes the operator's test payments and kept answers. The relay clears the events.

use crate::store::payment;
use crate::{IDEMPOTENCY, provider};
use shop_kit_postgres::{Pool, StoreError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const EVERY: Duration = Duration::from_secs(60);

pub async fn sweep_often(pool: Pool, stop: CancellationToken) {
    let mut tick = tokio::time::interval(EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        if let Err(error) = sweep(&pool).await {
            tracing::warn!("sweep: {error}");
        }
    }
}

pub async fn sweep(pool: &Pool) -> Result<(), StoreError> {
    let payments = payment::sweep(pool).await?;
    provider::sweep(pool).await?;
    let answers = shop_kit_idempotency::purge(pool, IDEMPOTENCY).await?;
    if payments + answers > 0 {
        tracing::debug!(payments, answers, "swept");
    }
    Ok(())
}
