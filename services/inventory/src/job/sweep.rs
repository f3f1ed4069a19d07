//! Gives back what orders hold that were not paid in time, a few at a time so that nobody waits long for a slot, and
//! removes what is done with. Any number of workers may do so: each takes rows nobody else holds.

use crate::IDEMPOTENCY;
use crate::desk::Rules;
use crate::settle::Ask;
use crate::store::reservation;
use crate::store::settlement::{Undone, finish, overtaken, settle_in};
use prometheus::{IntGauge, Registry};
use shop_kit_postgres::{Pool, StoreError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const EVERY: Duration = Duration::from_secs(5);
/// In units of `EVERY`.
const PURGE: u32 = 12;
const BATCH: i64 = 50;

/// Reservations that are over and still held.
#[derive(Clone)]
pub struct Overdue(IntGauge);

impl Overdue {
    pub fn new(registry: &Registry) -> prometheus::Result<Self> {
        let gauge = IntGauge::new(
            "shop_reservations_overdue",
            "Reservations that are over and still hold stock",
        )?;
        registry.register(Box::new(gauge.clone()))?;
        Ok(Self(gauge))
    }
}

pub async fn sweep_always(pool: Pool, overdue: Overdue, stop: CancellationToken) {
    let mut tick = tokio::time::interval(EVERY);
    for round in 0_u32.. {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        let swept = async {
            expire(&pool).await?;
            overdue.0.set(reservation::overdue(&pool).await?);
            if round.is_multiple_of(PURGE) {
                purge(&pool).await?;
            }
            Ok::<(), StoreError>(())
        };
        if let Err(error) = swept.await {
            tracing::warn!("sweep: {error}");
        }
    }
}

/// Until none is left that is over and free to take; returns how many there were.
pub async fn expire(pool: &Pool) -> Result<usize, StoreError> {
    let mut expired = 0;
    loop {
        match expire_batch(pool).await? {
            0 => return Ok(expired),
            some => expired += some,
        }
    }
}

async fn expire_batch(pool: &Pool) -> Result<usize, StoreError> {
    let mut transaction = pool.begin().await?;
    let due = reservation::due(&mut transaction, BATCH).await;
    let due = due.map_err(|error| pool.error(&error))?;
    let asks: Vec<Ask> = due.iter().map(|order| Ask::Expire { order: *order }).collect();
    if asks.is_empty() {
        return Ok(0);
    }
    let done = async {
        let settled = settle_in(&mut transaction, &asks).await?;
        finish(&mut transaction, settled, Rules::default().hold).await
    };
    done.await.map_err(|undone| match undone {
        Undone::Overtaken => overtaken(pool),
        Undone::Sql(error) => pool.error(&error),
    })?;
    pool.commit(transaction).await?;
    Ok(asks.len())
}

async fn purge(pool: &Pool) -> Result<(), StoreError> {
    reservation::purge(pool).await?;
    shop_kit_idempotency::purge(pool, IDEMPOTENCY).await?;
    Ok(())
}
