//! Payments and the provider's own ledger.

use super::primary::Primary;
use crate::facts::{Ledger, PaymentRow, PaymentState};
use shop_kit_postgres::{Pool, StoreError};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use std::collections::HashMap;
use uuid::Uuid;

pub(super) struct Paid {
    /// The database's clock.
    pub now_seconds: i64,
    pub rows: HashMap<Uuid, PaymentRow>,
    pub ledgers: HashMap<Uuid, Ledger>,
}

pub(super) async fn read(pool: &Pool, ids: &[Uuid]) -> Result<Paid, StoreError> {
    let store = |error: sqlx::Error| pool.error(&error);
    let mut primary = Primary::begin(pool).await?;
    let now_seconds = sqlx::query_scalar("select extract(epoch from clock_timestamp())::bigint")
        .fetch_one(primary.connection())
        .await
        .map_err(store)?;
    let rows = rows(primary.connection(), ids).await.map_err(store)?;
    let ledgers = ledgers(primary.connection(), ids).await.map_err(store)?;
    primary.end().await?;
    Ok(Paid {
        now_seconds,
        rows,
        ledgers,
    })
}

pub(super) async fn between(pool: &Pool, after: Uuid, before: Uuid, limit: i64) -> Result<Vec<Uuid>, StoreError> {
    let mut primary = Primary::begin(pool).await?;
    let ids = sqlx::query_scalar(
        "select order_id from ( \
           (select order_id from payments where order_id > $1 and order_id < $2 order by order_id limit $3) union \
           (select distinct order_id from provider_ledger where order_id > $1 and order_id < $2 order by order_id limit $3) \
         ) ids order by order_id limit $3",
    )
    .bind(after)
    .bind(before)
    .bind(limit)
    .fetch_all(primary.connection())
    .await
    .map_err(|error| pool.error(&error))?;
    primary.end().await?;
    Ok(ids)
}

async fn rows(connection: &mut PgConnection, ids: &[Uuid]) -> Result<HashMap<Uuid, PaymentRow>, sqlx::Error> {
    let rows = sqlx::query(
        "select id, order_id, user_id, state, amount_cents, currency, refunded_cents, reason, lines, synthetic, \
         state = 'refunding' or exists (select from payment_refunds as refund where refund.payment_id = payments.id \
         and refund.state = 'pending') as refunding from payments where order_id = any($1)",
    )
    .bind(ids)
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| Ok((row.try_get("order_id")?, payment(row)?)))
        .collect()
}

fn payment(row: &PgRow) -> Result<PaymentRow, sqlx::Error> {
    let lines: String = row.try_get("lines")?;
    Ok(PaymentRow {
        id: row.try_get("id")?,
        user: row.try_get("user_id")?,
        state: state(row.try_get("state")?)?,
        amount_cents: row.try_get("amount_cents")?,
        currency: row.try_get("currency")?,
        refunded_cents: row.try_get("refunded_cents")?,
        refunding: row.try_get("refunding")?,
        reason: row.try_get("reason")?,
        // A tombstone has none yet.
        lines: serde_json::from_str(&lines).unwrap_or_default(),
        synthetic: row.try_get("synthetic")?,
    })
}

fn state(text: &str) -> Result<PaymentState, sqlx::Error> {
    Ok(match text {
        "new" | "authorizing" | "capturing" | "voiding" => PaymentState::Pending,
        "authorized" => PaymentState::Authorized,
        "declined" => PaymentState::Declined,
        "captured" | "refunding" => PaymentState::Captured,
        "voided" => PaymentState::Voided,
        "refunded" => PaymentState::Refunded,
        "tombstone" => PaymentState::Cancelled,
        other => {
            return Err(sqlx::Error::Decode(
                format!("payments.state is `{other}`: update this program").into(),
            ));
        }
    })
}

/// What took effect at the provider, whether or not its answer arrived.
async fn ledgers(connection: &mut PgConnection, ids: &[Uuid]) -> Result<HashMap<Uuid, Ledger>, sqlx::Error> {
    let rows = sqlx::query(
        "select order_id, \
           count(*) filter (where operation = 'authorise') as authorisations, \
           count(*) filter (where operation = 'void') as voids, \
           count(*) filter (where operation = 'capture') as captures, \
           coalesce(sum(amount_cents) filter (where operation = 'capture'), 0)::bigint as captured, \
           coalesce(sum(amount_cents) filter (where operation = 'refund'), 0)::bigint as refunded \
         from provider_ledger where order_id = any($1) and outcome = 'done' and took_effect and not synthetic \
         group by order_id",
    )
    .bind(ids)
    .fetch_all(connection)
    .await?;
    let ledger = |row: &PgRow| {
        let ledger = Ledger {
            authorisations: row.try_get("authorisations")?,
            voids: row.try_get("voids")?,
            captures: row.try_get("captures")?,
            captured_cents: row.try_get("captured")?,
            refunded_cents: row.try_get("refunded")?,
        };
        Ok((row.try_get("order_id")?, ledger))
    };
    rows.iter().map(ledger).collect()
}
