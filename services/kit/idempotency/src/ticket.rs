//! The first request under a key takes a ticket: a row without a status, seen by all others before any effect. It
//! finishes in the effect's own transaction or is abandoned; one that did neither for a minute lost its process, and the next request takes the row over by changing its token, after which the lost one can no longer
//! finish. Taking it waits for no disk: a ticket that a crash or a failover undid can no longer be finished either, so
//! its request fails without an effect.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use shop_kit_http::ApiError;
use shop_kit_postgres::{Pool, StoreError};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection, Row};
use uuid::Uuid;

const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// A row may vanish between the two statements of [`begin`]: its request was abandoned.
const ATTEMPTS: usize = 3;
/// Rows removed in one statement.
const PURGED: u64 = 5_000;

pub enum Begin {
    /// The first: do it, and finish with the ticket.
    Fresh(Ticket),
    /// It was done: this is the answer.
    Replay(Response),
}

/// The right to answer a key.
#[derive(Debug)]
pub struct Ticket {
    table: &'static str,
    pool: Pool,
    owner: Uuid,
    key: String,
    token: Uuid,
}

#[derive(Debug, thiserror::Error)]
pub enum FinishError {
    /// Another request runs under the key now: roll back.
    #[error("this request took too long: another one with its key has begun")]
    TakenOver,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<FinishError> for ApiError {
    fn from(error: FinishError) -> Self {
        match error {
            FinishError::TakenOver => in_use(),
            FinishError::Store(error) => error.into(),
        }
    }
}

/// Takes the key of `owner`, or says how the request that has it was answered: another body 422, still running 409.
pub async fn begin(
    pool: &Pool,
    table: &'static str,
    owner: Uuid,
    key: &str,
    fingerprint: &[u8],
) -> Result<Begin, ApiError> {
    let ticket = Ticket {
        table,
        pool: pool.clone(),
        owner,
        key: key.to_owned(),
        token: Uuid::now_v7(),
    };
    for _ in 0..ATTEMPTS {
        if ticket.take(fingerprint).await? {
            return Ok(Begin::Fresh(ticket));
        }
        if let Some(row) = ticket.find().await? {
            let answered = answer(&row, fingerprint).map_err(|error| pool.error(&error))?;
            return answered.map(Begin::Replay);
        }
    }
    Err(in_use())
}

impl Ticket {
    pub fn owner(&self) -> Uuid {
        self.owner
    }

    pub fn key(&self) -> &str {
        &self.key
    }

    /// Tells this request from one that took the row over. A service that finishes inside a statement of its own
    /// compares it there, with `status is null`.
    pub fn token(&self) -> Uuid {
        self.token
    }

    async fn take(&self, fingerprint: &[u8]) -> Result<bool, StoreError> {
        let table = self.table;
        let text = format!(
            "insert into {table} (owner, key, fingerprint, token) \
             select $1, $2, $3, $4 from set_config('synchronous_commit', 'off', true) on conflict (owner, key) \
             do update set token = excluded.token, created_at = now() where {table}.status is null \
             and {table}.fingerprint = excluded.fingerprint and {table}.created_at < now() - interval '60 seconds'"
        );
        let taken = sqlx::query(AssertSqlSafe(text))
            .bind(self.owner)
            .bind(&self.key)
            .bind(fingerprint)
            .bind(self.token)
            .execute(self.pool.executor())
            .await;
        let taken = taken.map_err(|error| self.pool.error(&error))?;
        Ok(taken.rows_affected() == 1)
    }

    async fn find(&self) -> Result<Option<PgRow>, StoreError> {
        let table = self.table;
        let text = format!("select fingerprint, status, location, body from {table} where owner = $1 and key = $2");
        sqlx::query(AssertSqlSafe(text))
            .bind(self.owner)
            .bind(&self.key)
            .fetch_optional(self.pool.executor())
            .await
            .map_err(|error| self.pool.error(&error))
    }

