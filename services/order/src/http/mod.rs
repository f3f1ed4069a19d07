//! Handlers: one file per verb on orders, because placing one is a story of its own.

pub mod place;
pub mod read;
