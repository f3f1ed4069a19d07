//! The audit: one row per repair, written before it, completed after it, never removed.

use crate::invariant::Invariant;
use serde_json::Value;
use shop_contract::api::books::AuditEntry;
use shop_kit_postgres::{Pool, StoreError};
use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

pub struct New {
    pub invariant: Invariant,
    pub object: String,
    pub action: String,
    pub why: String,
    pub before: Value,
}

pub async fn begin(pool: &Pool, entry: &New) -> Result<Uuid, StoreError> {
    let id = Uuid::now_v7();
    sqlx::query("insert into books_audit (id, invariant, object, action, why, before) values ($1, $2, $3, $4, $5, $6)")
        .bind(id)
        .bind(entry.invariant.name())
        .bind(&entry.object)
        .bind(&entry.action)
        .bind(&entry.why)
        .bind(entry.before.to_string())
        .execute(pool.executor())
        .await
        .map_err(|error| pool.error(&error))?;
    Ok(id)
}

pub async fn failed(pool: &Pool, id: Uuid, error: &str) -> Result<(), StoreError> {
    sqlx::query("update books_audit set error = $2 where id = $1")
        .bind(id)
        .bind(error)
        .execute(pool.executor())
        .await
        .map_err(|error| pool.error(&error))?;
    Ok(())
}

/// Completes the entries of an object whose finding is gone.
pub async fn complete(pool: &Pool, object: &str, after: &Value) -> Result<(), StoreError> {
    sqlx::query("update books_audit set after = $2 where object = $1 and after is null and error is null")
        .bind(object)
        .bind(after.to_string())
        .execute(pool.executor())
        .await
        .map_err(|error| pool.error(&error))?;
    Ok(())
}

/// Entries older than `before`, newest first.
pub async fn list(pool: &Pool, before: Option<Uuid>, limit: i64) -> Result<Vec<AuditEntry>, StoreError> {
    let rows = sqlx::query(
        "select id, to_char(at at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') as at, invariant, object, action, \
           why, before, after, error from books_audit where id < $1 order by id desc limit $2",
    )
    .bind(before.unwrap_or(Uuid::max()))
    .bind(limit)
    .fetch_all(pool.executor())
    .await
    .map_err(|error| pool.error(&error))?;
    let entries: Result<Vec<AuditEntry>, sqlx::Error> = rows.iter().map(entry).collect();
    entries.map_err(|error| pool.error(&error))
}

fn entry(row: &PgRow) -> Result<AuditEntry, sqlx::Error> {
    let json = |text: &str| serde_json::from_str(text).unwrap_or(Value::Null);
    let after: Option<String> = row.try_get("after")?;
    Ok(AuditEntry {
        id: row.try_get("id")?,
        at: row.try_get("at")?,
        invariant: row.try_get("invariant")?,
        object: row.try_get("object")?,
        action: row.try_get("action")?,
        why: row.try_get("why")?,
        before: json(row.try_get("before")?),
        after: after.as_deref().map(json),
        error: row.try_get("error")?,
    })
}
