//! Writes the payments of a whole batch in one statement each for the new and the known.

use crate::store::payment::{Payment, millis};
use crate::store::phase;
use sqlx::PgConnection;

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

fn all<'a, T>(payments: &[&'a Payment], part: impl Fn(&'a Payment) -> T) -> Vec<T> {
    payments.iter().copied().map(part).collect()
}
