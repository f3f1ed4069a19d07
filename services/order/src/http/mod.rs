//! Handlers: one file per noun, and one per verb where the verb is a story of its own.

pub mod body;
pub mod cart;
pub mod change;
pub mod place;
pub mod read;
pub mod shipping;
