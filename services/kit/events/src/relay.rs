//! One batch of the relay: outbox rows → RabbitMQ. Claims rows, publishes them as mandatory under confirms and marks
//! those that were confirmed, all in one transaction: whatever is lost on the way is claimed and published again, so an
//! event may come twice and is never lost.

use crate::publish::{Sent, publish};
use crate::{BrokerError, Tables, backlog};
use lapin::Channel;
use shop_kit_postgres::{Pool, StoreError};
use std::time::Duration;

/// Rows claimed at a time.
pub(crate) const BATCH: usize = 256;

#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Broker(#[from] BrokerError),
}

/// `patience` is for all confirms of the batch. Returns how many were confirmed and how many were refused.
pub async fn relay_batch(
    pool: &Pool,
    tables: &Tables,
    channel: &Channel,
    patience: Duration,
) -> Result<(usize, usize), RelayError> {
    let store = |error: sqlx::Error| RelayError::Store(pool.error(&error));
    // A mark that a crash undoes is an event told twice, which its consumers recognise.
    let mut transaction = pool.begin_fleeting().await?;
    let claimed = backlog::claim(&mut transaction, tables, BATCH as i64)
        .await
        .map_err(store)?;
    let Sent {
        confirmed,
        refused,
        broken,
    } = publish(channel, &claimed, patience).await;
    backlog::mark_published(&mut transaction, tables, &confirmed)
        .await
        .map_err(store)?;
    backlog::put_off(&mut transaction, tables, &refused)
        .await
        .map_err(store)?;
    pool.commit(transaction).await?;
    match broken {
        Some(detail) => Err(RelayError::Broker(BrokerError {
            at: "while publishing".to_owned(),
            detail,
        })),
        None => Ok((confirmed.len(), refused.len())),
    }
}
