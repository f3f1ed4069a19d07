//! Arithmetic: how large, how many, where. Numbers in, numbers out.

pub mod connections;
pub mod placement;
pub mod shards;
pub mod sizing;
