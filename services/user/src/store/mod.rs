//! SQL of this service, one file per noun.

pub mod directory;
pub mod user;
