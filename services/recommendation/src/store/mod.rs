//! SQL of this service, one file per noun.

pub mod best;
pub mod figures;
pub mod neighbours;
pub mod recent;
