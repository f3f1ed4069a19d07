//! `/api/v1/users/me/webhook`: where the caller wants to be told by HTTP. One per account.

use super::gone;
use crate::job::deliver::new_secret;
use crate::router::AppState;
use crate::store::webhook;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::IntoResponse;
use shop_contract::api::USERS;
use shop_contract::api::notification::{NewWebhook, SetWebhook, Webhook};
use shop_kit_http::{ApiError, Json};
use shop_kit_token::Caller;

/// My webhook, without its secret.
#[utoipa::path(
    get,
    context_path = USERS,
    path = "/me/webhook",
    operation_id = "showWebhook",
    tag = "notifications",
    security(("bearer" = [])),
    responses((status = 200, body = Webhook), (status = 404, description = "None is set"))
)]
pub async fn show(State(state): State<AppState>, caller: Caller) -> Result<axum::Json<Webhook>, ApiError> {
    let found = webhook::find(&state.shards, caller.user).await?;
    found.map(axum::Json).ok_or_else(none)
}

/// Set my webhook, with a new secret that is shown only now.
#[utoipa::path(
    put,
    context_path = USERS,
    path = "/me/webhook",
    operation_id = "setWebhook",
    tag = "notifications",
    security(("bearer" = [])),
    request_body = SetWebhook,
    responses((status = 200, body = NewWebhook), (status = 404, description = "The account was deleted"))
)]
pub async fn set(
    State(state): State<AppState>,
    caller: Caller,
    Json(body): Json<SetWebhook>,
) -> Result<impl IntoResponse, ApiError> {
    let url = state
        .webhooks
        .check(&body.url)
        .map_err(|wrong| ApiError::invalid_field("/url", wrong))?;
    let new = NewWebhook {
        url: url.to_string(),
        secret: new_secret(),
    };
    if !webhook::set(&state.shards, caller.user, &new.url, &new.secret).await? {
        return Err(gone());
    }
    // A secret is not for caches.
    let no_store = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    Ok((StatusCode::OK, no_store, axum::Json(new)))
}

/// Remove my webhook; what waits for it is not delivered any more.
#[utoipa::path(
    delete,
    context_path = USERS,
    path = "/me/webhook",
    operation_id = "removeWebhook",
    tag = "notifications",
    security(("bearer" = [])),
    responses((status = 204, description = "It is removed"), (status = 404, description = "None was set"))
)]
pub async fn remove(State(state): State<AppState>, caller: Caller) -> Result<StatusCode, ApiError> {
    if webhook::remove(&state.shards, caller.user).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(none())
}

fn none() -> ApiError {
    ApiError::not_found("no webhook is set")
}
