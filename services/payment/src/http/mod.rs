//! Handlers, one file per noun or verb.

pub mod read;
pub mod refund;
pub mod webhook;

use uuid::Uuid;

/// Somebody else's payment is as unknown as one that never was.
fn no_payment(id: Uuid) -> shop_kit_http::ApiError {
    shop_kit_http::ApiError::not_found(format!("you have no payment {id}"))
}
