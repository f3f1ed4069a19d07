//! SQL of this service, one file per noun.

pub mod change;
pub mod movement;
pub mod reservation;
pub mod reserve;
pub mod settlement;
pub mod slot;
