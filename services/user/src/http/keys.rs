//! `GET /.well-known/jwks.json`: the public keys of access tokens, old and coming ones too.

use crate::router::AppState;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::IntoResponse;
use shop_contract::api::JWKS;
use shop_kit_token::Jwks;

/// The keys access tokens are checked with.
#[utoipa::path(
    get,
    path = JWKS,
    operation_id = "tokenKeys",
    tag = "sessions",
    responses((status = 200, body = Jwks))
)]
pub async fn show(State(state): State<AppState>) -> impl IntoResponse {
    let cached = HeaderValue::from_static("public, max-age=300");
    ([(header::CACHE_CONTROL, cached)], axum::Json(state.verifier.jwks()))
}
