//! The outbox: an event is a row in the transaction of the fact it tells, so neither exists without the other.

use serde::Serialize;
use shop_kit_postgres::{Pool, StoreError};
use sqlx::{PgConnection, Row};
use uuid::Uuid;

/// A row the relay has claimed.
pub(crate) struct Claimed {
    pub id: Uuid,
    pub kind: String,
    pub payload: String,
}

/// Adds an event to the transaction under way. `id` is what consumers recognise a second delivery by.
pub async fn append(
    transaction: &mut PgConnection,
    id: Uuid,
    kind: &str,
    event: &impl Serialize,
) -> Result<(), sqlx::Error> {
    let payload = serde_json::to_string(event).map_err(|error| sqlx::Error::Encode(error.into()))?;
    sqlx::query("insert into outbox (id, kind, payload) values ($1, $2, $3)")
        .bind(id)
        .bind(kind)
        .bind(payload)
        .execute(transaction)
        .await?;
    Ok(())
}

/// Cheap enough to ask often: the partial index holds only what is not published.
pub(crate) async fn any_due(pool: &Pool) -> Result<bool, StoreError> {
    sqlx::query_scalar("select exists (select from outbox where published_at is null and retry_at <= now())")
        .fetch_one(pool.executor())
        .await
        .map_err(|error| pool.error(&error))
}

/// Locks the oldest due rows; another relay skips them.
pub(crate) async fn claim(transaction: &mut PgConnection, limit: i64) -> Result<Vec<Claimed>, sqlx::Error> {
    let rows = sqlx::query(
        "select id, kind, payload from outbox where published_at is null and retry_at <= now() \
         order by id limit $1 for update skip locked",
    )
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

pub(crate) async fn mark_published(transaction: &mut PgConnection, ids: &[Uuid]) -> Result<(), sqlx::Error> {
    sqlx::query("update outbox set published_at = now(), attempts = attempts + 1 where id = any($1)")
        .bind(ids)
        .execute(transaction)
        .await?;
    Ok(())
}

/// Puts rows RabbitMQ did not take behind the others, up to a minute each time.
pub(crate) async fn put_off(transaction: &mut PgConnection, ids: &[Uuid]) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update outbox set attempts = attempts + 1, \
         retry_at = now() + least(60, power(2, least(attempts, 10))) * interval '1 second' where id = any($1)",
    )
    .bind(ids)
    .execute(transaction)
    .await?;
    Ok(())
}

/// Removes what was published more than an hour ago and inbox rows older than a week.
pub async fn purge(pool: &Pool) -> Result<(), StoreError> {
    for statement in [
        "delete from outbox where id in (select id from outbox where published_at < now() - interval '1 hour' limit 5000)",
        "delete from inbox where ctid in (select ctid from inbox where handled_at < now() - interval '7 days' limit 5000)",
    ] {
        sqlx::query(statement)
            .execute(pool.executor())
            .await
            .map_err(|error| pool.error(&error))?;
    }
    Ok(())
}
