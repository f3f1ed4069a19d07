//! Which products are bought together: counts that only grow, and the score made of them when they are read.

use crate::lessons::Lessons;
use shop_kit_postgres::{Pool, StoreError};
use sqlx::{PgConnection, Row};
use uuid::Uuid;

/// Neighbours of one product that are looked at, those seen most often with it.
const LOOKED_AT: i64 = 100;
/// A product with more neighbours than the second keeps the first, those seen most often with it. Between the two lies
/// the room in which a new neighbour can prove itself.
const KEPT: (i64, i64) = (200, 400);

/// Adds to the counts.
pub async fn add(transaction: &mut PgConnection, lessons: &Lessons) -> Result<(), sqlx::Error> {
    let (items, counts): (Vec<Uuid>, Vec<i64>) = lessons.items.iter().unzip();
    sqlx::query(
        "insert into recommendation_items as known (product_id, orders) select * from unnest($1::uuid[], $2::bigint[]) \
         on conflict (product_id) do update set orders = known.orders + excluded.orders",
    )
    .bind(items)
    .bind(counts)
    .execute(&mut *transaction)
    .await?;
    let ones: Vec<Uuid> = lessons.pairs.keys().map(|(one, _)| *one).collect();
    let others: Vec<Uuid> = lessons.pairs.keys().map(|(_, other)| *other).collect();
    let counts: Vec<i64> = lessons.pairs.values().copied().collect();
    sqlx::query(
        "insert into recommendation_pairs as known (product_id, other_id, orders) \
         select * from unnest($1::uuid[], $2::uuid[], $3::bigint[]) \
         on conflict (product_id, other_id) do update set orders = known.orders + excluded.orders",
    )
    .bind(ones)
    .bind(others)
    .bind(counts)
    .execute(transaction)
    .await?;
    Ok(())
}

/// What is bought with any of `products` and still on sale, but none of `but`: best first, scores of several products
/// added up.
pub async fn of(pool: &Pool, products: &[Uuid], but: &[Uuid], limit: i64) -> Result<Vec<(Uuid, f64)>, StoreError> {
    let rows = sqlx::query(
        "select near.other_id, sum(near.orders / sqrt(own.orders::double precision * other.orders) \
             * near.orders / (near.orders + 3.0::double precision)) as score \
         from unnest($1::uuid[]) as asked (product_id) \
         join recommendation_items as own using (product_id) \
         cross join lateral (select other_id, orders from recommendation_pairs \
             where product_id = asked.product_id order by orders desc, other_id limit $4) as near \
         join recommendation_items as other on other.product_id = near.other_id \
         where near.other_id <> all($2) \
             and exists (select from products where products.id = near.other_id and products.listed) \
         group by near.other_id order by score desc, near.other_id limit $3",
    )
    .bind(products)
    .bind(but)
    .bind(limit)
    .bind(LOOKED_AT)
    .fetch_all(pool.executor())
    .await
    .map_err(|error| pool.error(&error))?;
    rows.iter()
        .map(|row| Ok((row.try_get("other_id")?, row.try_get("score")?)))
        .collect::<Result<_, sqlx::Error>>()
        .map_err(|error| pool.error(&error))
}

/// Lets go of the weakest neighbours of these products; returns how many went.
pub async fn prune(pool: &Pool, products: &[Uuid]) -> Result<u64, StoreError> {
    let pruned = sqlx::query(
        "delete from recommendation_pairs as pair using (select product_id, other_id, \
             row_number() over (partition by product_id order by orders desc, other_id) as place, \
             count(*) over (partition by product_id) as neighbours \
             from recommendation_pairs where product_id = any($1)) as ranked \
         where pair.product_id = ranked.product_id and pair.other_id = ranked.other_id \
             and ranked.place > $2 and ranked.neighbours > $3",
    )
    .bind(products)
    .bind(KEPT.0)
    .bind(KEPT.1)
    .execute(pool.executor())
    .await
    .map_err(|error| pool.error(&error))?;
    Ok(pruned.rows_affected())
}
