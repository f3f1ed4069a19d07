//! The one error a handler may answer with. Becomes a problem body; the face adds the request's id.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use shop_contract::problem::{CONTENT_TYPE, FieldError, Problem};

#[derive(Clone, Debug)]
pub struct ApiError {
    pub status: StatusCode,
    /// A stable word, the last part of the problem's type.
    pub kind: &'static str,
    pub detail: String,
    pub tier: Option<String>,
    pub errors: Vec<FieldError>,
    pub retry_after_seconds: Option<u32>,
}

impl ApiError {
    pub fn new(status: StatusCode, kind: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            kind,
            detail: detail.into(),
            tier: None,
            errors: Vec::new(),
            retry_after_seconds: None,
        }
    }

    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", detail)
    }

    pub fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
    }

    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", detail)
    }

    /// Fields that break a rule, all at once.
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let mut error = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", "see `errors`");
        error.errors = errors;
        error
    }

    /// One field that breaks a rule.
    pub fn invalid_field(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError {
            pointer: pointer.into(),
            detail: detail.into(),
        }])
    }

    /// A tier does not answer: the client may try again.
    pub fn unavailable(tier: impl Into<String>, detail: impl Into<String>) -> Self {
        let mut error = Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail);
        error.tier = Some(tier.into());
        error.retry_after_seconds = Some(1);
        error
    }

    /// A tier had no more time for this. Not 503: the gateway would ask twice more at once.
    pub fn too_slow(tier: impl Into<String>, detail: impl Into<String>) -> Self {
        let mut error = Self::new(StatusCode::GATEWAY_TIMEOUT, "too-slow", detail);
        error.tier = Some(tier.into());
        error
    }

    /// A tier answered with something this program did not expect. The cause is logged, not shown.
    pub fn internal(tier: impl Into<String>, cause: impl std::fmt::Display) -> Self {
        let tier = tier.into();
        tracing::error!(tier, "unexpected: {cause}");
        let mut error = Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "an unexpected failure; it was logged",
        );
        error.tier = Some(tier);
        error
    }

    pub(crate) fn problem(self) -> Problem {
        Problem {
            kind: format!("urn:shop:problem:{}", self.kind),
            title: self.status.canonical_reason().unwrap_or("Error").to_owned(),
            status: self.status.as_u16(),
            detail: Some(self.detail).filter(|detail| !detail.is_empty()),
            tier: self.tier,
            request_id: None,
            errors: self.errors,
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let retry_after = self.retry_after_seconds;
        let challenge = self.status == StatusCode::UNAUTHORIZED;
        let mut response = problem_response(self.problem());
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        if challenge {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// The body, and the problem itself as an extension for the face to complete.
pub(crate) fn problem_response(problem: Problem) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, Json(&problem)).into_response();
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
    response.extensions_mut().insert(problem);
    response
}
