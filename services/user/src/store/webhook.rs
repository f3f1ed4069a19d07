//! Webhooks and what has to be delivered to them, in the customer's shard. A delivery is kept with the note in the
//! inbox, so that it is known whatever happens to the worker, and claimed with a lease before it is called; only the
//! holder of the claim may note what became of it.

use crate::store::rfc3339;
use shop_contract::api::notification::Webhook;
use shop_kit_postgres::{Pool, ShardedPool, StoreError};
use sqlx::{PgConnection, Row};
use std::time::Duration;
use uuid::Uuid;

/// An event that may have to be delivered.
#[derive(Clone, Debug)]
pub struct NewDelivery {
    pub event_id: Uuid,
    pub user_id: Uuid,
    pub kind: String,
    pub body: String,
}

/// A claimed one, with where it goes now.
#[derive(Clone, Debug)]
pub struct Delivery {
    pub event_id: Uuid,
    pub body: String,
    pub url: String,
    pub secret: String,
    /// This one included.
    pub attempts: i32,
    pub claim: Uuid,
}

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Delivered,
    /// Called again after a while.
    Later(Duration),
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

/// With what waits for it; false when there was none.
pub async fn remove(shards: &ShardedPool, user: Uuid) -> Result<bool, StoreError> {
    let pool = shards.of_user(user)?.pool;
    let removed = sqlx::query(
        "with waiting as (delete from user_webhook_deliveries where user_id = $1 and state = 'waiting') \
         delete from user_webhooks where user_id = $1",
    )
    .bind(user)
    .execute(pool.executor())
    .await
    .map_err(|error| pool.error(&error))?;
    Ok(removed.rows_affected() == 1)
}

/// Keeps deliveries for those who have a webhook, due at once. Returns how many are new.
pub async fn add(transaction: &mut PgConnection, new: &[NewDelivery]) -> Result<u64, sqlx::Error> {
    let added = sqlx::query(
        "insert into user_webhook_deliveries (event_id, user_id, kind, body, due_at) \
         select new.event_id, new.user_id, new.kind, new.body, now() \
         from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[]) as new (event_id, user_id, kind, body) \
         join user_webhooks using (user_id) order by new.event_id on conflict do nothing",
    )
    .bind(new.iter().map(|one| one.event_id).collect::<Vec<_>>())
    .bind(new.iter().map(|one| one.user_id).collect::<Vec<_>>())
    .bind(new.iter().map(|one| one.kind.as_str()).collect::<Vec<_>>())
    .bind(new.iter().map(|one| one.body.as_str()).collect::<Vec<_>>())
    .execute(transaction)
    .await?;
    Ok(added.rows_affected())
}

/// Claims the oldest due delivery of each of so many customers, but of none whose last one is under way or was put off.
/// The webhook's row is locked meanwhile, so that two who claim at the same moment do not take two of one customer.
pub async fn claim(pool: &Pool, customers: i64, lease: Duration) -> Result<Vec<Delivery>, StoreError> {
    let claim = Uuid::now_v7();
    let rows = sqlx::query(
        "with free as (select user_id, url, secret from user_webhooks as webhook \
         where user_id in (select user_id from user_webhook_deliveries where state = 'waiting' and due_at <= now()) \
         and not exists (select from user_webhook_deliveries as last where last.user_id = webhook.user_id \
         and last.state = 'waiting' and last.attempts > 0 and last.due_at > now()) \
         limit $3 for update of webhook skip locked), \
         oldest as (select distinct on (user_id) event_id, url, secret \
         from free join user_webhook_deliveries using (user_id) \
         where state = 'waiting' and due_at <= now() order by user_id, event_id) \
         update user_webhook_deliveries as delivery \
         set claim = $1, attempts = attempts + 1, due_at = now() + $2 * interval '1 second' \
         from oldest where delivery.event_id = oldest.event_id and state = 'waiting' and due_at <= now() \
         returning delivery.event_id, body, url, secret, attempts",
    )
    .bind(claim)
    .bind(lease.as_secs_f64())
    .bind(customers)
    .fetch_all(pool.executor())
    .await
    .map_err(|error| pool.error(&error))?;
    let read = rows.iter().map(|row| {
        Ok(Delivery {
            event_id: row.try_get("event_id")?,
            body: row.try_get("body")?,
            url: row.try_get("url")?,
            secret: row.try_get("secret")?,
            attempts: row.try_get("attempts")?,
            claim,
        })
    });
    let read: Result<Vec<Delivery>, sqlx::Error> = read.collect();
    read.map_err(|error| pool.error(&error))
}

/// Notes what became of it, unless somebody else has claimed it since.
pub async fn settle(pool: &Pool, delivery: &Delivery, outcome: &Outcome) -> Result<(), StoreError> {
    let (state, after) = match outcome {
        Outcome::Delivered => ("delivered", Duration::ZERO),
        Outcome::Later(after) => ("waiting", *after),
        Outcome::GivenUp => ("given_up", Duration::ZERO),
    };
    sqlx::query(
        "update user_webhook_deliveries set state = $3, claim = null, due_at = now() + $4 * interval '1 second' \
         where event_id = $1 and claim = $2",
    )
    .bind(delivery.event_id)
    .bind(delivery.claim)
    .bind(state)
    .bind(after.as_secs_f64())
    .execute(pool.executor())
    .await
    .map_err(|error| pool.error(&error))?;
    Ok(())
}
