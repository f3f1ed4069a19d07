//! Handlers, one file per noun of the API or, where a noun has many verbs, per group of them.

pub mod category;
mod choices;
pub mod image;
pub mod list;
pub mod merchant;
pub mod product;

use axum::body::Bytes;
use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use shop_contract::api::Role;
use shop_kit_http::ApiError;
use shop_kit_token::{Caller, Verifier};

pub(crate) const TIER: &str = "service/product";

/// A caller who may change the catalogue; anybody else is told so before the body is read.
pub struct Merchant(pub Caller);

impl<S> FromRequestParts<S> for Merchant
where
    Verifier: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let caller = Caller::from_request_parts(parts, state).await?;
        caller.require(&[Role::Merchant, Role::Admin])?;
        Ok(Self(caller))
    }
}

/// An answer that is JSON already.
pub(crate) fn json(status: StatusCode, body: Bytes) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

pub(crate) fn body(of: &impl Serialize) -> Result<Bytes, ApiError> {
    serde_json::to_vec(of)
        .map(Bytes::from)
        .map_err(|error| ApiError::internal(TIER, error))
}

pub(crate) fn no_product(id: uuid::Uuid) -> ApiError {
    ApiError::not_found(format!("there is no product {id}"))
}

/// What a query or a cursor got wrong.
pub(crate) fn query_error(detail: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "query", detail)
}
