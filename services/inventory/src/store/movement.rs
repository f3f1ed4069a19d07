//! The ledger: every change of what is on hand, never changed itself.

use crate::settle::Movement;
use shop_contract::api::inventory::{MovementKind, StockMovement};
use shop_kit_postgres::{Pool, StoreError};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

/// A movement with its number in the ledger.
pub struct Entry {
    pub id: i64,
    pub movement: StockMovement,
}

pub async fn append(transaction: &mut PgConnection, movements: &[Movement]) -> Result<(), sqlx::Error> {
    if movements.is_empty() {
        return Ok(());
    }
    let products: Vec<Uuid> = movements.iter().map(|movement| movement.product).collect();
    let orders: Vec<Uuid> = movements.iter().map(|movement| movement.order).collect();
    let kinds: Vec<&str> = movements.iter().map(|movement| movement.kind).collect();
    let quantities: Vec<i32> = movements.iter().map(|movement| movement.quantity).collect();
    sqlx::query(
        "insert into stock_movements (product_id, order_id, kind, quantity) \
         select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::integer[])",
    )
    .bind(products)
    .bind(orders)
    .bind(kinds)
    .bind(quantities)
    .execute(transaction)
    .await?;
    Ok(())
}

/// One that belongs to no order.
pub async fn append_other(
    transaction: &mut PgConnection,
    product: Uuid,
    kind: MovementKind,
    quantity: i32,
) -> Result<(), sqlx::Error> {
    sqlx::query("insert into stock_movements (product_id, kind, quantity) values ($1, $2, $3)")
        .bind(product)
        .bind(kind.text())
        .bind(quantity)
        .execute(transaction)
        .await?;
    Ok(())
}

/// A product's movements, newest first, older than `before`.
pub async fn list(pool: &Pool, product: Uuid, before: Option<i64>, limit: i64) -> Result<Vec<Entry>, StoreError> {
    let rows = sqlx::query(
        "select id, order_id, kind, quantity, inventory_time(created_at) as at from stock_movements \
         where product_id = $1 and id < $2 order by id desc limit $3",
    )
    .bind(product)
    .bind(before.unwrap_or(i64::MAX))
    .bind(limit)
    .fetch_all(pool.executor())
    .await
    .map_err(|error| pool.error(&error))?;
    let entries: Result<Vec<Entry>, sqlx::Error> = rows.iter().map(read).collect();
    entries.map_err(|error| pool.error(&error))
}

fn read(row: &PgRow) -> Result<Entry, sqlx::Error> {
    let kind: String = row.try_get("kind")?;
    let kind = MovementKind::read(&kind)
        .ok_or_else(|| sqlx::Error::Decode(format!("the movement `{kind}` is new: update this program").into()))?;
    Ok(Entry {
        id: row.try_get("id")?,
        movement: StockMovement {
            kind,
            quantity: row.try_get("quantity")?,
            order_id: row.try_get("order_id")?,
            at: row.try_get("at")?,
        },
    })
}
