//! Handlers, one file per noun of the API.

pub mod analytics;
pub mod recommendation;

use axum::http::StatusCode;
use shop_kit_http::ApiError;

fn query_error(detail: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "query", detail)
}
