//! Sessions, in the account's shard. A session is one row, whatever the number of its refreshes; ending it removes the
//! row. Refreshing is one statement, so that of two at once only one succeeds.

use crate::refresh::RefreshToken;
use crate::store::user::StoredUser;
use crate::store::{rfc3339, role};
use shop_contract::api::Role;
use shop_contract::api::user::KnownSession;
use shop_kit_postgres::{ShardedPool, StoreError};
use sqlx::{PgConnection, Row};
use uuid::Uuid;

/// How long a session lasts without a refresh, in seconds; with refreshes it lasts three times as long at most.
pub const LIFETIME_SECONDS: i64 = 30 * 24 * 3600;
/// Of the operator's test customers, which never refresh.
const SYNTHETIC_SECONDS: i64 = 600;
/// Sessions of one account; a new one ends the least recently used.
const MOST: i64 = 50;

/// What a refreshed access token says.
pub struct Refreshed {
    pub role: Role,
    pub synthetic: bool,
}

/// Begins a session of an account whose password was looked at, and ends those beyond the limit. False when the password
/// was changed since, or the account deleted: the row's lock waits for a change under way, and lets none come between.
pub async fn begin(
    shards: &ShardedPool,
    token: &RefreshToken,
    user_agent: Option<&str>,
    known: &StoredUser,
) -> Result<bool, StoreError> {
    let pool = shards.of_user(token.user)?.pool;
    let lifetime = if known.synthetic {
        SYNTHETIC_SECONDS
    } else {
        LIFETIME_SECONDS
    };
    let begun = sqlx::query(
        "with account as (select id from users where id = $2 and password_hash = $9 and deleted_at is null for share), \
         surplus as (delete from user_sessions where id in (select user_sessions.id from user_sessions \
         join account on account.id = user_id order by refreshed_at desc, user_sessions.id desc offset $7)) \
         insert into user_sessions (id, user_id, family_hash, current_hash, user_agent, synthetic, expires_at) \
         select $1, id, $3, $4, $5, $6, now() + make_interval(secs => $8) from account",
    )
    .bind(token.session)
    .bind(token.user)
    .bind(token.family_hash())
    .bind(token.own_hash())
    .bind(user_agent)
    .bind(known.synthetic)
    .bind(MOST - 1)
    .bind(lifetime as f64)
    .bind(&known.password_hash)
    .execute(pool.executor())
    .await
    .map_err(|error| pool.error(&error))?;
    Ok(begun.rows_affected() == 1)
}

/// Replaces the token by `next`; `None` when it does not hold (any more).
pub async fn refresh(
    shards: &ShardedPool,
    token: &RefreshToken,
    next: &RefreshToken,
) -> Result<Option<Refreshed>, StoreError> {
    let pool = shards.of_user(token.user)?.pool;
    let row = sqlx::query(
        "update user_sessions set current_hash = $5, refreshed_at = now(), expires_at = \
         least(now() + make_interval(secs => $6), user_sessions.created_at + 3 * make_interval(secs => $6)) \
         from users where users.id = user_sessions.user_id and users.deleted_at is null \
         and user_sessions.id = $1 and user_sessions.user_id = $2 and family_hash = $3 and current_hash = $4 \
         and expires_at > now() returning users.role, users.synthetic",
    )
    .bind(token.session)
    .bind(token.user)
    .bind(token.family_hash())
    .bind(token.own_hash())
    .bind(next.own_hash())
    .bind(LIFETIME_SECONDS as f64)
    .fetch_optional(pool.executor())
    .await
    .map_err(|error| pool.error(&error))?;
    let Some(row) = row else { return Ok(None) };
    let read = || {
        Ok(Refreshed {
            role: role::read(row.try_get("role")?)?,
            synthetic: row.try_get("synthetic")?,
        })
    };
    read().map(Some).map_err(|error: sqlx::Error| pool.error(&error))
}

/// Ends the session of a token that was given out here and does not hold any more; false when it never was.
pub async fn end_reused(shards: &ShardedPool, token: &RefreshToken) -> Result<bool, StoreError> {
    let pool = shards.of_user(token.user)?.pool;
    let ended = sqlx::query("delete from user_sessions where id = $1 and user_id = $2 and family_hash = $3")
        .bind(token.session)
        .bind(token.user)
        .bind(token.family_hash())
        .execute(pool.executor())
        .await
        .map_err(|error| pool.error(&error))?;
    Ok(ended.rows_affected() == 1)
}

/// False when the account has no such session.
pub async fn end(shards: &ShardedPool, user: Uuid, session: Uuid) -> Result<bool, StoreError> {
    let pool = shards.of_user(user)?.pool;
    let ended = sqlx::query("delete from user_sessions where id = $1 and user_id = $2")
        .bind(session)
        .bind(user)
        .execute(pool.executor())
        .await
        .map_err(|error| pool.error(&error))?;
    Ok(ended.rows_affected() == 1)
}

/// Ends all sessions of an account but one.
pub async fn end_others(transaction: &mut PgConnection, user: Uuid, but: Option<Uuid>) -> Result<(), sqlx::Error> {
    sqlx::query("delete from user_sessions where user_id = $1 and id is distinct from $2")
        .bind(user)
        .bind(but)
        .execute(transaction)
        .await?;
    Ok(())
}

/// The sessions of an account that hold, newest first, older than `before`.
pub async fn list(
    shards: &ShardedPool,
    user: Uuid,
    current: Option<Uuid>,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<KnownSession>, StoreError> {
    let pool = shards.of_user(user)?.pool;
    let rows = sqlx::query(concat!(
        "select id, user_agent, ",
        rfc3339!("created_at"),
        " as created_at, ",
        rfc3339!("refreshed_at"),
        " as refreshed_at, ",
        rfc3339!("expires_at"),
        " as expires_at from user_sessions where user_id = $1 and id < $2 and user_sessions.expires_at > now() ",
        "order by id desc limit $3"
    ))
    .bind(user)
    .bind(before.unwrap_or(Uuid::max()))
    .bind(limit)
    .fetch_all(pool.executor())
    .await
    .map_err(|error| pool.error(&error))?;
    let read = |row: &sqlx::postgres::PgRow| {
        let id: Uuid = row.try_get("id")?;
        Ok(KnownSession {
            id,
            current: current == Some(id),
            user_agent: row.try_get("user_agent")?,
            created_at: row.try_get("created_at")?,
            refreshed_at: row.try_get("refreshed_at")?,
            expires_at: row.try_get("expires_at")?,
        })
    };
    let read: Result<Vec<KnownSession>, sqlx::Error> = rows.iter().map(read).collect();
    read.map_err(|error| pool.error(&error))
}
