//! Handlers, one file per noun of the API.

pub mod session;
pub mod user;
