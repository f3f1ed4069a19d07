//! Payments as the worker sees them: locked, changed in memory, written back in one statement for a whole batch. Rows
//! are locked in the order of their orders' ids, so that batches wait for each other instead of deadlocking.

use crate::machine::Standing;
use crate::provider::Charge;
use crate::store::phase;
use shop_kit_postgres::{Pool, StoreError};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection, Row};
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

pub async fn lock_by_order(transaction: &mut PgConnection, orders: &[Uuid]) -> Result<Vec<Payment>, sqlx::Error> {
    let text = format!("select {COLUMNS} from payments where order_id = any($1) order by order_id for update");
    lock(transaction, text, orders).await
}

pub async fn lock_by_id(transaction: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Payment>, sqlx::Error> {
    let text = format!("select {COLUMNS} from payments where id = any($1) order by order_id for update");
    lock(transaction, text, ids).await
}

async fn lock(transaction: &mut PgConnection, text: String, ids: &[Uuid]) -> Result<Vec<Payment>, sqlx::Error> {
    let rows = sqlx::query(AssertSqlSafe(text)).bind(ids).fetch_all(transaction).await?;
    rows.iter().map(read).collect()
}

/// Adds payments whose orders have none, in the order they come in. Fewer than asked for: another transaction was first.
pub async fn insert(transaction: &mut PgConnection, payments: &[&Payment]) -> Result<u64, sqlx::Error> {
    let inserted = sqlx::query(
        "insert into payments (id, order_id, user_id, state, claimed, cancelled, amount_cents, currency, token, lines, \
         synthetic, due_at) \
         select id, order_id, user_id, state, claimed, cancelled, amount_cents, currency, token, lines, synthetic, \
         now() + wait_ms * interval '1 millisecond' \
         from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::boolean[], $6::boolean[], $7::bigint[], \
         $8::text[], $9::text[], $10::text[], $11::boolean[], $12::bigint[]) as payment (id, order_id, user_id, state, \
         claimed, cancelled, amount_cents, currency, token, lines, synthetic, wait_ms) \
         on conflict (order_id) do nothing",
    )
    .bind(all(payments, |payment| payment.id))
    .bind(all(payments, |payment| payment.order_id))
    .bind(all(payments, |payment| payment.user_id))
    .bind(all(payments, |payment| phase::name(payment.standing.phase)))
    .bind(all(payments, |payment| payment.standing.claimed))
    .bind(all(payments, |payment| payment.standing.cancelled))
    .bind(all(payments, |payment| payment.amount_cents))
    .bind(all(payments, |payment| payment.currency.as_str()))
    .bind(all(payments, |payment| payment.token.as_str()))
    .bind(all(payments, |payment| payment.lines.as_str()))
    .bind(all(payments, |payment| payment.synthetic))
    .bind(all(payments, |payment| millis(payment.wait)))
    .execute(transaction)
    .await?;
    Ok(inserted.rows_affected())
}

/// Writes what may change in a payment's life.
pub async fn update(transaction: &mut PgConnection, payments: &[&Payment]) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update payments set state = new.state, claimed = new.claimed, cancelled = new.cancelled, reason = new.reason, \
         refunded_cents = new.refunded_cents, attempts = new.attempts, changed_at = now(), \
         due_at = now() + new.wait_ms * interval '1 millisecond' \
         from unnest($1::uuid[], $2::text[], $3::boolean[], $4::boolean[], $5::text[], $6::bigint[], $7::integer[], \
         $8::bigint[]) as new (id, state, claimed, cancelled, reason, refunded_cents, attempts, wait_ms) \
         where payments.id = new.id",
    )
    .bind(all(payments, |payment| payment.id))
    .bind(all(payments, |payment| phase::name(payment.standing.phase)))
    .bind(all(payments, |payment| payment.standing.claimed))
    .bind(all(payments, |payment| payment.standing.cancelled))
    .bind(all(payments, |payment| payment.reason.as_deref()))
    .bind(all(payments, |payment| payment.refunded_cents))
    .bind(all(payments, |payment| payment.attempts))
    .bind(all(payments, |payment| millis(payment.wait)))
    .execute(transaction)
    .await?;
    Ok(())
}

/// Completes a row that was made by an event which overtook `order.placed`.
pub async fn fill(transaction: &mut PgConnection, payment: &Payment) -> Result<(), sqlx::Error> {
    sqlx::query("update payments set amount_cents = $2, currency = $3, token = $4, lines = $5 where id = $1")
        .bind(payment.id)
        .bind(payment.amount_cents)
        .bind(&payment.currency)
        .bind(&payment.token)
        .bind(&payment.lines)
        .execute(transaction)
        .await?;
    Ok(())
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
    let payments: Result<_, sqlx::Error> = rows.iter().map(read).collect();
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

fn all<'a, T>(payments: &[&'a Payment], part: impl Fn(&'a Payment) -> T) -> Vec<T> {
    payments.iter().copied().map(part).collect()
}

fn read(row: &PgRow) -> Result<Payment, sqlx::Error> {
    Ok(Payment {
        id: row.try_get("id")?,
        order_id: row.try_get("order_id")?,
        user_id: row.try_get("user_id")?,
        standing: Standing {
            phase: phase::phase(row.try_get("state")?)?,
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
