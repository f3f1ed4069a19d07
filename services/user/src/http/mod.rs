//! Handlers, one file per noun of the API.

pub mod account;
pub mod address;
pub mod keys;
pub mod login;
pub mod notification;
pub mod register;
pub mod session;
pub mod staff;
pub mod webhook;

use shop_kit_http::ApiError;

/// This service, in problems.
const SERVICE: &str = "service/user";

/// A token outlives its account by minutes.
fn gone() -> ApiError {
    ApiError::not_found("this account does not exist any more")
}
