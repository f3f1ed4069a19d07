//! Other people's accounts, for the shop's staff. Whoever is not allowed learns nothing, not even whether an id exists.

use crate::router::AppState;
use crate::store::{role, user};
use axum::extract::State;
use shop_contract::api::user::{Account, SetRole};
use shop_contract::api::{Role, USERS};
use shop_kit_http::{ApiError, Json, Path};
use shop_kit_token::Caller;
use uuid::Uuid;

/// An account, for support and admins.
#[utoipa::path(
    get,
    context_path = USERS,
    path = "/{id}",
    operation_id = "showAccount",
    tag = "staff",
    security(("bearer" = [])),
    params(("id" = Uuid, Path)),
    responses((status = 200, body = Account))
)]
pub async fn show(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<axum::Json<Account>, ApiError> {
    caller.require(&[Role::Support, Role::Admin])?;
    account(&state, id).await
}

/// Set an account's role, for admins. Nobody sets their own, so that one admin is always left.
#[utoipa::path(
    put,
    context_path = USERS,
    path = "/{id}/role",
    operation_id = "setRole",
    tag = "staff",
    security(("bearer" = [])),
    request_body = SetRole,
    params(("id" = Uuid, Path)),
    responses((status = 200, body = Account), (status = 409, description = "It is the caller's own account"))
)]
pub async fn set_role(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Json(body): Json<SetRole>,
) -> Result<axum::Json<Account>, ApiError> {
    caller.require(&[Role::Admin])?;
    if id == caller.user {
        return Err(ApiError::conflict("nobody sets their own role: ask another admin"));
    }
    if !role::set(&state.shards, id, body.role).await? {
        return Err(unknown(id));
    }
    tracing::info!(by = %caller.user, account = %id, role = ?body.role, "role set");
    account(&state, id).await
}

async fn account(state: &AppState, id: Uuid) -> Result<axum::Json<Account>, ApiError> {
    let found = user::find(&state.shards, id).await?;
    found.map(|found| axum::Json(found.account)).ok_or_else(|| unknown(id))
}

fn unknown(id: Uuid) -> ApiError {
    ApiError::not_found(format!("there is no account {id}"))
}
