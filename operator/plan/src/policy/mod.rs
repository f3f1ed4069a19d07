//! Decisions over time: what may happen now, given what was seen.

pub mod autoscale;
pub mod handover;
pub mod proof;
pub mod rehearsal;
pub mod rollout;
pub mod succession;

#[cfg(test)]
mod tests;
