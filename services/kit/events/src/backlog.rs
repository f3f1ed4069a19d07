//! The relay's side of the outbox: which rows wait, which are taken, which are done with.

use crate::Tables;
use shop_kit_postgres::{Pool, StoreError};
use sqlx::{AssertSqlSafe, PgConnection, Row};
use uuid::Uuid;

/// Of a backlog, no more rows than this are counted, so that a long one costs no long statement.
const COUNTED: i64 = 100_000;
/// Rows removed by one statement.
const PURGED: u64 = 5_000;

/// A row the relay has claimed.
pub(crate) struct Claimed {
    pub id: Uuid,
    pub kind: String,
    pub payload: String,
}

/// What is not published yet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Backlog {
    pub rows: i64,
    pub oldest_seconds: f64,
}

/// Cheap enough to ask often: the partial index holds only what is not published.
pub(crate) async fn any_due(pool: &Pool, tables: &Tables) -> Result<bool, StoreError> {
    let statement = format!(
        "select exists (select from {} where published_at is null and retry_at <= now())",
        tables.outbox
    );
    sqlx::query_scalar(AssertSqlSafe(statement))
        .fetch_one(pool.executor())
        .await
        .map_err(|error| pool.error(&error))
}

/// Locks the oldest due rows; another relay skips them.
pub(crate) async fn claim(
    transaction: &mut PgConnection,
    tables: &Tables,
    limit: i64,
) -> Result<Vec<Claimed>, sqlx::Error> {
    let statement = format!(
        "select id, kind, payload from {} where published_at is null and retry_at <= now() \
         order by id limit $1 for update skip locked",
        tables.outbox
    );
    let rows = sqlx::query(AssertSqlSafe(statement))
        .bind(limit)
        .fetch_all(transaction)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Claimed {
                id: row.try_get("id")?,
                kind: row.try_get("kind")?,
                payload: row.try_get("payload")?,
            })
        })
        .collect()
}

pub(crate) async fn mark_published(
    transaction: &mut PgConnection,
    tables: &Tables,
    ids: &[Uuid],
) -> Result<(), sqlx::Error> {
    let change = "published_at = now(), attempts = attempts + 1";
    change_rows(transaction, tables, change, ids).await
}

/// Puts rows RabbitMQ did not take behind the others, up to a minute each time.
pub(crate) async fn put_off(transaction: &mut PgConnection, tables: &Tables, ids: &[Uuid]) -> Result<(), sqlx::Error> {
    let change = "attempts = attempts + 1, \
         retry_at = now() + least(60, power(2, least(attempts, 10))) * interval '1 second'";
    change_rows(transaction, tables, change, ids).await
}

async fn change_rows(
    transaction: &mut PgConnection,
    tables: &Tables,
    change: &str,
    ids: &[Uuid],
) -> Result<(), sqlx::Error> {
    if ids.is_empty() {
        return Ok(());
    }
    let statement = format!("update {} set {change} where id = any($1)", tables.outbox);
    sqlx::query(AssertSqlSafe(statement))
        .bind(ids)
        .execute(transaction)
        .await?;
    Ok(())
}

pub(crate) async fn backlog(pool: &Pool, tables: &Tables) -> Result<Backlog, StoreError> {
    let statement = format!(
        "select count(*) as rows, \
         coalesce(extract(epoch from now() - min(created_at)), 0)::double precision as oldest \
         from (select created_at from {} where published_at is null limit $1) as waiting",
        tables.outbox
    );
    let row = sqlx::query(AssertSqlSafe(statement))
        .bind(COUNTED)
        .fetch_one(pool.executor())
        .await
        .map_err(|error| pool.error(&error))?;
    let read = || {
        Ok(Backlog {
            rows: row.try_get("rows")?,
            oldest_seconds: row.try_get("oldest")?,
        })
    };
    read().map_err(|error: sqlx::Error| pool.error(&error))
}

/// Removes what was published more than an hour ago and inbox rows older than a week. The relay calls it every minute.
pub async fn purge(pool: &Pool, tables: &Tables) -> Result<(), StoreError> {
    let Tables { outbox, inbox } = tables;
    for (table, old) in [
        (outbox, "published_at < now() - interval '1 hour'"),
        (inbox, "handled_at < now() - interval '7 days'"),
    ] {
        let statement =
            format!("delete from {table} where ctid = any(array(select ctid from {table} where {old} limit {PURGED}))");
        // Small statements, as many as are needed: none holds locks for long.
        loop {
            let removed = sqlx::query(AssertSqlSafe(statement.clone()))
                .execute(pool.executor())
                .await
                .map_err(|error| pool.error(&error))?;
            if removed.rows_affected() < PURGED {
                break;
            }
        }
    }
    Ok(())
}
