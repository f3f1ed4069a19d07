//! Refunds: each a row under a key of its own, written before the provider is asked. The payment's row is locked by
//! whoever calls, except where said otherwise, so sums hold.

use crate::provider::Charge;
use crate::store::payment::millis;
use shop_kit_postgres::{Pool, StoreError};
use sqlx::{PgConnection, Row};
use std::time::Duration;
use uuid::Uuid;

/// A refund support asked for.
pub struct Requested<'a> {
    pub id: Uuid,
    pub payment_id: Uuid,
    pub amount_cents: i64,
    pub reason: Option<&'a str>,
    pub requested_by: Uuid,
}

/// A refund the provider has to be asked about.
pub struct Due {
    pub id: Uuid,
    pub charge: Charge,
}

/// Asked for and not answered yet.
pub async fn pending_cents(transaction: &mut PgConnection, payment: Uuid) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(
        "select coalesce(sum(amount_cents), 0)::bigint from payment_refunds where payment_id = $1 and state = 'pending'",
    )
    .bind(payment)
    .fetch_one(transaction)
    .await
}

/// Adds a refund and returns its time, RFC 3339.
pub async fn insert(transaction: &mut PgConnection, refund: &Requested<'_>) -> Result<String, sqlx::Error> {
    sqlx::query_scalar(
        "insert into payment_refunds (id, payment_id, amount_cents, reason, requested_by) values ($1, $2, $3, $4, $5) \
         returning to_char(created_at at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')",
    )
    .bind(refund.id)
    .bind(refund.payment_id)
    .bind(refund.amount_cents)
    .bind(refund.reason)
    .bind(refund.requested_by)
    .fetch_one(transaction)
    .await
}

/// Adds a refund of all that is neither given back nor being given back; the provider is asked after `wait`.
pub async fn owe(transaction: &mut PgConnection, payment: Uuid, wait: Duration) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into payment_refunds (id, payment_id, amount_cents, reason, due_at) \
         select $1, id, rest, 'the order was cancelled', now() + $3 * interval '1 millisecond' \
         from (select id, amount_cents - refunded_cents - (select coalesce(sum(amount_cents), 0) from payment_refunds \
         where payment_id = payments.id and state = 'pending') as rest from payments where id = $2) as owed \
         where rest > 0",
    )
    .bind(Uuid::now_v7())
    .bind(payment)
    .bind(millis(wait))
    .execute(transaction)
    .await?;
    Ok(())
}

/// Ends a pending refund and returns its amount; `None` when it had ended before.
pub async fn end(
    transaction: &mut PgConnection,
    refund: Uuid,
    declined: Option<&str>,
) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar(
        "update payment_refunds set state = case when $2::text is null then 'done' else 'declined' end, \
         reason = coalesce($2, reason) where id = $1 and state = 'pending' returning amount_cents",
    )
    .bind(refund)
    .bind(declined)
    .fetch_optional(transaction)
    .await
}

/// Notes a question without an answer; `pause` says how long to wait after so many.
pub async fn put_off(
    transaction: &mut PgConnection,
    refund: Uuid,
    pause: impl FnOnce(i32) -> Duration,
) -> Result<(), sqlx::Error> {
    let attempts: Option<i32> = sqlx::query_scalar(
        "update payment_refunds set attempts = attempts + 1 where id = $1 and state = 'pending' returning attempts",
    )
    .bind(refund)
    .fetch_optional(&mut *transaction)
    .await?;
    let Some(attempts) = attempts else { return Ok(()) };
    sqlx::query("update payment_refunds set due_at = now() + $2 * interval '1 millisecond' where id = $1")
        .bind(refund)
        .bind(millis(pause(attempts)))
        .execute(transaction)
        .await?;
    Ok(())
}

/// Refunds to ask the provider about; nobody else takes them for the time of `lease`. Locks no payment.
pub async fn take_due(pool: &Pool, lease: Duration, limit: i64) -> Result<Vec<Due>, StoreError> {
    let rows = sqlx::query(
        "update payment_refunds as refund set due_at = now() + $1 * interval '1 millisecond' from payments as payment \
         where payment.id = refund.payment_id and refund.id = any(array(select id from payment_refunds \
         where state = 'pending' and due_at <= now() order by due_at limit $2 for update skip locked)) \
         returning refund.id, refund.payment_id, refund.amount_cents, payment.order_id, payment.token, \
         payment.currency, payment.synthetic",
    )
    .bind(millis(lease))
    .bind(limit)
    .fetch_all(pool.executor())
    .await
    .map_err(|error| pool.error(&error))?;
    let due = rows.iter().map(|row| {
        let charge = Charge {
            payment_id: row.try_get("payment_id")?,
            order_id: row.try_get("order_id")?,
            token: row.try_get("token")?,
            amount_cents: row.try_get("amount_cents")?,
            currency: row.try_get("currency")?,
            synthetic: row.try_get("synthetic")?,
        };
        let id = row.try_get("id")?;
        Ok(Due { id, charge })
    });
    let due: Result<_, sqlx::Error> = due.collect();
    due.map_err(|error| pool.error(&error))
}
