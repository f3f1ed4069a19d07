//! The test provider's books: a row per key, told apart from every other by it. Each statement stands alone, in no
//! transaction, so that a caller that dies or rolls back takes nothing back here.

use shop_kit_postgres::{Pool, StoreError};
use sqlx::Row;
use std::collections::HashMap;
use uuid::Uuid;

/// One question, as it is noted.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub key: String,
    pub operation: &'static str,
    pub payment_id: Uuid,
    pub order_id: Uuid,
    pub amount_cents: i64,
    pub currency: String,
    pub declined: Option<&'static str>,
    pub needed_attempts: i32,
    pub synthetic: bool,
}

/// What the books say after it was noted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Noted {
    pub attempts: i32,
    pub took_effect: bool,
    pub declined: Option<String>,
}

/// What is still to be told by webhook.
pub(crate) struct Untold {
    pub event_id: Uuid,
    pub key: String,
    pub outcome: String,
    pub reason: Option<String>,
}

/// Notes questions with different keys in one statement. What was noted under a key first is what counts.
pub(crate) async fn note(pool: &Pool, entries: &[Entry]) -> Result<HashMap<String, Noted>, StoreError> {
    fn all<T>(entries: &[Entry], part: impl Fn(&Entry) -> T) -> Vec<T> {
        entries.iter().map(part).collect()
    }
    let outcome = |entry: &Entry| if entry.declined.is_some() { "declined" } else { "done" };
    let rows = sqlx::query(
        "insert into provider_ledger (key, operation, payment_id, order_id, amount_cents, currency, outcome, reason, \
         needed_attempts, synthetic) \
         select * from unnest($1::text[], $2::text[], $3::uuid[], $4::uuid[], $5::bigint[], $6::text[], $7::text[], \
         $8::text[], $9::integer[], $10::boolean[]) \
         on conflict (key) do update set attempts = provider_ledger.attempts + 1 \
         returning key, attempts, took_effect, case when outcome = 'declined' then coalesce(reason, '') end as declined",
    )
    .bind(all(entries, |entry| entry.key.clone()))
    .bind(all(entries, |entry| entry.operation))
    .bind(all(entries, |entry| entry.payment_id))
    .bind(all(entries, |entry| entry.order_id))
    .bind(all(entries, |entry| entry.amount_cents))
    .bind(all(entries, |entry| entry.currency.clone()))
    .bind(all(entries, outcome))
    .bind(all(entries, |entry| entry.declined))
    .bind(all(entries, |entry| entry.needed_attempts))
    .bind(all(entries, |entry| entry.synthetic))
    .fetch_all(pool.executor())
    .await
    .map_err(|error| pool.error(&error))?;
    let noted = rows.iter().map(|row| {
        let noted = Noted {
            attempts: row.try_get("attempts")?,
            took_effect: row.try_get("took_effect")?,
            declined: row.try_get("declined")?,
        };
        Ok((row.try_get("key")?, noted))
    });
    let noted: Result<_, sqlx::Error> = noted.collect();
    noted.map_err(|error| pool.error(&error))
}

/// Promises so many webhooks about a key.
pub(crate) async fn promise(pool: &Pool, key: &str, declined: Option<&str>, times: i32) -> Result<(), StoreError> {
    sqlx::query(
        "insert into provider_webhooks (event_id, key, outcome, reason, deliveries_left) values ($1, $2, $3, $4, $5)",
    )
    .bind(Uuid::now_v7())
    .bind(key)
    .bind(if declined.is_some() { "declined" } else { "done" })
    .bind(declined)
    .bind(times)
    .execute(pool.executor())
    .await
    .map_err(|error| pool.error(&error))?;
    Ok(())
}

pub(crate) async fn untold(pool: &Pool, limit: i64) -> Result<Vec<Untold>, StoreError> {
    let rows = sqlx::query(
        "select event_id, key, outcome, reason from provider_webhooks where deliveries_left > 0 \
         order by event_id limit $1",
    )
    .bind(limit)
    .fetch_all(pool.executor())
    .await
    .map_err(|error| pool.error(&error))?;
    let untold = rows.iter().map(|row| {
        Ok(Untold {
            event_id: row.try_get("event_id")?,
            key: row.try_get("key")?,
            outcome: row.try_get("outcome")?,
            reason: row.try_get("reason")?,
        })
    });
    let untold: Result<_, sqlx::Error> = untold.collect();
    untold.map_err(|error| pool.error(&error))
}

pub(crate) async fn told(pool: &Pool, event_id: Uuid) -> Result<(), StoreError> {
    sqlx::query("update provider_webhooks set deliveries_left = deliveries_left - 1 where event_id = $1")
        .bind(event_id)
        .execute(pool.executor())
        .await
        .map_err(|error| pool.error(&error))?;
    Ok(())
}

/// Forgets the operator's test orders after ten minutes and webhooks that were delivered.
pub async fn sweep(pool: &Pool) -> Result<(), StoreError> {
    for statement in [
        "delete from provider_ledger where key in (select key from provider_ledger \
         where synthetic and at < now() - interval '10 minutes' limit 1000)",
        "delete from provider_webhooks where event_id in (select event_id from provider_webhooks \
         where deliveries_left <= 0 limit 1000)",
    ] {
        sqlx::query(statement)
            .execute(pool.executor())
            .await
            .map_err(|error| pool.error(&error))?;
    }
    Ok(())
}
