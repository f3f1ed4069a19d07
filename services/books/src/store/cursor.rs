//! How far a walk has come. Moved only after everything before it was judged, so a walk that breaks off looks twice
//! rather than not at all.

use crate::check::Sums;
use shop_contract::api::books::MoneyTotal;
use shop_kit_postgres::{Pool, StoreError};
use sqlx::Row;
use uuid::Uuid;

/// Over orders that have just settled.
pub const RECENT: &str = "recent";
/// Over all orders, again and again.
pub const FULL: &str = "full";
/// Over all products, again and again.
pub const STOCK: &str = "stock";

#[derive(Clone, Debug)]
pub struct Cursor {
    pub name: &'static str,
    pub position: Uuid,
    pub sums: Sums,
    /// Since the walk began.
    pub age_seconds: i64,
}

pub async fn read(pool: &Pool, name: &'static str) -> Result<Cursor, StoreError> {
    let row = sqlx::query(
        "select position, sums, extract(epoch from now() - started_at)::bigint as age from books_cursors where name = $1",
    )
    .bind(name)
    .fetch_optional(pool.executor())
    .await
    .map_err(|error| pool.error(&error))?;
    let Some(row) = row else {
        let (position, sums) = (Uuid::nil(), Sums::default());
        return Ok(Cursor {
            name,
            position,
            sums,
            age_seconds: 0,
        });
    };
    let read = || {
        let sums: Vec<MoneyTotal> = serde_json::from_str(row.try_get("sums")?).unwrap_or_default();
        Ok(Cursor {
            name,
            position: row.try_get("position")?,
            sums: sums.into_iter().collect(),
            age_seconds: row.try_get("age")?,
        })
    };
    read().map_err(|error: sqlx::Error| pool.error(&error))
}

/// A position of nil begins the walk anew.
pub async fn write(pool: &Pool, name: &str, position: Uuid, sums: &Sums) -> Result<(), StoreError> {
    let totals: Vec<&MoneyTotal> = sums.0.values().collect();
    sqlx::query(
        "insert into books_cursors as cursor (name, position, sums) values ($1, $2, $3) \
         on conflict (name) do update set position = excluded.position, sums = excluded.sums, \
         started_at = case when excluded.position = $4 then now() else cursor.started_at end",
    )
    .bind(name)
    .bind(position)
    .bind(serde_json::to_string(&totals).unwrap_or_else(|_| "[]".to_owned()))
    .bind(Uuid::nil())
    .execute(pool.executor())
    .await
    .map_err(|error| pool.error(&error))?;
    Ok(())
}
