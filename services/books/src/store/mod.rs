//! This service's own tables, in `payments`; one file per noun.

pub mod audit;
pub mod cursor;
pub mod finding;
pub mod lease;
pub mod total;
