//! Deleting an account. Its row stays, because orders point to it, and loses whatever named a person; sessions,
//! addresses and kept answers go. The directory's row lies in another shard: what is to be removed there is noted in the
//! same transaction and done afterwards, at once by the request or later by the sweep.

use crate::KEPT_ANSWERS;
use crate::store::{directory, mail, notification};
use shop_kit_postgres::{Pool, ShardedPool, StoreError};
use sqlx::{AssertSqlSafe, PgConnection, Row};
use uuid::Uuid;

/// Nobody can receive mail there (RFC 2606).
const NOWHERE: &str = "deleted.invalid";
/// No password has this hash.
const NO_HASH: &str = "-";

/// False when there is no such account (any more).
pub async fn anonymise(shards: &ShardedPool, user: Uuid) -> Result<bool, StoreError> {
    let pool = shards.of_user(user)?.pool;
    let mut transaction = pool.begin().await?;
    let known = take(&mut transaction, user).await.map_err(|error| pool.error(&error))?;
    if !known {
        return Ok(false);
    }
    pool.commit(transaction).await?;
    if let Err(error) = release_removed(shards, &pool).await {
        tracing::info!("an address stays in the directory until the next sweep: {error}");
    }
    Ok(true)
}

async fn take(transaction: &mut PgConnection, user: Uuid) -> Result<bool, sqlx::Error> {
    let noted = sqlx::query(
        "insert into user_removed_emails (email, user_id) select email, id from users \
         where id = $1 and deleted_at is null for update \
         on conflict (email) do update set user_id = excluded.user_id",
    )
    .bind(user)
    .execute(&mut *transaction)
    .await?;
    if noted.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query(
        "update users set email = id::text || '@' || $2, name = 'deleted', password_hash = $3, role = 'customer', \
         deleted_at = now() where id = $1",
    )
    .bind(user)
    .bind(NOWHERE)
    .bind(NO_HASH)
    .execute(&mut *transaction)
    .await?;
    let answers = format!("delete from {KEPT_ANSWERS} where owner = $1");
    for statement in [
        "delete from user_sessions where user_id = $1",
        "delete from user_addresses where user_id = $1",
        answers.as_str(),
    ] {
        sqlx::query(AssertSqlSafe(statement.to_owned()))
            .bind(user)
            .execute(&mut *transaction)
            .await?;
    }
    mail::remove_all(transaction, user).await?;
    notification::remove_all(transaction, user).await?;
    Ok(true)
}

/// Removes from the directory what was noted in one shard.
pub async fn release_removed(shards: &ShardedPool, noted_in: &Pool) -> Result<(), StoreError> {
    let failed = |error| noted_in.error(&error);
    let rows = sqlx::query("select email, user_id from user_removed_emails order by created_at limit 100")
        .fetch_all(noted_in.executor())
        .await
        .map_err(failed)?;
    for row in rows {
        let email: String = row.try_get("email").map_err(failed)?;
        directory::release(shards, &email, row.try_get("user_id").map_err(failed)?).await?;
        sqlx::query("delete from user_removed_emails where email = $1")
            .bind(&email)
            .execute(noted_in.executor())
            .await
            .map_err(failed)?;
    }
    Ok(())
}
