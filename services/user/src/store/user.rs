//! Accounts, each in the shard of its id.

use crate::email::Email;
use crate::store::{rfc3339, role};
use shop_contract::api::user::Account;
use shop_kit_postgres::{ShardedPool, StoreError};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

/// An account as it is written; a new one is a customer's.
pub struct NewUser<'a> {
    pub id: Uuid,
    pub email: &'a Email,
    pub name: &'a str,
    pub password_hash: &'a str,
    pub synthetic: bool,
}

/// An account as it is read.
pub struct StoredUser {
    pub account: Account,
    pub password_hash: String,
    pub synthetic: bool,
}

/// The time it was made, or `None` when there is an account of that id already.
pub async fn insert(transaction: &mut PgConnection, user: &NewUser<'_>) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar(concat!(
        "insert into users (id, email, name, password_hash, synthetic) values ($1, $2, $3, $4, $5) ",
        "on conflict do nothing returning ",
        rfc3339!("created_at")
    ))
    .bind(user.id)
    .bind(user.email.as_str())
    .bind(user.name)
    .bind(user.password_hash)
    .bind(user.synthetic)
    .fetch_optional(transaction)
    .await
}

/// Whether the id was ever used, by a deleted account too.
pub async fn exists(shards: &ShardedPool, id: Uuid) -> Result<bool, StoreError> {
    let pool = shards.of_user(id)?.pool;
    sqlx::query_scalar("select exists (select from users where id = $1)")
        .bind(id)
        .fetch_one(pool.executor())
        .await
        .map_err(|error| pool.error(&error))
}

pub async fn find(shards: &ShardedPool, id: Uuid) -> Result<Option<StoredUser>, StoreError> {
    let pool = shards.of_user(id)?.pool;
    let row = sqlx::query(concat!(
        "select id, email, name, role, password_hash, synthetic, ",
        rfc3339!("created_at"),
        " as created_at from users where id = $1 and deleted_at is null"
    ))
    .bind(id)
    .fetch_optional(pool.executor())
    .await
    .map_err(|error| pool.error(&error))?;
    row.map(|row| stored(&row).map_err(|error| pool.error(&error)))
        .transpose()
}

pub async fn rename(shards: &ShardedPool, id: Uuid, name: &str) -> Result<Option<Account>, StoreError> {
    let pool = shards.of_user(id)?.pool;
    let row = sqlx::query(concat!(
        "update users set name = $2 where id = $1 and deleted_at is null returning id, email, name, role, ",
        rfc3339!("created_at"),
        " as created_at"
    ))
    .bind(id)
    .bind(name)
    .fetch_optional(pool.executor())
    .await
    .map_err(|error| pool.error(&error))?;
    row.map(|row| account(&row).map_err(|error| pool.error(&error)))
        .transpose()
}

/// Replaces the hash `old`; false when it is not the account's any more.
pub async fn change_password(
    transaction: &mut PgConnection,
    id: Uuid,
    old: &str,
    new: &str,
) -> Result<bool, sqlx::Error> {
    let changed =
        sqlx::query("update users set password_hash = $3 where id = $1 and password_hash = $2 and deleted_at is null")
            .bind(id)
            .bind(old)
            .bind(new)
            .execute(transaction)
            .await?;
    Ok(changed.rows_affected() == 1)
}

fn stored(row: &PgRow) -> Result<StoredUser, sqlx::Error> {
    Ok(StoredUser {
        account: account(row)?,
        password_hash: row.try_get("password_hash")?,
        synthetic: row.try_get("synthetic")?,
    })
}

fn account(row: &PgRow) -> Result<Account, sqlx::Error> {
    Ok(Account {
        id: row.try_get("id")?,
        email: row.try_get("email")?,
        name: row.try_get("name")?,
        role: role::read(row.try_get("role")?)?,
        created_at: row.try_get("created_at")?,
    })
}
