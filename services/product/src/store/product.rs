//! Products in the catalogue's database.

use shop_contract::api::Product;
use shop_kit_postgres::{Pool, StoreError};
use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

/// Listed or not: what can be ordered can be seen by id.
pub async fn find(pool: &Pool, id: Uuid) -> Result<Option<Product>, StoreError> {
    let row = sqlx::query("select id, name, description, price_cents, currency from products where id = $1")
        .bind(id)
        .fetch_optional(pool.executor())
        .await
        .map_err(|error| pool.error(&error))?;
    row.map(|row| read(&row))
        .transpose()
        .map_err(|error| pool.error(&error))
}

/// Listed products after an id, in order of id.
pub async fn list(pool: &Pool, after: Option<Uuid>, limit: i64) -> Result<Vec<Product>, StoreError> {
    let rows = sqlx::query(
        "select id, name, description, price_cents, currency from products where listed and id > $1 order by id limit $2",
    )
    .bind(after.unwrap_or(Uuid::nil()))
    .bind(limit)
    .fetch_all(pool.executor())
    .await
    .map_err(|error| pool.error(&error))?;
    rows.iter()
        .map(read)
        .collect::<Result<_, _>>()
        .map_err(|error| pool.error(&error))
}

/// Adds products that are not there yet; returns how many were new.
pub async fn insert(pool: &Pool, products: &[Product]) -> Result<u64, StoreError> {
    let column = |of: fn(&Product) -> String| products.iter().map(of).collect::<Vec<_>>();
    let ids: Vec<Uuid> = products.iter().map(|product| product.id).collect();
    let prices: Vec<i64> = products.iter().map(|product| product.price_cents).collect();
    let inserted = sqlx::query(
        "insert into products (id, name, description, price_cents, currency) \
         select * from unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::text[]) on conflict do nothing",
    )
    .bind(ids)
    .bind(column(|product| product.name.clone()))
    .bind(column(|product| product.description.clone()))
    .bind(prices)
    .bind(column(|product| product.currency.clone()))
    .execute(pool.executor())
    .await
    .map_err(|error| pool.error(&error))?;
    Ok(inserted.rows_affected())
}

fn read(row: &PgRow) -> Result<Product, sqlx::Error> {
    Ok(Product {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        description: row.try_get("description")?,
        price_cents: row.try_get("price_cents")?,
        currency: row.try_get("currency")?,
    })
}
