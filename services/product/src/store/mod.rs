//! SQL of this service, one file per noun.

pub mod product;
