//! Who is calling: the extractor that turns `Authorization: Bearer …` into an account and its role, or 401.

use crate::Verifier;
use axum::extract::{FromRef, FromRequestParts};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use shop_contract::api::Role;
use shop_kit_http::ApiError;
use std::time::{SystemTime, UNIX_EPOCH};
use uuid::Uuid;

/// The account behind a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    pub user: Uuid,
    pub role: Role,
    pub synthetic: bool,
    /// The session its token was made in.
    pub session: Option<Uuid>,
}

impl Caller {
    /// 403 unless the caller has one of these roles. A role holds for as long as the token that says it.
    pub fn require(&self, roles: &[Role]) -> Result<(), ApiError> {
        if roles.contains(&self.role) {
            return Ok(());
        }
        let detail = "your role does not allow this";
        Err(ApiError::new(StatusCode::FORBIDDEN, "role", detail))
    }
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
            role: claims.role,
            synthetic: claims.synthetic,
            session: claims.sid,
        })
    }
}
