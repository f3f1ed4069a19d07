//! `/api/v1/users/me/addresses`: the caller's own; somebody else's is as unknown as one that never was.

use super::{SERVICE, gone};
use crate::KEPT_ANSWERS;
use crate::router::AppState;
use crate::store::address::{self, MOST, Refused};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use shop_contract::api::address::{Address, PostalAddress};
use shop_contract::api::{Page, USERS};
use shop_kit_http::{ApiError, Json, PageQuery, Path, Query, page, to_the_end};
use shop_kit_idempotency::{IdempotencyKey, Ticket, fingerprint, once};
use shop_kit_token::Caller;
use std::sync::Arc;
use uuid::Uuid;

/// My addresses, oldest first.
#[utoipa::path(
    get,
    context_path = USERS,
    path = "/me/addresses",
    operation_id = "listAddresses",
    tag = "addresses",
    security(("bearer" = [])),
    params(PageQuery),
    responses((status = 200, body = Page<Address>))
)]
pub async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Query(query): Query<PageQuery>,
) -> Result<axum::Json<Page<Address>>, ApiError> {
    let (limit, after) = (query.limit()?, query.position()?);
    let rows = address::list(&state.shards, caller.user, after, limit + 1).await?;
    page(rows, limit, |last| last.id).map(axum::Json)
}

/// Add an address; 20 at most.
#[utoipa::path(
    post,
    context_path = USERS,
    path = "/me/addresses",
    operation_id = "addAddress",
    tag = "addresses",
    security(("bearer" = [])),
    request_body = PostalAddress,
    params(("idempotency-key" = Option<String>, Header, min_length = 1, max_length = 255)),
    responses(
        (status = 201, body = Address, headers(("location" = String))),
        (status = 404, description = "The account was deleted"),
        (status = 409, description = "There are 20 addresses, or the idempotency key is in use")
    )
)]
pub async fn add(
    State(state): State<AppState>,
    caller: Caller,
    IdempotencyKey(key): IdempotencyKey,
    Json(body): Json<PostalAddress>,
) -> Result<Response, ApiError> {
    let new = body.checked("").map_err(ApiError::invalid)?;
    let Some(key) = key else {
        return to_the_end(async move { write(&state, caller.user, &new, None).await }).await;
    };
    let pool = state.shards.of_user(caller.user)?.pool;
    let print = fingerprint("POST /api/v1/users/me/addresses", &body)?;
    let write = move |ticket: Arc<Ticket>| async move { write(&state, caller.user, &new, Some(&ticket)).await };
    once(&pool, KEPT_ANSWERS, caller.user, key, print, write).await
}

async fn write(
    state: &AppState,
    user: Uuid,
    new: &PostalAddress,
    ticket: Option<&Ticket>,
) -> Result<Response, ApiError> {
    let pool = state.shards.of_user(user)?.pool;
    let mut transaction = pool.begin().await?;
    let added = address::add(&mut transaction, user, Uuid::now_v7(), new).await;
    let added = match added.map_err(|error| pool.error(&error))? {
        Ok(added) => added,
        Err(Refused::NoAccount) => return Err(gone()),
        Err(Refused::TooMany) => {
            let detail = format!("there are {MOST} addresses already: remove one first");
            return Err(ApiError::new(StatusCode::CONFLICT, "too-many", detail));
        }
    };
    let location = format!("{USERS}/me/addresses/{}", added.id);
    if let Some(ticket) = ticket {
        let body = serde_json::to_string(&added).map_err(|error| ApiError::internal(SERVICE, error))?;
        ticket
            .finish(&mut transaction, StatusCode::CREATED, Some(&location), &body)
            .await?;
    }
    pool.commit(transaction).await?;
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], axum::Json(added)).into_response())
}

/// One of my addresses.
#[utoipa::path(
    get,
    context_path = USERS,
    path = "/me/addresses/{id}",
    operation_id = "showAddress",
    tag = "addresses",
    security(("bearer" = [])),
    params(("id" = Uuid, Path)),
    responses((status = 200, body = Address))
)]
pub async fn show(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<axum::Json<Address>, ApiError> {
    let found = address::find(&state.shards, caller.user, id).await?;
    found.map(axum::Json).ok_or_else(|| unknown(id))
}

/// Replace one of my addresses.
#[utoipa::path(
    put,
    context_path = USERS,
    path = "/me/addresses/{id}",
    operation_id = "replaceAddress",
    tag = "addresses",
    security(("bearer" = [])),
    request_body = PostalAddress,
    params(("id" = Uuid, Path)),
    responses((status = 200, body = Address))
)]
pub async fn replace(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Json(body): Json<PostalAddress>,
) -> Result<axum::Json<Address>, ApiError> {
    let new = body.checked("").map_err(ApiError::invalid)?;
    let replaced = address::replace(&state.shards, caller.user, id, &new).await?;
    replaced.map(axum::Json).ok_or_else(|| unknown(id))
}

/// Remove one of my addresses.
#[utoipa::path(
    delete,
    context_path = USERS,
    path = "/me/addresses/{id}",
    operation_id = "removeAddress",
    tag = "addresses",
    security(("bearer" = [])),
    params(("id" = Uuid, Path)),
    responses((status = 204, description = "Removed"))
)]
pub async fn remove(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, ApiError> {
    if address::remove(&state.shards, caller.user, id).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(unknown(id))
}

fn unknown(id: Uuid) -> ApiError {
    ApiError::not_found(format!("you have no address {id}"))
}
