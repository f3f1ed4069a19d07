//! The directory: e-mail address → account, in the shard of the address. A log-in reads one row here and one in the
//! account's shard, however many shards there are.

use crate::email::Email;
use shop_kit_postgres::{ShardedPool, StoreError};
use uuid::Uuid;

/// Claims an address for `user`. Returns who has it now: `user`, or the one who was first.
pub async fn claim(shards: &ShardedPool, email: &Email, user: Uuid) -> Result<Uuid, StoreError> {
    let pool = shards.of_key(email.as_str().as_bytes())?.pool;
    // The update changes nothing; it makes the row that was in the way come back, in the same statement.
    sqlx::query_scalar(
        "insert into user_emails (email, user_id) values ($1, $2) \
         on conflict (email) do update set email = excluded.email returning user_id",
    )
    .bind(email.as_str())
    .bind(user)
    .fetch_one(pool.executor())
    .await
    .map_err(|error| pool.error(&error))
}

pub async fn find(shards: &ShardedPool, email: &Email) -> Result<Option<Uuid>, StoreError> {
    let pool = shards.of_key(email.as_str().as_bytes())?.pool;
    sqlx::query_scalar("select user_id from user_emails where email = $1")
        .bind(email.as_str())
        .fetch_optional(pool.executor())
        .await
        .map_err(|error| pool.error(&error))
}

/// Lets go of an address; nothing happens when somebody else has it meanwhile.
pub async fn release(shards: &ShardedPool, email: &str, user: Uuid) -> Result<(), StoreError> {
    let pool = shards.of_key(email.as_bytes())?.pool;
    sqlx::query("delete from user_emails where email = $1 and user_id = $2")
        .bind(email)
        .bind(user)
        .execute(pool.executor())
        .await
        .map_err(|error| pool.error(&error))?;
    Ok(())
}
