//! Every minute: removes kept answers that are done with. (Events are removed by their relay.)

use crate::IDEMPOTENCY;
use shop_kit_postgres::Pool;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const EVERY: Duration = Duration::from_secs(60);

pub async fn sweep(pool: Pool, stop: CancellationToken) {
    let mut tick = tokio::time::interval(EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        if let Err(error) = shop_kit_idempotency::purge(&pool, IDEMPOTENCY).await {
            tracing::warn!("sweep: {error}");
        }
    }
}
