//! The directory: e-mail address → customer, in the shard of the address.

use crate::email::Email;
use shop_kit_postgres::{ShardedPool, StoreError};
use uuid::Uuid;

/// Claims an address for `user`. Returns who has it now: `user`, or the one who was first.
pub async fn claim(shards: &ShardedPool, email: &Email, user: Uuid) -> Result<Uuid, StoreError> {
    let pool = shards.of_key(email.as_str().as_bytes())?.pool;
    let claimed = sqlx::query("insert into user_emails (email, user_id) values ($1, $2) on conflict do nothing")
        .bind(email.as_str())
        .bind(user)
        .execute(pool.executor())
        .await
        .map_err(|error| pool.error(&error))?;
    if claimed.rows_affected() == 1 {
        return Ok(user);
    }
    // Rows are never removed, so the one that was in the way is there.
    Ok(find(shards, email).await?.unwrap_or(user))
}

pub async fn find(shards: &ShardedPool, email: &Email) -> Result<Option<Uuid>, StoreError> {
    let pool = shards.of_key(email.as_str().as_bytes())?.pool;
    sqlx::query_scalar("select user_id from user_emails where email = $1")
        .bind(email.as_str())
        .fetch_optional(pool.executor())
        .await
        .map_err(|error| pool.error(&error))
}
