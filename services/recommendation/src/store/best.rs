//! What sold most in the last days.

use crate::lessons::Lessons;
use shop_kit_postgres::{Pool, StoreError};
use sqlx::{PgConnection, Row};
use uuid::Uuid;

/// The window, today included.
const DAYS: i32 = 7;

pub async fn add(transaction: &mut PgConnection, lessons: &Lessons) -> Result<(), sqlx::Error> {
    let days: Vec<&str> = lessons.sales.keys().map(|(day, _)| day.as_str()).collect();
    let products: Vec<Uuid> = lessons.sales.keys().map(|(_, product)| *product).collect();
    let quantities: Vec<i64> = lessons.sales.values().copied().collect();
    sqlx::query(
        "insert into recommendation_sales as known (day, product_id, quantity) \
         select day::date, product_id, quantity from unnest($1::text[], $2::uuid[], $3::bigint[]) \
         as sold (day, product_id, quantity) \
         on conflict (day, product_id) do update set quantity = known.quantity + excluded.quantity",
    )
    .bind(days)
    .bind(products)
    .bind(quantities)
    .execute(transaction)
    .await?;
    Ok(())
}

/// Of what is still on sale, most pieces first.
pub async fn sellers(pool: &Pool, limit: i64) -> Result<Vec<(Uuid, i64)>, StoreError> {
    let rows = sqlx::query(
        "select product_id, sum(quantity)::bigint as sold from recommendation_sales \
         where day > (now() at time zone 'utc')::date - $1 \
         and exists (select from products where products.id = recommendation_sales.product_id and products.listed) \
         group by product_id order by sold desc, product_id limit $2",
    )
    .bind(DAYS)
    .bind(limit)
    .fetch_all(pool.executor())
    .await
    .map_err(|error| pool.error(&error))?;
    rows.iter()
        .map(|row| Ok((row.try_get("product_id")?, row.try_get("sold")?)))
        .collect::<Result<_, sqlx::Error>>()
        .map_err(|error| pool.error(&error))
}

/// Days that left the window; a day is kept longer than it counts, for clocks that differ.
pub async fn forget(pool: &Pool) -> Result<(), StoreError> {
    sqlx::query("delete from recommendation_sales where day < (now() at time zone 'utc')::date - $1 - 1")
        .bind(DAYS)
        .execute(pool.executor())
        .await
        .map_err(|error| pool.error(&error))?;
    Ok(())
}
