//! An account's own sessions: which there are, and ending them. An access token that was made before holds on until it
//! expires, 15 minutes at most.

use crate::router::AppState;
use crate::store::session;
use axum::extract::State;
use axum::http::StatusCode;
use shop_contract::api::user::KnownSession;
use shop_contract::api::{Page, SESSIONS};
use shop_kit_http::{ApiError, PageQuery, Path, Query, page};
use shop_kit_token::Caller;
use uuid::Uuid;

/// My sessions, newest first.
#[utoipa::path(
    get,
    path = SESSIONS,
    operation_id = "listSessions",
    tag = "sessions",
    security(("bearer" = [])),
    params(PageQuery),
    responses((status = 200, body = Page<KnownSession>))
)]
pub async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Query(query): Query<PageQuery>,
) -> Result<axum::Json<Page<KnownSession>>, ApiError> {
    let (limit, before) = (query.limit()?, query.position()?);
    let rows = session::list(&state.shards, caller.user, caller.session, before, limit + 1).await?;
    page(rows, limit, |last| last.id).map(axum::Json)
}

/// Log out everywhere.
#[utoipa::path(
    delete,
    path = SESSIONS,
    operation_id = "endSessions",
    tag = "sessions",
    security(("bearer" = [])),
    responses((status = 204, description = "All sessions are ended"))
)]
pub async fn end_all(State(state): State<AppState>, caller: Caller) -> Result<StatusCode, ApiError> {
    let pool = state.shards.of_user(caller.user)?.pool;
    let mut transaction = pool.begin().await?;
    session::end_others(&mut transaction, caller.user, None)
        .await
        .map_err(|error| pool.error(&error))?;
    pool.commit(transaction).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Log out.
#[utoipa::path(
    delete,
    context_path = SESSIONS,
    path = "/current",
    operation_id = "endCurrentSession",
    tag = "sessions",
    security(("bearer" = [])),
    responses((status = 204, description = "The session is ended, or was before"))
)]
pub async fn end_current(State(state): State<AppState>, caller: Caller) -> Result<StatusCode, ApiError> {
    if let Some(current) = caller.session {
        session::end(&state.shards, caller.user, current).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// End one of my sessions.
#[utoipa::path(
    delete,
    context_path = SESSIONS,
    path = "/{id}",
    operation_id = "endSession",
    tag = "sessions",
    security(("bearer" = [])),
    params(("id" = Uuid, Path)),
    responses((status = 204, description = "The session is ended"))
)]
pub async fn end(State(state): State<AppState>, caller: Caller, Path(id): Path<Uuid>) -> Result<StatusCode, ApiError> {
    if session::end(&state.shards, caller.user, id).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(ApiError::not_found(format!("you have no session {id}")))
}
