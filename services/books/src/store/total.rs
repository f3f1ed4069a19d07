//! Sums of the last complete pass over all orders.

use crate::check::Sums;
use shop_contract::api::books::MoneyTotal;
use shop_kit_postgres::{Pool, StoreError};
use sqlx::Row;
use sqlx::postgres::PgRow;

pub async fn replace(pool: &Pool, sums: &Sums) -> Result<(), StoreError> {
    let store = |error: sqlx::Error| pool.error(&error);
    let mut transaction = pool.begin().await?;
    sqlx::query("delete from books_totals")
        .execute(&mut *transaction)
        .await
        .map_err(store)?;
    for total in sums.0.values() {
        sqlx::query(
            "insert into books_totals (currency, orders, confirmed_cents, captured_cents, refunded_cents) \
             values ($1, $2, $3, $4, $5)",
        )
        .bind(&total.currency)
        .bind(total.orders as i64)
        .bind(total.confirmed_cents)
        .bind(total.captured_cents)
        .bind(total.refunded_cents)
        .execute(&mut *transaction)
        .await
        .map_err(store)?;
    }
    pool.commit(transaction).await
}

pub async fn read(pool: &Pool) -> Result<Vec<MoneyTotal>, StoreError> {
    let rows = sqlx::query(
        "select currency, orders, confirmed_cents, captured_cents, refunded_cents from books_totals order by currency",
    )
    .fetch_all(pool.executor())
    .await
    .map_err(|error| pool.error(&error))?;
    let total = |row: &PgRow| {
        let orders: i64 = row.try_get("orders")?;
        Ok(MoneyTotal {
            currency: row.try_get("currency")?,
            orders: orders.unsigned_abs(),
            confirmed_cents: row.try_get("confirmed_cents")?,
            captured_cents: row.try_get("captured_cents")?,
            refunded_cents: row.try_get("refunded_cents")?,
        })
    };
    let totals: Result<Vec<MoneyTotal>, sqlx::Error> = rows.iter().map(total).collect();
    totals.map_err(|error| pool.error(&error))
}
