//! One instance works at a time: whoever holds the row. The database's clock decides, so that nobody's own matters.

use shop_kit_postgres::{Pool, StoreError};
use uuid::Uuid;

/// True when `holder` may work for the next `seconds`.
pub async fn take(pool: &Pool, holder: Uuid, seconds: f64) -> Result<bool, StoreError> {
    let taken = sqlx::query(
        "insert into books_lease as lease (name, holder, until) \
         values ('check', $1, clock_timestamp() + $2 * interval '1 second') \
         on conflict (name) do update set holder = excluded.holder, until = excluded.until \
         where lease.holder = excluded.holder or lease.until < clock_timestamp()",
    )
    .bind(holder)
    .bind(seconds)
    .execute(pool.executor())
    .await
    .map_err(|error| pool.error(&error))?;
    Ok(taken.rows_affected() == 1)
}

/// Lets another instance work at once.
pub async fn give_back(pool: &Pool, holder: Uuid) -> Result<(), StoreError> {
    sqlx::query("delete from books_lease where holder = $1")
        .bind(holder)
        .execute(pool.executor())
        .await
        .map_err(|error| pool.error(&error))?;
    Ok(())
}
