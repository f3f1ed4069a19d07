//! `/api/v1/notifications`: the caller's feed; somebody else's entries are as unknown as ones that never were.

use crate::http::webhook;
use crate::router::AppState;
use crate::store::notification;
use axum::extract::State;
use axum::http::StatusCode;
use shop_contract::api::notification::Notification;
use shop_contract::api::{NOTIFICATIONS, Page};
use shop_kit_http::{ApiError, PageQuery, Path, Query, page};
use shop_kit_token::Caller;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(mark_all_read))
        .routes(routes!(mark_read))
        .routes(routes!(webhook::show, webhook::set, webhook::remove))
}

/// What happened to my orders, newest first.
#[utoipa::path(
    get,
    path = NOTIFICATIONS,
    operation_id = "listNotifications",
    tag = "notifications",
    security(("bearer" = [])),
    params(PageQuery),
    responses((status = 200, body = Page<Notification>))
)]
pub async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Query(query): Query<PageQuery>,
) -> Result<axum::Json<Page<Notification>>, ApiError> {
    let (limit, before) = (query.limit()?, query.position()?);
    let rows = notification::list(&state.shards, caller.user, before, limit + 1).await?;
    page(rows, limit, |last| last.id).map(axum::Json)
}

/// Mark one as read; doing it again changes nothing.
#[utoipa::path(
    put,
    context_path = NOTIFICATIONS,
    path = "/{id}/read",
    operation_id = "markNotificationRead",
    tag = "notifications",
    security(("bearer" = [])),
    params(("id" = Uuid, Path)),
    responses((status = 204, description = "It is read"))
)]
pub async fn mark_read(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, ApiError> {
    if notification::mark_read(&state.shards, caller.user, id).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(ApiError::not_found(format!("you have no notification {id}")))
}

/// Mark all as read.
#[utoipa::path(
    put,
    context_path = NOTIFICATIONS,
    path = "/read",
    operation_id = "markAllNotificationsRead",
    tag = "notifications",
    security(("bearer" = [])),
    responses((status = 204, description = "All are read"))
)]
pub async fn mark_all_read(State(state): State<AppState>, caller: Caller) -> Result<StatusCode, ApiError> {
    notification::mark_all_read(&state.shards, caller.user).await?;
    Ok(StatusCode::NO_CONTENT)
}
