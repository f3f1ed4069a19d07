//! The feed of a customer, in the customer's shard.

use crate::store::{remove_old, rfc3339};
use shop_contract::api::notification::Notification;
use shop_kit_postgres::{Pool, ShardedPool, StoreError};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

#[derive(Clone, Debug)]
pub struct NewNotification {
    pub user_id: Uuid,
    pub kind: String,
    pub order_id: Uuid,
}

/// One per order and kind, none for a customer who is unknown, deleted or a test.
pub async fn add(transaction: &mut PgConnection, new: &[NewNotification]) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into user_notifications (id, user_id, kind, order_id) \
         select new.id, new.user_id, new.kind, new.order_id \
         from unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[]) as new (id, user_id, kind, order_id) \
         join users on users.id = new.user_id where users.deleted_at is null and not users.synthetic \
         order by new.order_id, new.kind on conflict do nothing",
    )
    .bind(new.iter().map(|_| Uuid::now_v7()).collect::<Vec<_>>())
    .bind(new.iter().map(|one| one.user_id).collect::<Vec<_>>())
    .bind(new.iter().map(|one| one.kind.as_str()).collect::<Vec<_>>())
    .bind(new.iter().map(|one| one.order_id).collect::<Vec<_>>())
    .execute(transaction)
    .await?;
    Ok(())
}

/// Newest first, older than `before`.
pub async fn list(
    shards: &ShardedPool,
    user: Uuid,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Notification>, StoreError> {
    let pool = shards.of_user(user)?.pool;
    let rows = sqlx::query(concat!(
        "select id, kind, order_id, ",
        rfc3339!("created_at"),
        " as created_at, ",
        rfc3339!("read_at"),
        " as read_at from user_notifications where user_id = $1 and ($2::uuid is null or id < $2) \
         order by id desc limit $3"
    ))
    .bind(user)
    .bind(before)
    .bind(limit)
    .fetch_all(pool.executor())
    .await
    .map_err(|error| pool.error(&error))?;
    let read: Result<Vec<Notification>, sqlx::Error> = rows.iter().map(read).collect();
    read.map_err(|error| pool.error(&error))
}

fn read(row: &PgRow) -> Result<Notification, sqlx::Error> {
    Ok(Notification {
        id: row.try_get("id")?,
        kind: row.try_get("kind")?,
        order_id: row.try_get("order_id")?,
        created_at: row.try_get("created_at")?,
        read_at: row.try_get("read_at")?,
    })
}

/// False when the customer has no such notification. Reading twice keeps the first time.
pub async fn mark_read(shards: &ShardedPool, user: Uuid, id: Uuid) -> Result<bool, StoreError> {
    let pool = shards.of_user(user)?.pool;
    let marked =
        sqlx::query("update user_notifications set read_at = coalesce(read_at, now()) where id = $1 and user_id = $2")
            .bind(id)
            .bind(user)
            .execute(pool.executor())
            .await
            .map_err(|error| pool.error(&error))?;
    Ok(marked.rows_affected() == 1)
}

pub async fn mark_all_read(shards: &ShardedPool, user: Uuid) -> Result<(), StoreError> {
    let pool = shards.of_user(user)?.pool;
    sqlx::query("update user_notifications set read_at = now() where user_id = $1 and read_at is null")
        .bind(user)
        .execute(pool.executor())
        .await
        .map_err(|error| pool.error(&error))?;
    Ok(())
}

/// Of a customer who leaves: the feed, the webhook and what was to be delivered there.
pub async fn remove_all(transaction: &mut PgConnection, user: Uuid) -> Result<(), sqlx::Error> {
    for statement in [
        "delete from user_notifications where user_id = $1",
        "delete from user_webhooks where user_id = $1",
        "delete from user_webhook_deliveries where user_id = $1",
    ] {
        sqlx::query(statement).bind(user).execute(&mut *transaction).await?;
    }
    Ok(())
}

/// Removes what is older than a quarter of a year, and deliveries older than a month.
pub async fn sweep(pool: &Pool) -> Result<(), StoreError> {
    remove_old(pool, "user_notifications", "created_at < now() - interval '90 days'").await?;
    remove_old(
        pool,
        "user_webhook_deliveries",
        "created_at < now() - interval '30 days'",
    )
    .await
}
