//! SQL of this service, one file per noun. Reads, never writes, one table that is not its own: the
//! catalogue says what is on sale, so that a product that was taken from it is named no more, without a copy that could
//! be behind.

pub mod best;
pub mod figures;
pub mod neighbours;
pub mod recent;
