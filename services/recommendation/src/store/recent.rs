//! What each customer bought last: for every customer the newest [`KEPT`] products, whatever order they came in, because
//! the newest of all are the newest of the newest.

use crate::lessons::Lessons;
use shop_kit_postgres::{Pool, StoreError};
use sqlx::PgConnection;
use uuid::Uuid;

const KEPT: i64 = 50;

pub async fn add(transaction: &mut PgConnection, lessons: &Lessons) -> Result<(), sqlx::Error> {
    let mut users: Vec<Uuid> = lessons.recent.keys().map(|(user, _)| *user).collect();
    let products: Vec<Uuid> = lessons.recent.keys().map(|(_, product)| *product).collect();
    let times: Vec<String> = lessons.recent.values().map(ToString::to_string).collect();
    sqlx::query(
        "insert into recommendation_recent as known (user_id, product_id, bought_at) \
         select user_id, product_id, bought_at::timestamptz from unnest($1::uuid[], $2::uuid[], $3::text[]) \
         as bought (user_id, product_id, bought_at) on conflict (user_id, product_id) \
         do update set bought_at = greatest(known.bought_at, excluded.bought_at)",
    )
    .bind(&users)
    .bind(products)
    .bind(times)
    .execute(&mut *transaction)
    .await?;
    users.dedup();
    sqlx::query(
        "delete from recommendation_recent as old using (select user_id, product_id, \
             row_number() over (partition by user_id order by bought_at desc, product_id) as place \
             from recommendation_recent where user_id = any($1)) as ranked \
         where old.user_id = ranked.user_id and old.product_id = ranked.product_id and ranked.place > $2",
    )
    .bind(users)
    .bind(KEPT)
    .execute(transaction)
    .await?;
    Ok(())
}

/// Newest first.
pub async fn of(pool: &Pool, user: Uuid) -> Result<Vec<Uuid>, StoreError> {
    sqlx::query_scalar(
        "select product_id from recommendation_recent where user_id = $1 order by bought_at desc, product_id limit $2",
    )
    .bind(user)
    .bind(KEPT)
    .fetch_all(pool.executor())
    .await
    .map_err(|error| pool.error(&error))
}