    /// Keeps the answer. `TakenOver` must roll the transaction back.
    pub async fn finish(
        &self,
        transaction: &mut PgConnection,
        status: StatusCode,
        location: Option<&str>,
        body: &str,
    ) -> Result<(), FinishError> {
        let table = self.table;
        let text = format!(
            "update {table} set status = $4, location = $5, body = $6 \
             where owner = $1 and key = $2 and token = $3 and status is null"
        );
        let finished = sqlx::query(AssertSqlSafe(text))
            .bind(self.owner)
            .bind(&self.key)
            .bind(self.token)
            .bind(i32::from(status.as_u16()))
            .bind(location)
            .bind(body)
            .execute(transaction)
            .await
            .map_err(|error| self.pool.error(&error))?;
        if finished.rows_affected() == 1 {
            Ok(())
        } else {
            Err(FinishError::TakenOver)
        }
    }

    /// The request failed: the key is free again. When that cannot be written, it is in a minute. Right also when nobody
    /// knows whether the request failed: this waits for a transaction that has finished the ticket, does nothing if that
    /// was committed, and whatever comes after it can no longer finish.
    pub async fn abandon(self, pool: &Pool) {
        self.give_back(pool).await;
    }

    pub(crate) async fn give_back(&self, pool: &Pool) {
        let table = self.table;
        let text = format!("delete from {table} where owner = $1 and key = $2 and token = $3 and status is null");
        let freed = sqlx::query(AssertSqlSafe(text))
            .bind(self.owner)
            .bind(&self.key)
            .bind(self.token)
            .execute(pool.executor())
            .await;
        if let Err(error) = freed {
            tracing::info!("idempotency key not freed: {}", pool.error(&error));
        }
    }
}

/// Removes answers older than two days; returns how many.
pub async fn purge(pool: &Pool, table: &'static str) -> Result<u64, StoreError> {
    let text = format!(
        "delete from {table} where ctid = any(array(\
         select ctid from {table} where created_at < now() - interval '48 hours' limit {PURGED}))"
    );
    let mut purged = 0;
    // Small statements, as many as are needed: none holds locks for long.
    loop {
        let removed = sqlx::query(AssertSqlSafe(text.clone())).execute(pool.executor()).await;
        let removed = removed.map_err(|error| pool.error(&error))?.rows_affected();
        purged += removed;
        if removed < PURGED {
            return Ok(purged);
        }
    }
}

fn answer(row: &PgRow, fingerprint: &[u8]) -> Result<Result<Response, ApiError>, sqlx::Error> {
    let known: Vec<u8> = row.try_get("fingerprint")?;
    if known != fingerprint {
        let detail = "this `idempotency-key` was used for another request: use a new one";
        return Ok(Err(ApiError::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "idempotency-key-reused",
            detail,
        )));
    }
    let status: Option<i32> = row.try_get("status")?;
    let Some(status) = status else { return Ok(Err(in_use())) };
    let status = u16::try_from(status)
        .ok()
        .and_then(|status| StatusCode::from_u16(status).ok());
    let status = status.ok_or_else(|| sqlx::Error::Decode("status is no HTTP status".into()))?;
    let (location, body): (Option<String>, Option<String>) = (row.try_get("location")?, row.try_get("body")?);
    Ok(Ok(replay(status, location.as_deref(), body.unwrap_or_default())))
}

fn replay(status: StatusCode, location: Option<&str>, body: String) -> Response {
    let json = HeaderValue::from_static("application/json");
    let mut response = (status, [(header::CONTENT_TYPE, json)], body).into_response();
    let headers = response.headers_mut();
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    if let Some(location) = location.and_then(|location| HeaderValue::from_str(location).ok()) {
        headers.insert(header::LOCATION, location);
    }
    response
}

fn in_use() -> ApiError {
    let detail = "a request with this `idempotency-key` is still under way: ask again in a moment";
    let mut error = ApiError::new(StatusCode::CONFLICT, "idempotency-key-in-use", detail);
    error.retry_after_seconds = Some(1);
    error
}
