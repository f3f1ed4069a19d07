//! Customers, each in the shard of its id.

use crate::email::Email;
use shop_contract::api::User;
use shop_kit_postgres::{ShardedPool, StoreError};
use sqlx::Row;
use uuid::Uuid;

/// A customer as it is written.
pub struct NewUser<'a> {
    pub id: Uuid,
    pub email: &'a Email,
    pub name: &'a str,
    pub password_hash: &'a str,
    pub synthetic: bool,
}

/// A customer as it is read.
pub struct StoredUser {
    pub user: User,
    pub password_hash: String,
    pub synthetic: bool,
}

/// False when there is a customer of that id already.
pub async fn insert(shards: &ShardedPool, user: &NewUser<'_>) -> Result<bool, StoreError> {
    let pool = shards.of_user(user.id)?.pool;
    let inserted = sqlx::query(
        "insert into users (id, email, name, password_hash, synthetic) values ($1, $2, $3, $4, $5) on conflict do nothing",
    )
    .bind(user.id)
    .bind(user.email.as_str())
    .bind(user.name)
    .bind(user.password_hash)
    .bind(user.synthetic)
    .execute(pool.executor())
    .await
    .map_err(|error| pool.error(&error))?;
    Ok(inserted.rows_affected() == 1)
}

pub async fn find(shards: &ShardedPool, id: Uuid) -> Result<Option<StoredUser>, StoreError> {
    let pool = shards.of_user(id)?.pool;
    let row = sqlx::query("select email, name, password_hash, synthetic from users where id = $1")
        .bind(id)
        .fetch_optional(pool.executor())
        .await
        .map_err(|error| pool.error(&error))?;
    let Some(row) = row else { return Ok(None) };
    let read = || {
        let user = User {
            id,
            email: row.try_get("email")?,
            name: row.try_get("name")?,
        };
        let password_hash = row.try_get("password_hash")?;
        Ok(StoredUser {
            user,
            password_hash,
            synthetic: row.try_get("synthetic")?,
        })
    };
    read().map(Some).map_err(|error: sqlx::Error| pool.error(&error))
}
