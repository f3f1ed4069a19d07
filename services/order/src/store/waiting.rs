//! How many orders wait for their payment, by how long they have waited.

use shop_kit_postgres::{Pool, StoreError};
use sqlx::Row;

/// Names of the ages, youngest first: the values of the metric's label.
pub const AGES: [&str; 4] = ["under_1m", "under_5m", "under_15m", "over_15m"];

/// In the order of [`AGES`]. Test orders do not count.
pub async fn by_age(pool: &Pool) -> Result<[i64; 4], StoreError> {
    let row = sqlx::query(
        "select count(*) filter (where age < interval '1 minute'), \
         count(*) filter (where age >= interval '1 minute' and age < interval '5 minutes'), \
         count(*) filter (where age >= interval '5 minutes' and age < interval '15 minutes'), \
         count(*) filter (where age >= interval '15 minutes') \
         from (select now() - created_at as age from orders where status = 'placed' and not synthetic) as waiting",
    )
    .fetch_one(pool.executor())
    .await;
    let read = |row: sqlx::postgres::PgRow| Ok([row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?]);
    row.and_then(read).map_err(|error| pool.error(&error))
}
