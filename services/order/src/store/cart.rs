//! Carts: one row per customer, lines in the order they were put in.

use crate::lines::MOST_LINES;
use crate::store::placing::columns;
use shop_contract::api::OrderLine;
use shop_kit_postgres::{Shard, StoreError};
use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

/// Empty for a customer who has none.
pub async fn find(shard: &Shard, user: Uuid) -> Result<Vec<OrderLine>, StoreError> {
    let row = sqlx::query("select products, quantities from carts where user_id = $1")
        .bind(user)
        .fetch_optional(shard.pool.executor())
        .await;
    let lines = row.and_then(|row| row.as_ref().map_or(Ok(Vec::new()), read));
    lines.map_err(|error| shard.pool.error(&error))
}

/// Sets the quantity of a product. `None` when the cart is full.
pub async fn put(shard: &Shard, user: Uuid, line: &OrderLine) -> Result<Option<Vec<OrderLine>>, StoreError> {
    let (products, quantities) = columns(std::slice::from_ref(line));
    let row = sqlx::query(
        "insert into carts as cart (user_id, products, quantities) values ($1, $2, $3) \
         on conflict (user_id) do update set updated_at = now(), \
         products = case when cart.products @> $2 then cart.products else cart.products || $2 end, \
         quantities = case when cart.products @> $2 then \
             cart.quantities[:array_position(cart.products, $2[1]) - 1] || $3 || \
             cart.quantities[array_position(cart.products, $2[1]) + 1:] \
             else cart.quantities || $3 end \
         where cart.products @> $2 or cardinality(cart.products) < $4 returning products, quantities",
    )
    .bind(user)
    .bind(products)
    .bind(quantities)
    .bind(MOST_LINES as i32)
    .fetch_optional(shard.pool.executor())
    .await;
    let lines = row.and_then(|row| row.as_ref().map(read).transpose());
    lines.map_err(|error| shard.pool.error(&error))
}

pub async fn remove(shard: &Shard, user: Uuid, product: Uuid) -> Result<(), StoreError> {
    let removed = sqlx::query(
        "update carts set updated_at = now(), products = array_remove(products, $2), \
         quantities = quantities[:array_position(products, $2) - 1] || quantities[array_position(products, $2) + 1:] \
         where user_id = $1 and products @> array[$2]",
    )
    .bind(user)
    .bind(product)
    .execute(shard.pool.executor())
    .await;
    removed.map(drop).map_err(|error| shard.pool.error(&error))
}

pub async fn clear(shard: &Shard, user: Uuid) -> Result<(), StoreError> {
    let cleared = sqlx::query("delete from carts where user_id = $1")
        .bind(user)
        .execute(shard.pool.executor())
        .await;
    cleared.map(drop).map_err(|error| shard.pool.error(&error))
}

fn read(row: &PgRow) -> Result<Vec<OrderLine>, sqlx::Error> {
    let (products, quantities): (Vec<Uuid>, Vec<i32>) = (row.try_get("products")?, row.try_get("quantities")?);
    let line = |(product_id, quantity): (Uuid, i32)| OrderLine {
        product_id,
        quantity: quantity.unsigned_abs(),
    };
    Ok(products.into_iter().zip(quantities).map(line).collect())
}
