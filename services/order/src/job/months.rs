//! Keeps the partitions of a shard: makes those of the coming months, detaches those that are too old.

use crate::month::{Month, to_detach, to_make};
use crate::store::month;
use jiff::Timestamp;
use shop_kit_postgres::{Pool, StoreError};

/// Returns how many months ahead there are partitions without a gap.
pub async fn keep_months(pool: &Pool, now: Timestamp, keep: Option<u32>) -> Result<i32, StoreError> {
    let (this, tier) = (Month::of(now), pool.tier());
    let there = month::all(pool).await?;
    for missing in to_make(&there, this) {
        month::make(pool, missing).await?;
        tracing::info!(tier = &**tier, month = %missing, "partitions made");
    }
    for old in to_detach(&there, this, keep) {
        if month::detach(pool, old).await? {
            tracing::info!(tier = &**tier, month = %old, "partitions detached; their tables stay");
        } else {
            tracing::warn!(tier = &**tier, month = %old, "not detached: an order in it is not at its end");
        }
    }
    let there = month::all(pool).await?;
    let ahead = (1..).take_while(|months| there.contains(&this.plus(*months))).last();
    Ok(ahead.unwrap_or_default())
}
