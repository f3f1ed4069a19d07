//! Orders of one shard.

use super::primary::Primary;
use crate::facts::OrderRow;
use shop_contract::api::{CancelReason, OrderStatus, PricedLine};
use shop_kit_postgres::{Shard, StoreError};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use std::collections::HashMap;
use std::str::FromStr;
use uuid::Uuid;

/// Suspects looked for at a time.
const STUCK: i64 = 200;

pub(super) async fn read(shard: &Shard, ids: &[Uuid]) -> Result<HashMap<Uuid, OrderRow>, StoreError> {
    let store = |error: sqlx::Error| shard.pool.error(&error);
    let mut primary = Primary::begin(&shard.pool).await?;
    let rows = sqlx::query(
        "select id, user_id, status, total_cents, currency, cancel_reason, payment_token, \
         (synthetic or payment_token is null) as exempt, \
         to_char(created_at at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') as created_at, \
         extract(epoch from now() - coalesce((select max(at) from order_history where order_id = orders.id), created_at))\
         ::bigint as moved_seconds \
         from orders where id = any($1)",
    )
    .bind(ids)
    .fetch_all(primary.connection())
    .await
    .map_err(store)?;
    let mut lines = lines(primary.connection(), ids).await.map_err(store)?;
    primary.end().await?;
    let read = |row: &PgRow| {
        let id: Uuid = row.try_get("id")?;
        Ok((id, order(shard.index, row, lines.remove(&id).unwrap_or_default())?))
    };
    let orders: Result<HashMap<_, _>, sqlx::Error> = rows.iter().map(read).collect();
    orders.map_err(store)
}

pub(super) async fn between(shard: &Shard, after: Uuid, before: Uuid, limit: i64) -> Result<Vec<Uuid>, StoreError> {
    let mut primary = Primary::begin(&shard.pool).await?;
    let ids = sqlx::query_scalar("select id from orders where id > $1 and id < $2 order by id limit $3")
        .bind(after)
        .bind(before)
        .bind(limit)
        .fetch_all(primary.connection())
        .await
        .map_err(|error| shard.pool.error(&error))?;
    primary.end().await?;
    Ok(ids)
}

/// The smallest id an order of the attached months can have; nil where the oldest of them reaches back to the beginning.
pub(super) async fn floor(shard: &Shard) -> Result<Uuid, StoreError> {
    let mut primary = Primary::begin(&shard.pool).await?;
    let floor: Option<Option<Uuid>> = sqlx::query_scalar(
        "select (regexp_match(pg_get_expr(relpartbound, pg_class.oid), 'FROM \\(''([0-9a-f-]+)''\\)'))[1]::uuid as floor \
         from pg_class join pg_inherits on inhrelid = pg_class.oid where inhparent = 'orders'::regclass \
         order by floor nulls first limit 1",
    )
    .fetch_optional(primary.connection())
    .await
    .map_err(|error| shard.pool.error(&error))?;
    primary.end().await?;
    Ok(floor.flatten().unwrap_or_default())
}

pub(super) async fn stuck(shard: &Shard, seconds: i64) -> Result<Vec<Uuid>, StoreError> {
    let mut primary = Primary::begin(&shard.pool).await?;
    let ids = sqlx::query_scalar(
        "select id from orders where status = 'placed' and not synthetic \
         and payment_token is not null and created_at < now() - $1 * interval '1 second' order by id limit $2",
    )
    .bind(seconds as f64)
    .bind(STUCK)
    .fetch_all(primary.connection())
    .await
    .map_err(|error| shard.pool.error(&error))?;
    primary.end().await?;
    Ok(ids)
}

async fn lines(connection: &mut PgConnection, ids: &[Uuid]) -> Result<HashMap<Uuid, Vec<PricedLine>>, sqlx::Error> {
    let rows = sqlx::query(
        "select order_id, product_id, quantity, price_cents from order_lines where order_id = any($1) \
         order by order_id, position",
    )
    .bind(ids)
    .fetch_all(connection)
    .await?;
    let mut lines: HashMap<Uuid, Vec<PricedLine>> = HashMap::new();
    for row in rows {
        let quantity: i32 = row.try_get("quantity")?;
        let line = PricedLine {
            product_id: row.try_get("product_id")?,
            quantity: quantity.unsigned_abs(),
            price_cents: row.try_get("price_cents")?,
        };
        lines.entry(row.try_get("order_id")?).or_default().push(line);
    }
    Ok(lines)
}

fn order(shard: u16, row: &PgRow, lines: Vec<PricedLine>) -> Result<OrderRow, sqlx::Error> {
    let (reason, status): (Option<String>, String) = (row.try_get("cancel_reason")?, row.try_get("status")?);
    // The word of 0.1.0.
    let status = if status == "accepted" { "confirmed" } else { &status };
    Ok(OrderRow {
        shard,
        user: row.try_get("user_id")?,
        status: word::<OrderStatus>("orders.status", status)?,
        total_cents: row.try_get("total_cents")?,
        currency: row.try_get("currency")?,
        cancel_reason: reason
            .map(|reason| word::<CancelReason>("orders.cancel_reason", &reason))
            .transpose()?,
        exempt: row.try_get("exempt")?,
        payment_token: row.try_get("payment_token")?,
        created_at: row.try_get("created_at")?,
        moved_seconds: row.try_get("moved_seconds")?,
        lines,
    })
}

/// A word of the contract; the database writes them as JSON does.
fn word<T: serde::de::DeserializeOwned>(column: &str, text: &str) -> Result<T, sqlx::Error> {
    let value = serde_json::Value::from_str(&format!("\"{text}\""));
    value
        .and_then(serde_json::from_value)
        .map_err(|_| sqlx::Error::Decode(format!("{column} is `{text}`: update this program").into()))
}
