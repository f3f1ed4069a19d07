//! What a request is recognised by: the key its client chose and the fingerprint of what it asks for.

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::Serialize;
use sha2::{Digest, Sha256};
use shop_kit_http::ApiError;

const HEADER: &str = "idempotency-key";
const LONGEST: usize = 255;

/// The header's value, when it was sent; a malformed one is 400.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey(pub Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        let mut values = parts.headers.get_all(HEADER).iter();
        let Some(value) = values.next() else {
            return Ok(Self(None));
        };
        let text = value.to_str().unwrap_or_default();
        let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        if !visible || !(1..=LONGEST).contains(&text.len()) || values.next().is_some() {
            let detail = format!("send one `{HEADER}` of 1 to {LONGEST} visible ASCII characters");
            return Err(ApiError::new(StatusCode::BAD_REQUEST, "header", detail));
        }
        Ok(Self(Some(text.to_owned())))
    }
}

/// Of a route and the body it was sent, as it was understood: spelling and order of fields make no difference.
pub fn fingerprint(route: &str, body: &impl Serialize) -> Result<Vec<u8>, ApiError> {
    let body = serde_json::to_vec(body).map_err(|error| ApiError::internal("service", error))?;
    let mut hash = Sha256::new();
    hash.update((route.len() as u64).to_be_bytes());
    hash.update(route.as_bytes());
    hash.update(&body);
    Ok(hash.finalize().to_vec())
}
