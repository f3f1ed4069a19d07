//! Webhooks and what has to be delivered to them, in the customer's shard. A delivery is kept with the note in the
//! inbox, so that it is known and tried again whatever happens to the worker.

use crate::store::rfc3339;
use shop_contract::api::notification::Webhook;
use shop_kit_postgres::{Pool, ShardedPool, StoreError};
use sqlx::{PgConnection, Row};
use uuid::Uuid;

/// An event that may have to be delivered.
#[derive(Clone, Debug)]
pub struct NewDelivery {
    pub event_id: Uuid,
    pub user_id: Uuid,
    pub kind: String,
    pub body: String,
}

/// One that waits, with where it goes now.
#[derive(Clone, Debug)]
pub struct Delivery {
    pub event_id: Uuid,
    pub kind: String,
    pub body: String,
    pub url: String,
    pub secret: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Delivered,
    GivenUp,
}

/// False when there is no such account (any more).
pub async fn set(shards: &ShardedPool, user: Uuid, url: &str, secret: &str) -> Result<bool, StoreError> {
    let pool = shards.of_user(user)?.pool;
    let set = sqlx::query(
        "insert into user_webhooks (user_id, url, secret) select id, $2, $3 from users \
         where id = $1 and deleted_at is null for update \
         on conflict (user_id) do update set url = $2, secret = $3, created_at = now()",
    )
    .bind(user)
    .bind(url)
    .bind(secret)
    .execute(pool.executor())
    .await
    .map_err(|error| pool.error(&error))?;
    Ok(set.rows_affected() == 1)
}

/// Without its secret, which is shown only when it is set.
pub async fn find(shards: &ShardedPool, user: Uuid) -> Result<Option<Webhook>, StoreError> {
    let pool = shards.of_user(user)?.pool;
    let row = sqlx::query(concat!(
        "select url, ",
        rfc3339!("created_at"),
        " as created_at from user_webhooks where user_id = $1"
    ))
    .bind(user)
    .fetch_optional(pool.executor())
    .await
    .map_err(|error| pool.error(&error))?;
    let read = row.map(|row| {
        Ok(Webhook {
            url: row.try_get("url")?,
            created_at: row.try_get("created_at")?,
        })
    });
    read.transpose().map_err(|error: sqlx::Error| pool.error(&error))
}

/// False when there was none.
pub async fn remove(shards: &ShardedPool, user: Uuid) -> Result<bool, StoreError> {
    let pool = shards.of_user(user)?.pool;
    let removed = sqlx::query("delete from user_webhooks where user_id = $1")
        .bind(user)
        .execute(pool.executor())
        .await
        .map_err(|error| pool.error(&error))?;
    Ok(removed.rows_affected() == 1)
}

/// Keeps deliveries for those who have a webhook.
pub async fn add(transaction: &mut PgConnection, new: &[NewDelivery]) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into user_webhook_deliveries (event_id, user_id, kind, body) \
         select new.event_id, new.user_id, new.kind, new.body \
         from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[]) as new (event_id, user_id, kind, body) \
         join user_webhooks using (user_id) order by new.event_id on conflict do nothing",
    )
    .bind(new.iter().map(|one| one.event_id).collect::<Vec<_>>())
    .bind(new.iter().map(|one| one.user_id).collect::<Vec<_>>())
    .bind(new.iter().map(|one| one.kind.as_str()).collect::<Vec<_>>())
    .bind(new.iter().map(|one| one.body.as_str()).collect::<Vec<_>>())
    .execute(transaction)
    .await?;
    Ok(())
}

/// Those of these events that wait. A webhook that was removed meanwhile has nothing waiting.
pub async fn waiting(transaction: &mut PgConnection, events: &[Uuid]) -> Result<Vec<Delivery>, sqlx::Error> {
    let rows = sqlx::query(
        "select event_id, kind, body, url, secret from user_webhook_deliveries join user_webhooks using (user_id) \
         where event_id = any($1) and state = 'waiting'",
    )
    .bind(events)
    .fetch_all(transaction)
    .await?;
    let read = rows.iter().map(|row| {
        Ok(Delivery {
            event_id: row.try_get("event_id")?,
            kind: row.try_get("kind")?,
            body: row.try_get("body")?,
            url: row.try_get("url")?,
            secret: row.try_get("secret")?,
        })
    });
    read.collect()
}

pub async fn settle(pool: &Pool, events: &[Uuid], outcome: Outcome) -> Result<(), StoreError> {
    let state = match outcome {
        Outcome::Delivered => "delivered",
        Outcome::GivenUp => "given_up",
    };
    sqlx::query("update user_webhook_deliveries set state = $2 where event_id = any($1)")
        .bind(events)
        .bind(state)
        .execute(pool.executor())
        .await
        .map_err(|error| pool.error(&error))?;
    Ok(())
}
