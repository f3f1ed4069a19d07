//! The one error body of every service: RFC 9457 problem details.

use serde::{Deserialize, Serialize};

pub const CONTENT_TYPE: &str = "application/problem+json";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// A stable identifier, `about:blank` when the status says it all.
    #[serde(rename = "type")]
    pub kind: String,
    pub title: String,
    pub status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Which tier was at fault, for 5xx: `postgres/orders/0`, `postgres/catalog`, `redis`, `rabbitmq`, `service/product`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tier: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Fields that were wrong, all at once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FieldError {
    /// JSON pointer (RFC 6901) into the body.
    pub pointer: String,
    pub detail: String,
}

impl FieldError {
    pub fn new(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            detail: detail.into(),
        }
    }
}

/// A line of text, trimmed, of 1 to `most` characters. Postgres takes no NUL, and a line has no other control character.
pub fn text(pointer: &str, given: &str, most: usize, errors: &mut Vec<FieldError>) -> String {
    let text = given.trim();
    if !(1..=most).contains(&text.chars().count()) || text.chars().any(char::is_control) {
        let rule = format!("must have 1 to {most} printable characters");
        errors.push(FieldError::new(pointer, rule));
    }
    text.to_owned()
}
