//! Reading orders, and removing the operator's test orders.

use crate::store::row::{COLUMNS, Stored, read, text};
use serde::Serialize;
use shop_contract::api::OrderStatus;
use shop_kit_postgres::{Shard, ShardedPool, StoreError};
use sqlx::{AssertSqlSafe, Row};
use uuid::Uuid;

/// `user` is whose it has to be, when anybody's.
pub async fn find(shard: &Shard, user: Option<Uuid>, id: Uuid) -> Result<Option<Stored>, StoreError> {
    let statement = format!("select {COLUMNS} from orders where id = $1 and ($2::uuid is null or user_id = $2)");
    let row = sqlx::query(AssertSqlSafe(statement))
        .bind(id)
        .bind(user)
        .fetch_optional(shard.pool.executor())
        .await;
    let found = row.and_then(|row| row.map(|row| read(&row, shard.index)).transpose());
    found.map_err(|error| shard.pool.error(&error))
}

/// An order by its id alone, for those who serve all customers: every shard is asked, each by its key. A shard that does
/// not answer is an error only when no other has the order.
pub async fn find_anywhere(shards: &ShardedPool, id: Uuid) -> Result<Option<(Shard, Stored)>, StoreError> {
    let all = shards.all();
    let asked = all.iter().map(|shard| find(shard, None, id));
    let mut failure = None;
    for (shard, answer) in all.iter().zip(futures::future::join_all(asked).await) {
        match answer {
            Ok(Some(stored)) => return Ok(Some((shard.clone(), stored))),
            Ok(None) => {}
            Err(error) => failure = Some(error),
        }
    }
    failure.map_or(Ok(None), Err)
}

/// A customer's orders of a status or of all, newest first, older than `before`.
pub async fn list(
    shard: &Shard,
    user: Uuid,
    status: Option<OrderStatus>,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Stored>, StoreError> {
    let fail = |error: sqlx::Error| shard.pool.error(&error);
    let statuses = status.map(words).transpose().map_err(fail)?;
    let statement = format!(
        "select {COLUMNS} from orders where user_id = $1 and id < $2 and ($3::text[] is null or status = any($3)) \
         order by orders.id desc limit $4"
    );
    let rows = sqlx::query(AssertSqlSafe(statement))
        .bind(user)
        .bind(before.unwrap_or(Uuid::max()))
        .bind(statuses)
        .bind(limit)
        .fetch_all(shard.pool.executor())
        .await
        .map_err(fail)?;
    let read = rows.iter().map(|row| read(row, shard.index));
    read.collect::<Result<_, _>>().map_err(fail)
}

/// What is written for a status: the version before wrote `accepted` for what is `confirmed` now.
fn words(status: OrderStatus) -> Result<Vec<String>, sqlx::Error> {
    let mut words = vec![text(&status)?];
    if status == OrderStatus::Confirmed {
        words.push("accepted".to_owned());
    }
    Ok(words)
}

/// The contract's `HistoryEntry`, its words as they are stored: those of a later version too.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    pub status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancel_reason: Option<String>,
    pub by: String,
    pub at: String,
}

/// Every transition after `placed`, oldest first.
pub async fn history(shard: &Shard, id: Uuid) -> Result<Vec<Entry>, StoreError> {
    let rows = sqlx::query(
        "select status, cancel_reason, actor, \
         to_char(at at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') as at \
         from order_history where order_id = $1 \
         order by array_position(array['confirmed', 'shipped', 'delivered', 'cancelled'], status)",
    )
    .bind(id)
    .fetch_all(shard.pool.executor())
    .await;
    let read = |row: sqlx::postgres::PgRow| {
        Ok(Entry {
            status: row.try_get("status")?,
            cancel_reason: row.try_get("cancel_reason")?,
            by: row.try_get("actor")?,
            at: row.try_get("at")?,
        })
    };
    let entries = rows.and_then(|rows| rows.into_iter().map(read).collect());
    entries.map_err(|error| shard.pool.error(&error))
}

/// Removes the operator's test orders after ten minutes.
pub async fn sweep(shard: &Shard) -> Result<u64, StoreError> {
    let swept = sqlx::query(
        "delete from orders where id = any(array(select id from orders \
         where synthetic and created_at < now() - interval '10 minutes' limit 1000))",
    )
    .execute(shard.pool.executor())
    .await;
    swept
        .map(|swept| swept.rows_affected())
        .map_err(|error| shard.pool.error(&error))
}
