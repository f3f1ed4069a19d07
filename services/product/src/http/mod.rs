//! Handlers, one file per noun of the API.

pub mod product;
