//! `GET /api/v1/recommendations/…`. A recommendation decorates a page: when its own counts are empty or out of reach, best
//! sellers take their place, and when there are none of those either, the list is empty. None of it is an error.

use super::query_error;
use crate::router::AppState;
use crate::store::{neighbours, recent};
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use shop_contract::api::recommendation::{Reason, Recommendation, Recommendations};
use shop_kit_http::{ApiError, Path, Query};
use shop_kit_postgres::StoreError;
use shop_kit_token::Caller;
use uuid::Uuid;

const LIMIT: (i64, i64, i64) = (1, 10, 50);
/// Of what a customer bought, so many products, the newest, tell what they may like.
const TELLING: usize = 20;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Length {
    /// Products at most; 10 without it.
    #[param(minimum = 1, maximum = 50)]
    limit: Option<i64>,
}

/// What others bought in one order with this product.
#[utoipa::path(
    get,
    path = "/api/v1/recommendations/bought-together/{product_id}",
    operation_id = "boughtTogether",
    tag = "recommendations",
    params(("product_id" = Uuid, Path), Length),
    responses((status = 200, description = "Best first", body = Recommendations))
)]
pub async fn bought_together(
    State(state): State<AppState>,
    Path(product): Path<Uuid>,
    Query(length): Query<Length>,
) -> Result<Json<Recommendations>, ApiError> {
    let limit = length.limit()?;
    let near = neighbours::of(&state.pool, &[product], &[product], limit).await;
    Ok(filled(&state, or_nothing(near), &[product], limit).await)
}

/// What the caller may like, after what they bought last.
#[utoipa::path(
    get,
    path = "/api/v1/recommendations/for-you",
    operation_id = "recommendedForYou",
    tag = "recommendations",
    params(Length),
    responses((status = 200, description = "Best first", body = Recommendations)),
    security(("bearer" = []))
)]
pub async fn for_you(
    State(state): State<AppState>,
    caller: Caller,
    Query(length): Query<Length>,
) -> Result<Json<Recommendations>, ApiError> {
    let limit = length.limit()?;
    let bought = or_nothing(recent::of(&state.pool, caller.user).await);
    let near = match bought.is_empty() {
        true => Vec::new(),
        false => {
            let telling = &bought[..bought.len().min(TELLING)];
            or_nothing(neighbours::of(&state.pool, telling, &bought, limit).await)
        }
    };
    Ok(filled(&state, near, &bought, limit).await)
}

/// What sold most in the last seven days.
#[utoipa::path(
    get,
    path = "/api/v1/recommendations/best-sellers",
    operation_id = "bestSellers",
    tag = "recommendations",
    params(Length),
    responses((status = 200, description = "Best first", body = Recommendations))
)]
pub async fn best_sellers(
    State(state): State<AppState>,
    Query(length): Query<Length>,
) -> Result<Json<Recommendations>, ApiError> {
    let limit = length.limit()?;
    Ok(filled(&state, Vec::new(), &[], limit).await)
}

/// Fills a list up with best sellers that are neither in it nor in `but`.
async fn filled(state: &AppState, near: Vec<(Uuid, f64)>, but: &[Uuid], limit: i64) -> Json<Recommendations> {
    let limit = usize::try_from(limit).unwrap_or_default();
    let together = near.into_iter().map(|(product_id, score)| Recommendation {
        product_id,
        reason: Reason::BoughtTogether,
        score,
    });
    let mut items: Vec<Recommendation> = together.take(limit).collect();
    if items.len() < limit {
        for (product_id, sold) in state.best.sellers().await.iter() {
            let known = but.contains(product_id) || items.iter().any(|item| item.product_id == *product_id);
            if !known && items.len() < limit {
                items.push(Recommendation {
                    product_id: *product_id,
                    reason: Reason::BestSeller,
                    score: *sold as f64,
                });
            }
        }
    }
    Json(Recommendations { items })
}

fn or_nothing<T>(read: Result<Vec<T>, StoreError>) -> Vec<T> {
    read.unwrap_or_else(|error| {
        tracing::warn!("recommending best sellers instead: {error}");
        Vec::new()
    })
}

impl Length {
    fn limit(&self) -> Result<i64, ApiError> {
        let (least, default, most) = LIMIT;
        let limit = self.limit.unwrap_or(default);
        if (least..=most).contains(&limit) {
            return Ok(limit);
        }
        Err(query_error(format!(
            "limit is {limit}: must be between {least} and {most}"
        )))
    }
}
