//! SQL of this service, one file per noun.

pub mod idempotency;
pub mod order;
