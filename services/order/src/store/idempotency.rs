//! Answers kept for requests that come twice. The row is claimed in the transaction of the order: a second request
//! waits for the first to commit, then finds its answer.

use sqlx::{PgConnection, Row};
use uuid::Uuid;

/// What is known of a key.
#[derive(Debug, PartialEq, Eq)]
pub enum Earlier {
    /// Nothing: this request is the first, and the key is its own now.
    Nothing,
    SameRequest(String),
    OtherRequest,
}

/// One request under its key.
pub struct Request<'a> {
    pub user: Uuid,
    pub key: &'a str,
    pub hash: &'a [u8],
}

/// Keeps `answer` unless the key has been used.
pub async fn claim(
    transaction: &mut PgConnection,
    request: &Request<'_>,
    answer: &str,
) -> Result<Earlier, sqlx::Error> {
    let claimed = sqlx::query(
        "insert into idempotency (user_id, key, request_hash, answer) values ($1, $2, $3, $4) on conflict do nothing",
    )
    .bind(request.user)
    .bind(request.key)
    .bind(request.hash)
    .bind(answer)
    .execute(&mut *transaction)
    .await?;
    if claimed.rows_affected() == 1 {
        return Ok(Earlier::Nothing);
    }
    find(transaction, request).await
}

/// Looks without claiming, so that a repeated request needs no prices.
pub async fn find<'a>(executor: impl sqlx::PgExecutor<'a>, request: &Request<'_>) -> Result<Earlier, sqlx::Error> {
    let row = sqlx::query("select request_hash, answer from idempotency where user_id = $1 and key = $2")
        .bind(request.user)
        .bind(request.key)
        .fetch_optional(executor)
        .await?;
    let Some(row) = row else { return Ok(Earlier::Nothing) };
    let hash: Vec<u8> = row.try_get("request_hash")?;
    Ok(if hash == request.hash {
        Earlier::SameRequest(row.try_get("answer")?)
    } else {
        Earlier::OtherRequest
    })
}
