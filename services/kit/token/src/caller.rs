//! Who is calling: the extractor that turns `Authorization: Bearer …` into a customer, or 401.

use crate::Verifier;
use axum::extract::{FromRef, FromRequestParts};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use shop_kit_http::ApiError;
use std::time::{SystemTime, UNIX_EPOCH};
use uuid::Uuid;

/// The customer behind a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    pub user: Uuid,
    pub synthetic: bool,
}

impl<S> FromRequestParts<S> for Caller
where
    Verifier: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let header = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let header = header.ok_or_else(|| ApiError::unauthorized("send `authorization: Bearer <access token>`"))?;
        let (scheme, token) = header.split_once(' ').unwrap_or_default();
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(ApiError::unauthorized("the authorization must be a Bearer token"));
        }
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map(|since| since.as_secs())
            .unwrap_or_default();
        let claims = Verifier::from_ref(state).check(token.trim(), now);
        let claims = claims.map_err(|error| ApiError::unauthorized(error.to_string()))?;
        Ok(Self {
            user: claims.sub,
            synthetic: claims.synthetic,
        })
    }
}
