//! Outboxes: who has one, and how long its oldest event has been waiting.

use super::primary::Primary;
use crate::facts::OutboxFacts;
use shop_kit_postgres::{Pool, Shard, StoreError};
use sqlx::{AssertSqlSafe, Row};

/// Tables in every shard, in the catalogue and in the payments.
pub(crate) const IN_SHARDS: &[&str] = &["outbox", "user_outbox"];
pub(crate) const IN_CATALOG: &[&str] = &["inventory_outbox", "product_outbox"];
pub(crate) const IN_PAYMENTS: &[&str] = &["payment_outbox"];

/// Pool, object and table of every outbox.
pub(super) fn all<'a>(
    shards: &'a [Shard],
    catalog: &'a Pool,
    payments: &'a Pool,
) -> Vec<(&'a Pool, String, &'static str)> {
    let database = |pool: &Pool| pool.tier().trim_start_matches("postgres/").to_owned();
    let of = |pool: &'a Pool, tables: &'static [&'static str]| {
        let database = database(pool);
        tables
            .iter()
            .map(move |table| (pool, format!("outbox/{database}/{table}"), *table))
    };
    let in_shards = shards.iter().flat_map(|shard| of(&shard.pool, IN_SHARDS));
    in_shards
        .chain(of(catalog, IN_CATALOG))
        .chain(of(payments, IN_PAYMENTS))
        .collect()
}

pub(super) async fn read(pool: &Pool, object: String, table: &'static str) -> Result<OutboxFacts, StoreError> {
    let mut primary = Primary::begin(pool).await?;
    // The table is one of the names above. Bounded: an outbox that grows is not counted to its end.
    let text = format!(
        "select count(*) as waiting, coalesce(extract(epoch from clock_timestamp() - min(created_at)), 0)::bigint as oldest, \
         (array_agg(kind order by created_at))[1] as kind \
         from (select created_at, kind from {table} where published_at is null order by id limit 10000) waiting"
    );
    let row = sqlx::query(AssertSqlSafe(text))
        .fetch_one(primary.connection())
        .await
        .map_err(|error| pool.error(&error))?;
    primary.end().await?;
    let read = || {
        Ok(OutboxFacts {
            object,
            waiting: row.try_get("waiting")?,
            oldest_seconds: row.try_get("oldest")?,
            oldest_kind: row.try_get::<Option<String>, _>("kind")?.unwrap_or_default(),
        })
    };
    read().map_err(|error: sqlx::Error| pool.error(&error))
}
