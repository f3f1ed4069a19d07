//! The header by which the operator marks its test orders. Absent: an ordinary request. Right: synthetic. Wrong: 403.

use crate::ApiError;
use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use shop_contract::probe::SYNTHETIC_HEADER;
use std::sync::Arc;

/// The key the header has to carry.
#[derive(Clone)]
pub struct SyntheticKey(Arc<str>);

/// Whether the request carried the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Synthetic(pub bool);

impl SyntheticKey {
    pub fn new(key: &str) -> Self {
        Self(key.into())
    }

    /// Takes as long for a nearly right value as for a wrong one.
    fn matches(&self, given: &[u8]) -> bool {
        let expected = self.0.as_bytes();
        let differences = expected
            .iter()
            .zip(given)
            .fold(0_u8, |sum, (left, right)| sum | (left ^ right));
        !expected.is_empty() && expected.len() == given.len() && differences == 0
    }
}

impl<S> FromRequestParts<S> for Synthetic
where
    SyntheticKey: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match parts.headers.get(SYNTHETIC_HEADER) {
            None => Ok(Self(false)),
            Some(value) if SyntheticKey::from_ref(state).matches(value.as_bytes()) => Ok(Self(true)),
            Some(_) => Err(ApiError::forbidden(format!(
                "`{SYNTHETIC_HEADER}` does not carry the shop's key"
            ))),
        }
    }
}
