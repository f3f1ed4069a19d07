//! Pure decisions: a spec and what was seen of the world in, objects and tasks out. No client, no clock, no randomness,
//! no environment: the same inputs always give the same plan, so it can be printed, compared and tested.
//!
//! spec → [`validate`] → [`ValidatedShop`] → (with [`Observed`]) [`plan()`] → [`Plan`] → [`check`] → applied and
//! executed by the controller → [`report`] → status.

pub mod component;
pub mod inputs;
pub mod names;
pub mod object;
pub mod observed;
pub mod task;

pub use inputs::Inputs;
pub use object::{Object, Plan};
pub use observed::{Observed, Seen};
pub use task::Task;
