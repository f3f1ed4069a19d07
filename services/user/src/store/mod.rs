//! SQL of this service, one file per noun.

pub mod address;
pub mod directory;
pub mod mail;
pub mod notification;
pub mod removal;
pub mod role;
pub mod session;
pub mod sweep;
pub mod unsent;
pub mod user;
pub mod webhook;

use shop_kit_postgres::{Pool, StoreError};
use sqlx::AssertSqlSafe;

/// Rows one statement of a sweep removes.
const REMOVED: u64 = 5_000;

/// Removes all rows of this table that are `old`, in small statements: none holds locks for long.
async fn remove_old(pool: &Pool, table: &'static str, old: &'static str) -> Result<(), StoreError> {
    let statement =
        format!("delete from {table} where ctid = any(array(select ctid from {table} where {old} limit {REMOVED}))");
    loop {
        let removed = sqlx::query(AssertSqlSafe(statement.clone()))
            .execute(pool.executor())
            .await
            .map_err(|error| pool.error(&error))?;
        if removed.rows_affected() < REMOVED {
            return Ok(());
        }
    }
}

/// RFC 3339 in UTC, of a column; text, because this program never calculates with it.
macro_rules! rfc3339 {
    ($column:literal) => {
        concat!(
            "to_char(",
            $column,
            " at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
        )
    };
}
pub(crate) use rfc3339;
