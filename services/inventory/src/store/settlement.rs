//! The slow and sure way: lock the orders, then their slots, decide, write. One transaction for many orders.

use crate::reservation::Reservation;
use crate::settle::{Answer, Ask, Movement, Settled, places, settle};
use crate::store::{movement, reservation, slot};
use shop_kit_postgres::{Pool, StoreError};
use sqlx::PgConnection;
use std::time::Duration;
use uuid::Uuid;

/// Attempts when others keep adding the same orders.
const ATTEMPTS: usize = 5;

/// Why a transaction must be rolled back.
#[derive(Debug)]
pub enum Undone {
    /// Somebody added one of the orders between the look and the write: look again.
    Overtaken,
    Sql(sqlx::Error),
}

impl From<sqlx::Error> for Undone {
    fn from(error: sqlx::Error) -> Self {
        Self::Sql(error)
    }
}

/// Settles in a transaction of its own.
pub async fn settle_alone(pool: &Pool, asks: &[Ask], hold: Duration) -> Result<Vec<Answer>, StoreError> {
    for _ in 0..ATTEMPTS {
        let mut transaction = pool.begin().await?;
        let done = async {
            let settled = settle_in(&mut transaction, asks).await?;
            finish(&mut transaction, settled, hold).await
        };
        match done.await {
            Ok(answers) => {
                pool.commit(transaction).await?;
                return Ok(answers);
            }
            Err(Undone::Overtaken) => transaction.rollback().await.map_err(|error| pool.error(&error))?,
            Err(Undone::Sql(error)) => return Err(pool.error(&error)),
        }
    }
    Err(overtaken(pool))
}

/// Of orders that somebody else adds again and again: not the asker's fault.
pub fn overtaken(pool: &Pool) -> StoreError {
    StoreError::Unavailable {
        tier: pool.tier().clone(),
        detail: "others added the same orders meanwhile".to_owned(),
    }
}

/// Locks and decides in the caller's transaction, and writes all that nobody waits for; `finish` must follow.
pub async fn settle_in(transaction: &mut PgConnection, asks: &[Ask]) -> Result<Settled, sqlx::Error> {
    if asks.is_empty() {
        return Ok(Settled::default());
    }
    let mut orders: Vec<Uuid> = asks.iter().map(Ask::order).collect();
    orders.sort_unstable();
    orders.dedup();
    let known = reservation::lock(transaction, &orders).await?;
    let shelf = slot::lock(transaction, places(asks, &known)).await?;
    let settled = settle(asks, known, shelf);
    reservation::update(transaction, &rows(&settled, true)).await?;
    movement::append(transaction, &movements(&settled, true)).await?;
    Ok(settled)
}

/// The last before the commit: the slots, which others wait for, and then the new orders. Checkout has its slots before
/// it adds its order, too: the other way round they would wait for each other.
pub async fn finish(
    transaction: &mut PgConnection,
    mut settled: Settled,
    hold: Duration,
) -> Result<Vec<Answer>, Undone> {
    slot::write(transaction, &settled.shelf).await?;
    let added = rows(&settled, false);
    let expiries = reservation::insert(transaction, &added, hold).await?;
    if expiries.len() != added.len() {
        return Err(Undone::Overtaken);
    }
    // Not before their orders: somebody else may have added, and sold, the same ones.
    movement::append(transaction, &movements(&settled, false)).await?;
    for answer in &mut settled.answers {
        if let Answer::Held(row) = answer {
            row.expires_at = expiries.get(&row.order).cloned().unwrap_or_default();
        }
    }
    Ok(settled.answers)
}

/// Rows to write, in the order of their ids: those that were there before, or the new ones.
fn rows(settled: &Settled, were_there: bool) -> Vec<&Reservation> {
    let rows = settled.rows.values().filter(|(_, was_there)| *was_there == were_there);
    rows.map(|(row, _)| row).collect()
}

/// What to write into the ledger: of orders that were there before, or of new ones.
fn movements(settled: &Settled, were_there: bool) -> Vec<Movement> {
    let was_there = |order: &Uuid| settled.rows.get(order).is_some_and(|(_, was_there)| *was_there);
    let movements = settled.movements.iter().copied();
    movements
        .filter(|movement| was_there(&movement.order) == were_there)
        .collect()
}
