//! The partitions of a shard: which months are there, making one, detaching one. The migrations hold how.

use crate::month::Month;
use shop_kit_postgres::{Pool, StoreError};

/// Detaching waits for every statement under way on orders, and everybody else waits behind it: no longer than this.
const LOCK_WAIT: &str = "set local lock_timeout = '500ms'";

pub async fn all(pool: &Pool) -> Result<Vec<Month>, StoreError> {
    let names: Result<Vec<String>, sqlx::Error> =
        sqlx::query_scalar("select inhrelid::regclass::text from pg_inherits where inhparent = 'orders'::regclass")
            .fetch_all(pool.executor())
            .await;
    let names = names.map_err(|error| pool.error(&error))?;
    Ok(names.iter().filter_map(|name| Month::of_partition(name)).collect())
}

pub async fn make(pool: &Pool, month: Month) -> Result<(), StoreError> {
    sqlx::query("select order_month_make($1::date)")
        .bind(month.to_string())
        .execute(pool.executor())
        .await
        .map(drop)
        .map_err(|error| pool.error(&error))
}

/// False when an order in it is not at its end.
pub async fn detach(pool: &Pool, month: Month) -> Result<bool, StoreError> {
    let fail = |error: sqlx::Error| pool.error(&error);
    let mut transaction = pool.begin().await?;
    sqlx::query(LOCK_WAIT).execute(&mut *transaction).await.map_err(fail)?;
    let detached = sqlx::query_scalar("select order_month_detach($1::date)")
        .bind(month.to_string())
        .fetch_one(&mut *transaction)
        .await
        .map_err(fail)?;
    pool.commit(transaction).await?;
    Ok(detached)
}
