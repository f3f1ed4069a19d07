//! `GET /api/v1/orders` and `GET /api/v1/orders/{id}`: the caller's own, nobody else's.

use crate::router::AppState;
use crate::store::order;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use shop_contract::api::{Order, Page};
use shop_kit_http::{ApiError, Path, Query};
use shop_kit_token::Caller;
use uuid::Uuid;

const LIMIT: (i64, i64, i64) = (1, 20, 100);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listing {
    limit: Option<i64>,
    cursor: Option<String>,
}

/// Somebody else's order is as unknown as one that never was.
pub async fn show(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Json<Order>, ApiError> {
    let shard = state.shards.of_user(caller.user)?;
    let found = order::find(&shard, caller.user, id).await?;
    found
        .map(Json)
        .ok_or_else(|| ApiError::not_found(format!("you have no order {id}")))
}

pub async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Query(listing): Query<Listing>,
) -> Result<Json<Page<Order>>, ApiError> {
    let (least, default, most) = LIMIT;
    let limit = listing.limit.unwrap_or(default);
    if !(least..=most).contains(&limit) {
        return Err(query_error(format!(
            "limit is {limit}: must be between {least} and {most}"
        )));
    }
    let before = listing.cursor.map(|text| text.parse()).transpose();
    let before = before.map_err(|_| query_error("cursor: pass the `next_cursor` of the page before".to_owned()))?;
    let shard = state.shards.of_user(caller.user)?;
    let mut items = order::list(&shard, caller.user, before, limit + 1).await?;
    let more = items.len() as i64 > limit;
    items.truncate(limit as usize);
    let next_cursor = items.last().filter(|_| more).map(|last| last.id.simple().to_string());
    Ok(Json(Page { items, next_cursor }))
}

fn query_error(detail: String) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "query", detail)
}
