//! Stock and reservations, in the catalogue's database.

use super::primary::Primary;
use crate::facts::{ReservationRow, ReservationState, StockFacts};
use shop_kit_postgres::{Pool, StoreError};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// Suspects looked for at a time.
const EXPIRED: i64 = 200;

pub(super) struct OfOrders {
    pub rows: HashMap<Uuid, ReservationRow>,
    pub claimed: HashMap<Uuid, BTreeMap<Uuid, i64>>,
}

pub(super) async fn of_orders(pool: &Pool, ids: &[Uuid]) -> Result<OfOrders, StoreError> {
    let store = |error: sqlx::Error| pool.error(&error);
    let mut primary = Primary::begin(pool).await?;
    let rows = rows(primary.connection(), ids).await.map_err(store)?;
    let claimed = claimed(primary.connection(), ids).await.map_err(store)?;
    primary.end().await?;
    Ok(OfOrders { rows, claimed })
}

pub(super) async fn between(pool: &Pool, after: Uuid, before: Uuid, limit: i64) -> Result<Vec<Uuid>, StoreError> {
    let mut primary = Primary::begin(pool).await?;
    let ids = sqlx::query_scalar(
        "select order_id from ( \
           (select order_id from inventory_reservations where order_id > $1 and order_id < $2 order by order_id limit $3) \
           union \
           (select distinct order_id from stock_movements where order_id > $1 and order_id < $2 order by order_id limit $3) \
         ) ids order by order_id limit $3",
    )
    .bind(after)
    .bind(before)
    .bind(limit)
    .fetch_all(primary.connection())
    .await
    .map_err(|error| pool.error(&error))?;
    primary.end().await?;
    Ok(ids)
}

pub(super) async fn expired(pool: &Pool, seconds: i64) -> Result<Vec<Uuid>, StoreError> {
    let mut primary = Primary::begin(pool).await?;
    let ids = sqlx::query_scalar(
        "select order_id from inventory_reservations where state = 'reserved' \
         and expires_at < now() - $1 * interval '1 second' order by expires_at limit $2",
    )
    .bind(seconds as f64)
    .bind(EXPIRED)
    .fetch_all(primary.connection())
    .await
    .map_err(|error| pool.error(&error))?;
    primary.end().await?;
    Ok(ids)
}

pub(super) async fn products_after(pool: &Pool, product: Uuid, limit: i64) -> Result<Vec<Uuid>, StoreError> {
    let mut primary = Primary::begin(pool).await?;
    let products = sqlx::query_scalar(
        "select distinct product_id from stock_slots where product_id > $1 order by product_id limit $2",
    )
    .bind(product)
    .bind(limit)
    .fetch_all(primary.connection())
    .await
    .map_err(|error| pool.error(&error))?;
    primary.end().await?;
    Ok(products)
}

pub(super) async fn levels(pool: &Pool, products: &[Uuid]) -> Result<Vec<StockFacts>, StoreError> {
    let mut primary = Primary::begin(pool).await?;
    let rows = sqlx::query(
        "with held as ( \
           select line.product_id, sum(line.quantity) as quantity from inventory_reservations r, \
             unnest(r.products, r.quantities) as line (product_id, quantity) \
           where r.state = 'reserved' and r.products && $1 group by line.product_id), \
         moved as ( \
           select product_id, sum(quantity) as quantity from stock_movements where product_id = any($1) group by product_id), \
         level as ( \
           select product_id, sum(on_hand) as on_hand, sum(reserved) as reserved \
           from stock_slots where product_id = any($1) group by product_id) \
         select level.product_id, level.on_hand::bigint, level.reserved::bigint, \
           coalesce(moved.quantity, 0)::bigint as movements, coalesce(held.quantity, 0)::bigint as reservations \
         from level left join moved using (product_id) left join held using (product_id)",
    )
    .bind(products)
    .fetch_all(primary.connection())
    .await
    .map_err(|error| pool.error(&error))?;
    primary.end().await?;
    let facts = |row: &PgRow| {
        Ok(StockFacts {
            product: row.try_get("product_id")?,
            on_hand: row.try_get("on_hand")?,
            reserved: row.try_get("reserved")?,
            movements: row.try_get("movements")?,
            reservations: row.try_get("reservations")?,
        })
    };
    let levels: Result<Vec<StockFacts>, sqlx::Error> = rows.iter().map(facts).collect();
    levels.map_err(|error| pool.error(&error))
}

async fn rows(connection: &mut PgConnection, ids: &[Uuid]) -> Result<HashMap<Uuid, ReservationRow>, sqlx::Error> {
    let rows = sqlx::query(
        "select order_id, state, products, quantities, extract(epoch from now() - expires_at)::bigint as expired \
         from inventory_reservations where order_id = any($1)",
    )
    .bind(ids)
    .fetch_all(connection)
    .await?;
    let read = |row: &PgRow| {
        let (products, quantities): (Vec<Uuid>, Vec<i32>) = (row.try_get("products")?, row.try_get("quantities")?);
        let mut sums = BTreeMap::new();
        for (product, quantity) in products.into_iter().zip(quantities) {
            *sums.entry(product).or_default() += i64::from(quantity);
        }
        let row_of = ReservationRow {
            state: state(row.try_get("state")?)?,
            quantities: sums,
            expired_seconds: row.try_get("expired")?,
        };
        Ok((row.try_get("order_id")?, row_of))
    };
    rows.iter().map(read).collect()
}

fn state(text: &str) -> Result<ReservationState, sqlx::Error> {
    Ok(match text {
        "reserved" => ReservationState::Held,
        "claimed" => ReservationState::Claimed,
        "released" | "expired" | "tombstone" => ReservationState::Released,
        "rejected" => ReservationState::Rejected,
        other => {
            let detail = format!("inventory_reservations.state is `{other}`: update this program");
            return Err(sqlx::Error::Decode(detail.into()));
        }
    })
}

/// A claim is a movement of −n, its return one of +n.
async fn claimed(
    connection: &mut PgConnection,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, BTreeMap<Uuid, i64>>, sqlx::Error> {
    let rows = sqlx::query(
        "select order_id, product_id, (-sum(quantity))::bigint as quantity from stock_movements \
         where order_id = any($1) group by order_id, product_id having sum(quantity) <> 0",
    )
    .bind(ids)
    .fetch_all(connection)
    .await?;
    let mut claimed: HashMap<Uuid, BTreeMap<Uuid, i64>> = HashMap::new();
    for row in rows {
        let of_order = claimed.entry(row.try_get("order_id")?).or_default();
        of_order.insert(row.try_get("product_id")?, row.try_get("quantity")?);
    }
    Ok(claimed)
}
