//! Products in the catalogue's database. Every change raises the version under the row's lock and notes its event in
//! the same transaction.

use crate::TABLES;
use shop_contract::api::product::{CatalogProduct, NewPrice, NewProduct, ProductChange};
use shop_contract::event::{PRODUCT_CHANGED, ProductChanged};
use shop_kit_postgres::{Pool, StoreError};
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{PgConnection, Row};
use std::collections::BTreeMap;
use uuid::Uuid;

pub(crate) const COLUMNS: &str =
    "id, name, description, category, brand, attributes, price_cents, currency, listed, version";

/// A product as it is now, or what is left of one that was removed.
#[derive(Clone, Debug, PartialEq)]
pub enum Known {
    Product(CatalogProduct),
    Removed { id: Uuid, version: i64 },
}

/// Listed or not: what can be ordered can be seen by id. In no order; unknown ids are missing.
pub async fn find(pool: &Pool, ids: &[Uuid]) -> Result<Vec<Known>, StoreError> {
    find_newer(pool, ids, &vec![0; ids.len()]).await
}

/// Only those with a version above the one given for their id; versions begin with 1.
pub async fn find_newer(pool: &Pool, ids: &[Uuid], versions: &[i64]) -> Result<Vec<Known>, StoreError> {
    let text = format!(
        "select {COLUMNS}, deleted_at is not null as removed \
         from products join unnest($1::uuid[], $2::bigint[]) as held (held_id, held_version) on id = held_id \
         where version > held_version"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(text))
        .bind(ids)
        .bind(versions)
        .fetch_all(pool.executor())
        .await
        .map_err(|error| pool.error(&error))?;
    let known = rows.iter().map(|row| {
        let product = read(row)?;
        Ok(match row.try_get("removed")? {
            true => Known::Removed {
                id: product.id,
                version: product.version,
            },
            false => Known::Product(product),
        })
    });
    known
        .collect::<Result<_, sqlx::Error>>()
        .map_err(|error| pool.error(&error))
}

pub async fn insert(transaction: &mut PgConnection, id: Uuid, new: &NewProduct) -> Result<CatalogProduct, sqlx::Error> {
    let text = format!(
        "insert into products (id, name, description, category, brand, attributes, price_cents, currency, listed) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9) returning {COLUMNS}"
    );
    let row = sqlx::query(sqlx::AssertSqlSafe(text))
        .bind(id)
        .bind(&new.name)
        .bind(&new.description)
        .bind(&new.category)
        .bind(&new.brand)
        .bind(Json(&new.attributes))
        .bind(new.price_cents)
        .bind(&new.currency)
        .bind(new.listed)
        .fetch_one(&mut *transaction)
        .await?;
    note(transaction, id).await?;
    read(&row)
}

/// None when there is no such product.
pub async fn change(
    transaction: &mut PgConnection,
    id: Uuid,
    change: &ProductChange,
) -> Result<Option<CatalogProduct>, sqlx::Error> {
    let text = format!(
        "update products set version = version + 1, name = coalesce($2, name), \
         description = coalesce($3, description), category = coalesce($4, category), brand = coalesce($5, brand), \
         attributes = coalesce($6, attributes), listed = coalesce($7, listed) \
         where id = $1 and deleted_at is null returning {COLUMNS}"
    );
    let row = sqlx::query(sqlx::AssertSqlSafe(text))
        .bind(id)
        .bind(&change.name)
        .bind(&change.description)
        .bind(&change.category)
        .bind(&change.brand)
        .bind(change.attributes.as_ref().map(Json))
        .bind(change.listed)
        .fetch_optional(&mut *transaction)
        .await?;
    changed(transaction, id, row).await
}

pub async fn set_price(
    transaction: &mut PgConnection,
    id: Uuid,
    price: &NewPrice,
) -> Result<Option<CatalogProduct>, sqlx::Error> {
    let text = format!(
        "update products set version = version + 1, price_cents = $2, currency = $3 \
         where id = $1 and deleted_at is null returning {COLUMNS}"
    );
    let row = sqlx::query(sqlx::AssertSqlSafe(text))
        .bind(id)
        .bind(price.price_cents)
        .bind(&price.currency)
        .fetch_optional(&mut *transaction)
        .await?;
    changed(transaction, id, row).await
}

/// What it was at last; its row stays.
pub async fn remove(transaction: &mut PgConnection, id: Uuid) -> Result<Option<CatalogProduct>, sqlx::Error> {
    let text = format!(
        "update products set version = version + 1, listed = false, deleted_at = now() \
         where id = $1 and deleted_at is null returning {COLUMNS}"
    );
    let row = sqlx::query(sqlx::AssertSqlSafe(text))
        .bind(id)
        .fetch_optional(&mut *transaction)
        .await?;
    changed(transaction, id, row).await
}

/// For the seed: adds products that are not there yet; returns how many were new. Tells no event: nobody can have
/// cached what was not there for longer than a negative entry lives. Those that are there are left out before their
/// words are looked at, which is most of the work.
pub async fn insert_many(pool: &Pool, products: &[(Uuid, NewProduct)]) -> Result<u64, StoreError> {
    let column = |of: fn(&NewProduct) -> &str| products.iter().map(|(_, new)| of(new)).collect::<Vec<_>>();
    let maybe = |of: fn(&NewProduct) -> Option<&str>| products.iter().map(|(_, new)| of(new)).collect::<Vec<_>>();
    let ids: Vec<Uuid> = products.iter().map(|(id, _)| *id).collect();
    let prices: Vec<i64> = products.iter().map(|(_, new)| new.price_cents).collect();
    let attributes: Vec<Json<&BTreeMap<String, String>>> =
        products.iter().map(|(_, new)| Json(&new.attributes)).collect();
    let inserted = sqlx::query(
        "insert into products (id, name, description, category, brand, attributes, price_cents, currency) \
         select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::jsonb[], $7::bigint[], \
         $8::text[]) as new (id) where not exists (select from products where products.id = new.id) \
         on conflict do nothing",
    )
    .bind(ids)
    .bind(column(|new| &new.name))
    .bind(column(|new| &new.description))
    .bind(maybe(|new| new.category.as_deref()))
    .bind(maybe(|new| new.brand.as_deref()))
    .bind(attributes)
    .bind(prices)
    .bind(column(|new| &new.currency))
    .execute(pool.executor())
    .await
    .map_err(|error| pool.error(&error))?;
    Ok(inserted.rows_affected())
}

pub(crate) fn read(row: &PgRow) -> Result<CatalogProduct, sqlx::Error> {
    let Json(attributes) = row.try_get("attributes")?;
    Ok(CatalogProduct {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        description: row.try_get("description")?,
        category: row.try_get("category")?,
        brand: row.try_get("brand")?,
        attributes,
        price_cents: row.try_get("price_cents")?,
        currency: row.try_get("currency")?,
        listed: row.try_get("listed")?,
        version: row.try_get("version")?,
    })
}

async fn changed(
    transaction: &mut PgConnection,
    id: Uuid,
    row: Option<PgRow>,
) -> Result<Option<CatalogProduct>, sqlx::Error> {
    let Some(row) = row else { return Ok(None) };
    note(transaction, id).await?;
    read(&row).map(Some)
}

async fn note(transaction: &mut PgConnection, product_id: Uuid) -> Result<(), sqlx::Error> {
    let event = ProductChanged {
        event_id: Uuid::now_v7(),
        product_id,
    };
    shop_kit_events::append(transaction, &TABLES, event.event_id, PRODUCT_CHANGED, &event).await
}
