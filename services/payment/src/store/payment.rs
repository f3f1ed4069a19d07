//! Payments as the worker sees them, to be locked, changed in memory and written back by `batch`. Rows are locked in the
//! order of their orders' ids, so that batches wait for each other instead of deadlocking.

use crate::machine::{Phase, Standing};
use crate::provider::Charge;
use crate::store::phase;
use shop_kit_postgres::{Pool, StoreError};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection, Row};
use std::fmt;
use std::time::Duration;
use uuid::Uuid;

const COLUMNS: &str = "id, order_id, user_id, state, claimed, cancelled, amount_cents, currency, token, lines, \
     refunded_cents, reason, synthetic, attempts";

#[derive(Clone, Debug)]
pub struct Payment {
    pub id: Uuid,
    pub order_id: Uuid,
    pub user_id: Uuid,
    pub standing: Standing,
    pub amount_cents: i64,
    pub currency: String,
    pub token: String,
    /// The order's lines as JSON.
    pub lines: String,
    pub refunded_cents: i64,
    pub reason: Option<String>,
    pub synthetic: bool,
    /// Questions without an answer since the intent was written.
    pub attempts: i32,
    /// From now until the provider may be asked again; written, never read.
    pub wait: Duration,
}

/// A payment that a later version moved to a state this one does not know. Nobody here may change it.
#[derive(Clone, Debug)]
pub struct Later {
    pub id: Uuid,
    state: String,
}

/// Locked rows.
#[derive(Debug, Default)]
pub struct Locked {
    pub known: Vec<Payment>,
    pub later: Vec<Later>,
}

impl fmt::Display for Later {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, state } = self;
        write!(
            f,
            "payment {id} is `{state}`, which only a later version of this service knows; it is being rolled out"
        )
    }
}

impl Payment {
    /// What the provider is asked about.
    pub fn charge(&self) -> Charge {
        Charge {
            payment_id: self.id,
            order_id: self.order_id,
            token: self.token.clone(),
            amount_cents: self.amount_cents,
            currency: self.currency.clone(),
            synthetic: self.synthetic,
        }
    }
}

pub async fn lock_by_order(transaction: &mut PgConnection, orders: &[Uuid]) -> Result<Locked, sqlx::Error> {
    let text = format!("select {COLUMNS} from payments where order_id = any($1) order by order_id for update");
    lock(transaction, text, orders).await
}

pub async fn lock_by_id(transaction: &mut PgConnection, ids: &[Uuid]) -> Result<Locked, sqlx::Error> {
    let text = format!("select {COLUMNS} from payments where id = any($1) order by order_id for update");
    lock(transaction, text, ids).await
}

async fn lock(transaction: &mut PgConnection, text: String, ids: &[Uuid]) -> Result<Locked, sqlx::Error> {
    let rows = sqlx::query(AssertSqlSafe(text))
        .bind(ids)
        .fetch_all(transaction)
        .await?;
    sorted(&rows)
}

fn sorted(rows: &[PgRow]) -> Result<Locked, sqlx::Error> {
    let mut locked = Locked::default();
    for row in rows {
        match phase::phase(row.try_get("state")?) {
            Some(phase) => locked.known.push(read(row, phase)?),
            None => locked.later.push(Later {
                id: row.try_get("id")?,
                state: row.try_get("state")?,
            }),
        }
    }
    Ok(locked)
}

/// Payments whose question was never answered; nobody else takes them for the time of `lease`.
pub async fn take_due(pool: &Pool, lease: Duration, limit: i64) -> Result<Vec<Payment>, StoreError> {
    let text = format!(
        "update payments set due_at = now() + $1 * interval '1 millisecond' where id = any(array(select id from payments \
         where state in ('authorizing', 'capturing', 'voiding') and due_at <= now() order by due_at limit $2 \
         for update skip locked)) returning {COLUMNS}"
    );
    let rows = sqlx::query(AssertSqlSafe(text))
        .bind(millis(lease))
        .bind(limit)
        .fetch_all(pool.executor())
        .await
        .map_err(|error| pool.error(&error))?;
    // Only states this version knows were asked for.
    let payments: Result<Vec<Payment>, sqlx::Error> = sorted(&rows).map(|locked| locked.known);
    payments.map_err(|error| pool.error(&error))
}

/// Removes the operator's test payments after ten minutes, and what only guards against late events after a month.
pub async fn sweep(pool: &Pool) -> Result<u64, StoreError> {
    let mut swept = 0;
    for statement in [
        "delete from payments where id = any(array(select id from payments \
         where synthetic and created_at < now() - interval '10 minutes' limit 1000))",
        "delete from payments where id = any(array(select id from payments \
         where state = 'tombstone' and created_at < now() - interval '30 days' limit 1000))",
        "delete from payment_webhooks where event_id = any(array(select event_id from payment_webhooks \
         where received_at < now() - interval '30 days' limit 5000))",
    ] {
        let done = sqlx::query(statement).execute(pool.executor()).await;
        swept += done.map_err(|error| pool.error(&error))?.rows_affected();
    }
    Ok(swept)
}

pub(crate) fn millis(wait: Duration) -> i64 {
    i64::try_from(wait.as_millis()).unwrap_or(i64::MAX)
}

fn read(row: &PgRow, phase: Phase) -> Result<Payment, sqlx::Error> {
    Ok(Payment {
        id: row.try_get("id")?,
        order_id: row.try_get("order_id")?,
        user_id: row.try_get("user_id")?,
        standing: Standing {
            phase,
            claimed: row.try_get("claimed")?,
            cancelled: row.try_get("cancelled")?,
        },
        amount_cents: row.try_get("amount_cents")?,
        currency: row.try_get("currency")?,
        token: row.try_get("token")?,
        lines: row.try_get("lines")?,
        refunded_cents: row.try_get("refunded_cents")?,
        reason: row.try_get("reason")?,
        synthetic: row.try_get("synthetic")?,
        attempts: row.try_get("attempts")?,
        wait: Duration::ZERO,
    })
}
