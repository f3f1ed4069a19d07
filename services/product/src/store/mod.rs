//! SQL of this service, one file per noun.

pub mod category;
pub mod product;
