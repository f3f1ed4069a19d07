//! `GET /api/v1/products` and `GET /api/v1/products/{id}`.

use crate::router::AppState;
use crate::store::product;
use axum::extract::State;
use serde::Deserialize;
use shop_contract::api::{Page, Product};
use shop_kit_http::{ApiError, Path, Query};
use uuid::Uuid;

const LIMIT: (i64, i64, i64) = (1, 20, 100);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listing {
    limit: Option<i64>,
    cursor: Option<String>,
}

pub async fn show(State(state): State<AppState>, Path(id): Path<Uuid>) -> Result<axum::Json<Product>, ApiError> {
    let pool = state.pool.clone();
    let found = state
        .one
        .get(&id.to_string(), async move { product::find(&pool, id).await })
        .await?;
    found
        .map(axum::Json)
        .ok_or_else(|| ApiError::not_found(format!("there is no product {id}")))
}

pub async fn list(
    State(state): State<AppState>,
    Query(listing): Query<Listing>,
) -> Result<axum::Json<Page<Product>>, ApiError> {
    let (limit, after) = (limit(listing.limit)?, cursor(listing.cursor.as_deref())?);
    let mut items = product::list(&state.pool, after, limit + 1).await?;
    let more = items.len() as i64 > limit;
    items.truncate(limit as usize);
    let next_cursor = items.last().filter(|_| more).map(|last| last.id.simple().to_string());
    Ok(axum::Json(Page { items, next_cursor }))
}

fn limit(given: Option<i64>) -> Result<i64, ApiError> {
    let (least, default, most) = LIMIT;
    let limit = given.unwrap_or(default);
    if (least..=most).contains(&limit) {
        return Ok(limit);
    }
    Err(query_error(format!(
        "limit is {limit}: must be between {least} and {most}"
    )))
}

fn cursor(given: Option<&str>) -> Result<Option<Uuid>, ApiError> {
    given
        .map(|text| {
            text.parse()
                .map_err(|_| query_error("cursor: pass the `next_cursor` of the page before".to_owned()))
        })
        .transpose()
}

fn query_error(detail: String) -> ApiError {
    ApiError::new(axum::http::StatusCode::BAD_REQUEST, "query", detail)
}
