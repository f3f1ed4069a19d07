//! `/api/v1/users/me`: what an account's owner does with it.

use super::gone;
use crate::account;
use crate::router::AppState;
use crate::store::{removal, session, user};
use axum::extract::State;
use axum::http::StatusCode;
use shop_contract::api::USERS;
use shop_contract::api::user::{Account, ChangePassword, EditAccount};
use shop_kit_http::{ApiError, Json};
use shop_kit_token::Caller;

/// My account.
#[utoipa::path(
    get,
    context_path = USERS,
    path = "/me",
    operation_id = "myAccount",
    tag = "accounts",
    security(("bearer" = [])),
    responses((status = 200, body = Account), (status = 404, description = "The account was deleted"))
)]
pub async fn show(State(state): State<AppState>, caller: Caller) -> Result<axum::Json<Account>, ApiError> {
    let found = user::find(&state.shards, caller.user).await?;
    found.map(|found| axum::Json(found.account)).ok_or_else(gone)
}

/// Change my name.
#[utoipa::path(
    patch,
    context_path = USERS,
    path = "/me",
    operation_id = "editAccount",
    tag = "accounts",
    security(("bearer" = [])),
    request_body = EditAccount,
    responses((status = 200, body = Account), (status = 404, description = "The account was deleted"))
)]
pub async fn edit(
    State(state): State<AppState>,
    caller: Caller,
    Json(body): Json<EditAccount>,
) -> Result<axum::Json<Account>, ApiError> {
    let name = account::name(&body.name).map_err(ApiError::invalid)?;
    let edited = user::rename(&state.shards, caller.user, &name).await?;
    edited.map(axum::Json).ok_or_else(gone)
}

/// Change my password. Ends all other sessions.
#[utoipa::path(
    put,
    context_path = USERS,
    path = "/me/password",
    operation_id = "changePassword",
    tag = "accounts",
    security(("bearer" = [])),
    request_body = ChangePassword,
    responses(
        (status = 204, description = "Changed"),
        (status = 404, description = "The account was deleted"),
        (status = 409, description = "The password was changed by another request at the same time")
    )
)]
pub async fn change_password(
    State(state): State<AppState>,
    caller: Caller,
    Json(body): Json<ChangePassword>,
) -> Result<StatusCode, ApiError> {
    if let Some(problem) = account::password("/new_password", &body.new_password) {
        return Err(ApiError::invalid(vec![problem]));
    }
    let found = user::find(&state.shards, caller.user).await?.ok_or_else(gone)?;
    let old = found.password_hash;
    if !state.passwords.verify(body.current_password, Some(old.clone())).await? {
        return Err(ApiError::invalid_field("/current_password", "is not your password"));
    }
    let new = state.passwords.hash(body.new_password).await?;
    let pool = state.shards.of_user(caller.user)?.pool;
    let store = |error: sqlx::Error| ApiError::from(pool.error(&error));
    let mut transaction = pool.begin().await?;
    let changed = user::change_password(&mut transaction, caller.user, &old, &new).await;
    if !changed.map_err(store)? {
        return Err(ApiError::conflict("the password was changed meanwhile"));
    }
    session::end_others(&mut transaction, caller.user, caller.session)
        .await
        .map_err(store)?;
    pool.commit(transaction).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Delete my account. What names me is removed at once; my orders stay, without a name.
#[utoipa::path(
    delete,
    context_path = USERS,
    path = "/me",
    operation_id = "deleteAccount",
    tag = "accounts",
    security(("bearer" = [])),
    responses((status = 204, description = "Deleted"), (status = 404, description = "It was deleted before"))
)]
pub async fn delete(State(state): State<AppState>, caller: Caller) -> Result<StatusCode, ApiError> {
    if removal::anonymise(&state.shards, caller.user).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(gone())
}
