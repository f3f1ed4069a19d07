//! Roles as they are written.

use shop_contract::api::Role;
use shop_kit_postgres::{ShardedPool, StoreError};
use uuid::Uuid;

pub(crate) fn word(role: Role) -> &'static str {
    match role {
        Role::Customer => "customer",
        Role::Merchant => "merchant",
        Role::Support => "support",
        Role::Admin => "admin",
    }
}

pub(crate) fn read(word: &str) -> Result<Role, sqlx::Error> {
    let found = Role::ALL.into_iter().find(|role| self::word(*role) == word);
    found.ok_or_else(|| sqlx::Error::Decode(format!("users.role is `{word}`: update this program").into()))
}

/// False when there is no such account.
pub async fn set(shards: &ShardedPool, user: Uuid, role: Role) -> Result<bool, StoreError> {
    let pool = shards.of_user(user)?.pool;
    let set = sqlx::query("update users set role = $2 where id = $1 and deleted_at is null")
        .bind(user)
        .bind(word(role))
        .execute(pool.executor())
        .await
        .map_err(|error| pool.error(&error))?;
    Ok(set.rows_affected() == 1)
}
