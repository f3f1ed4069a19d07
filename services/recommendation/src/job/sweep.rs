//! Every minute: lets go of the weakest neighbours of products that learnt, of days that left the window of best
//! sellers, and of old notes in the inbox.

use crate::TABLES;
use crate::job::learn::Touched;
use crate::store::{best, neighbours};
use shop_kit_postgres::{Pool, StoreError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const EVERY: Duration = Duration::from_secs(60);
/// Products pruned by one statement.
const AT_A_TIME: usize = 200;

pub async fn sweep(pool: Pool, touched: Touched, stop: CancellationToken) {
    let mut tick = tokio::time::interval(EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        if let Err(error) = once(&pool, &touched.take()).await {
            tracing::warn!("sweep: {error}");
        }
    }
}

/// Products that are left out because of an error are pruned when they learn again.
pub async fn once(pool: &Pool, touched: &[Uuid]) -> Result<(), StoreError> {
    for products in touched.chunks(AT_A_TIME) {
        neighbours::prune(pool, products).await?;
    }
    best::forget(pool).await?;
    // Longer than a fact may be told again.
    let text = format!(
        "delete from {inbox} where ctid = any(array(select ctid from {inbox} \
         where handled_at < now() - interval '30 days' limit 20000))",
        inbox = TABLES.inbox
    );
    let purged = sqlx::query(sqlx::AssertSqlSafe(text)).execute(pool.executor()).await;
    purged.map(|_| ()).map_err(|error| pool.error(&error))
}
