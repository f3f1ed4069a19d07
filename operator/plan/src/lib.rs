//! Pure decisions: a spec and what was seen of the world in, objects and tasks out. No client, no clock, no randomness,
//! no environment: the same inputs always give the same plan, so it can be printed, compared and tested.
//!
//! spec → [`validate`] → [`ValidatedShop`] → (with [`Observed`]) [`plan()`] → [`Plan`] → [`check`] → applied and
//! executed by the controller → [`report`] → status.

mod assemble;
pub mod check;
pub mod component;
pub mod contract;
pub mod digest;
pub mod explain;
#[cfg(any(test, feature = "fixtures"))]
pub mod fixtures;
pub mod health;
pub mod inputs;
pub mod names;
pub mod object;
pub mod observed;
pub mod pod;
pub mod policy;
pub mod quantity;
pub mod report;
pub mod shop;
pub mod task;
#[cfg(test)]
mod tests;
pub mod topology;
pub mod validate;

pub use assemble::{plan, plan_with};
pub use check::check;
pub use contract::{Component, ComponentPlan, Handover, PlanError, Rollout};
pub use health::{Health, State};
pub use inputs::Inputs;
pub use object::{ComponentId, Object, Plan};
pub use observed::{Observed, Seen};
pub use report::report;
pub use shop::ValidatedShop;
pub use task::Task;
pub use validate::validate;
