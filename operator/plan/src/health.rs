//! How a component does, as a value: decided by each component, read by rollout, gating and the report.
//! Must not guess: what could not be looked at is `Unknown`.

use serde::{Deserialize, Serialize};
pub use shop_api::status::{ComponentState as State, ShardStatus};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Health {
    pub state: State,
    /// One line in plain words, naming the object at fault; empty when Ready.
    pub message: String,
    /// Pods that are ready, and pods that are wanted.
    pub ready: u32,
    pub wanted: u32,
    /// Of databases only.
    pub shards: Vec<ShardStatus>,
}

impl Health {
    pub fn new(state: State, message: impl Into<String>, ready: u32, wanted: u32) -> Self {
        Self {
            state,
            message: message.into(),
            ready,
            wanted,
            shards: Vec::new(),
        }
    }

    pub fn unknown(why: impl Into<String>) -> Self {
        Self::new(State::Unknown, why, 0, 0)
    }

    /// Answers requests now, perhaps with less redundancy.
    pub fn serves(&self) -> bool {
        matches!(self.state, State::Ready | State::Degraded)
    }
}
