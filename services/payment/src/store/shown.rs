//! Payments as the API shows them. Rows that only wait for their order, or guard against it, are nobody's payment. The
//! words of states are those of the API and shown as they are stored: while pods are replaced both versions serve, and
//! the earlier one shows the states of the later one too.

use serde::Serialize;
use shop_kit_postgres::{Pool, StoreError};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Row};
use std::collections::HashMap;
use uuid::Uuid;

const COLUMNS: &str = "id, order_id, user_id, state, amount_cents, refunded_cents, currency, reason, \
     to_char(created_at at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') as created_at";

/// Which payments; what is `None` makes no difference.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    pub user: Option<Uuid>,
    pub order: Option<Uuid>,
    pub id: Option<Uuid>,
}

/// The contract's `Payment`.
#[derive(Clone, Debug, Serialize)]
pub struct Payment {
    pub id: Uuid,
    pub order_id: Uuid,
    pub user_id: Uuid,
    pub status: String,
    pub amount_cents: i64,
    pub refunded_cents: i64,
    pub currency: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    pub refunds: Vec<Refund>,
    pub created_at: String,
}

/// The contract's `Refund`.
#[derive(Clone, Debug, Serialize)]
pub struct Refund {
    pub id: Uuid,
    pub payment_id: Uuid,
    pub amount_cents: i64,
    pub status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    pub created_at: String,
}

/// Newest first, older than `before`.
pub async fn list(pool: &Pool, filter: Filter, before: Option<Uuid>, limit: i64) -> Result<Vec<Payment>, StoreError> {
    let Filter { user, order, id } = filter;
    // Planned anew for each set of parameters, so that the conditions left out cost nothing.
    let text = format!(
        "select {COLUMNS} from payments where ($1::uuid is null or user_id = $1) and ($2::uuid is null or order_id = $2) \
         and ($3::uuid is null or id = $3) and id < $4 and state not in ('new', 'tombstone') order by id desc limit $5"
    );
    let rows = sqlx::query(AssertSqlSafe(text))
        .bind(user)
        .bind(order)
        .bind(id)
        .bind(before.unwrap_or(Uuid::max()))
        .bind(limit)
        .fetch_all(pool.executor())
        .await
        .map_err(|error| pool.error(&error))?;
    let payments: Result<Vec<Payment>, sqlx::Error> = rows.iter().map(payment).collect();
    let mut payments = payments.map_err(|error| pool.error(&error))?;
    let ids: Vec<Uuid> = payments.iter().map(|payment| payment.id).collect();
    let mut refunds = refunds_of(pool, &ids).await.map_err(|error| pool.error(&error))?;
    for payment in &mut payments {
        payment.refunds = refunds.remove(&payment.id).unwrap_or_default();
    }
    Ok(payments)
}

async fn refunds_of(pool: &Pool, payments: &[Uuid]) -> Result<HashMap<Uuid, Vec<Refund>>, sqlx::Error> {
    let mut refunds: HashMap<Uuid, Vec<Refund>> = HashMap::new();
    if payments.is_empty() {
        return Ok(refunds);
    }
    let rows = sqlx::query(
        "select id, payment_id, amount_cents, state, reason, \
         to_char(created_at at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') as created_at \
         from payment_refunds where payment_id = any($1) order by payment_id, id",
    )
    .bind(payments)
    .fetch_all(pool.executor())
    .await?;
    for row in rows {
        let refund = Refund {
            id: row.try_get("id")?,
            payment_id: row.try_get("payment_id")?,
            amount_cents: row.try_get("amount_cents")?,
            status: row.try_get("state")?,
            reason: row.try_get("reason")?,
            created_at: row.try_get("created_at")?,
        };
        refunds.entry(refund.payment_id).or_default().push(refund);
    }
    Ok(refunds)
}

fn payment(row: &PgRow) -> Result<Payment, sqlx::Error> {
    Ok(Payment {
        id: row.try_get("id")?,
        order_id: row.try_get("order_id")?,
        user_id: row.try_get("user_id")?,
        status: row.try_get("state")?,
        amount_cents: row.try_get("amount_cents")?,
        refunded_cents: row.try_get("refunded_cents")?,
        currency: row.try_get("currency")?,
        reason: row.try_get("reason")?,
        refunds: Vec::new(),
        created_at: row.try_get("created_at")?,
    })
}
