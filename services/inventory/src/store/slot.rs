//! The slots of products. Whoever waits for slots locks them in the order of product and slot, and for reservations
//! before that: so nobody waits in a circle.

use crate::shelf::{Place, Shelf, Units, shares};
use shop_kit_postgres::{Pool, StoreError};
use sqlx::{PgConnection, Row};
use uuid::Uuid;

/// What is known of a product's stock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    pub on_hand: i64,
    pub reserved: i64,
}

/// Locks those of the places that exist; waits for whoever holds them.
pub async fn lock(
    transaction: &mut PgConnection,
    places: impl IntoIterator<Item = Place>,
) -> Result<Shelf, sqlx::Error> {
    let (products, slots): (Vec<Uuid>, Vec<i16>) = places.into_iter().unzip();
    if products.is_empty() {
        return Ok(Shelf::default());
    }
    let rows = sqlx::query(
        "select s.product_id, s.slot, s.on_hand, s.reserved \
         from unnest($1::uuid[], $2::smallint[]) as n (product_id, slot) join stock_slots s using (product_id, slot) \
         order by s.product_id, s.slot for update of s",
    )
    .bind(products)
    .bind(slots)
    .fetch_all(transaction)
    .await?;
    let read = |row: &sqlx::postgres::PgRow| {
        let place: Place = (row.try_get("product_id")?, row.try_get("slot")?);
        let (on_hand, reserved) = (row.try_get("on_hand")?, row.try_get("reserved")?);
        Ok((place, Units { on_hand, reserved }))
    };
    let locked: Result<Vec<(Place, Units)>, sqlx::Error> = rows.iter().map(read).collect();
    Ok(Shelf::new(locked?))
}

/// Writes what a shelf changed. Locks those slots first, in order: the shelf may not have locked any.
pub async fn write(transaction: &mut PgConnection, shelf: &Shelf) -> Result<(), sqlx::Error> {
    let (places, changes): (Vec<Place>, Vec<Units>) = shelf.changes().unzip();
    if places.is_empty() {
        return Ok(());
    }
    let wanted = places.len() as u64;
    let (products, slots): (Vec<Uuid>, Vec<i16>) = places.into_iter().unzip();
    let (on_hand, reserved): (Vec<i32>, Vec<i32>) = changes.iter().map(|units| (units.on_hand, units.reserved)).unzip();
    let written = sqlx::query(
        "with n as (select s.product_id, s.slot, d.on_hand, d.reserved \
             from unnest($1::uuid[], $2::smallint[], $3::integer[], $4::integer[]) \
                 as d (product_id, slot, on_hand, reserved) join stock_slots s using (product_id, slot) \
             order by s.product_id, s.slot for update of s) \
         update stock_slots s set on_hand = s.on_hand + n.on_hand, reserved = s.reserved + n.reserved \
         from n where s.product_id = n.product_id and s.slot = n.slot",
    )
    .bind(products)
    .bind(slots)
    .bind(on_hand)
    .bind(reserved)
    .execute(transaction)
    .await?;
    if written.rows_affected() == wanted {
        Ok(())
    } else {
        Err(sqlx::Error::RowNotFound)
    }
}

/// Adds the empty slots a product lacks. Slot 0 comes first, and its lock keeps others out meanwhile.
pub async fn grow(transaction: &mut PgConnection, product: Uuid, slots: i16) -> Result<(), sqlx::Error> {
    let add = "insert into stock_slots (product_id, slot, on_hand) \
               select $1, slot, 0 from generate_series(0, $2 - 1) as slot order by slot on conflict do nothing";
    sqlx::query(add)
        .bind(product)
        .bind(i32::from(slots))
        .execute(transaction)
        .await?;
    Ok(())
}

/// `None` when the product never had stock.
pub async fn level(pool: &Pool, product: Uuid) -> Result<Option<Level>, StoreError> {
    let row =
        sqlx::query("select sum(on_hand) as on_hand, sum(reserved) as reserved from stock_slots where product_id = $1")
            .bind(product)
            .fetch_one(pool.executor())
            .await;
    let read = |row: sqlx::postgres::PgRow| {
        let on_hand: Option<i64> = row.try_get("on_hand")?;
        let reserved: Option<i64> = row.try_get("reserved")?;
        Ok(on_hand
            .zip(reserved)
            .map(|(on_hand, reserved)| Level { on_hand, reserved }))
    };
    row.and_then(read).map_err(|error| pool.error(&error))
}

/// Gives products that have no stock `quantity` each, over `slots` slots, and notes it in the ledger. Returns how many
/// had none.
pub async fn seed(pool: &Pool, products: &[Uuid], quantity: i32, slots: i16) -> Result<u64, StoreError> {
    let parts: Vec<i32> = shares(quantity, i32::from(slots)).collect();
    let added = sqlx::query(
        "with fresh as ( \
             insert into stock_slots (product_id, slot, on_hand) select product, 0, ($2::integer[])[1] \
             from unnest($1::uuid[]) as product order by product on conflict do nothing returning product_id), \
         others as ( \
             insert into stock_slots (product_id, slot, on_hand) select product_id, part.slot - 1, part.units \
             from fresh cross join unnest($2::integer[]) with ordinality as part (units, slot) where part.slot > 1) \
         insert into stock_movements (product_id, kind, quantity) select product_id, 'seeded', $3 from fresh",
    )
    .bind(products)
    .bind(parts)
    .bind(quantity)
    .execute(pool.executor())
    .await;
    added
        .map(|added| added.rows_affected())
        .map_err(|error| pool.error(&error))
}

/// Listed products of the catalogue after `after` that have no stock yet. Reads a table of `product`, which lies in the
/// same database, and only for the seed command.
pub async fn catalogue(pool: &Pool, after: Uuid, limit: i64) -> Result<Vec<Uuid>, StoreError> {
    sqlx::query_scalar(
        "select p.id from products p where p.listed and p.id > $1 \
         and not exists (select from stock_slots s where s.product_id = p.id) order by p.id limit $2",
    )
    .bind(after)
    .bind(limit)
    .fetch_all(pool.executor())
    .await
    .map_err(|error| pool.error(&error))
}
