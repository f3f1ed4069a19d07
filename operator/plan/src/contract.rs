//! What every component promises: `plan()` in lib.rs knows components only through this.

use crate::health::Health;
use crate::object::{ComponentId, Object, Waiting};
use crate::observed::{Observed, ShardId};
use crate::shop::ValidatedShop;
use crate::task::{SecretRef, Task};
use serde::{Deserialize, Serialize};

pub trait Component {
    fn id(&self) -> ComponentId;
    /// Components that must serve before this one is *started for the first time*; order is data, never list position.
    /// Afterwards a lost need changes nothing here: pods that run are left alone.
    fn needs(&self) -> Vec<ComponentId>;
    /// Objects (always all of them) and tasks. `plan()` adds owner reference, component annotation, template digest,
    /// suspension and restarts.
    fn plan(&self, shop: &ValidatedShop, seen: &Observed) -> Result<ComponentPlan, PlanError>;
    /// Unknown stays Unknown.
    fn health(&self, shop: &ValidatedShop, seen: &Observed) -> Health;
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ComponentPlan {
    pub objects: Vec<Object>,
    pub tasks: Vec<Task>,
    pub waiting: Vec<Waiting>,
    /// How each StatefulSet among the objects is restarted (they all use `OnDelete`).
    pub rollouts: Vec<Rollout>,
}

/// One StatefulSet whose pods `policy::rollout` replaces one at a time when their template is outdated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rollout {
    pub stateful_set: String,
    pub handover: Handover,
    /// A command that proves a new image starts (`["/usr/bin/valkey-server", "--version"]`): run in a rehearsal pod before
    /// a datastore's only pod is restarted.
    pub rehearse: Vec<String>,
}

/// What must happen before the pod that leads may go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Handover {
    /// A switchover to the best standby.
    Postgres(ShardId),
    /// The primary's replica takes over.
    Redis { user: String, password: SecretRef },
    /// Nothing to hand over, but all nodes must run.
    RabbitMq { nodes: u16 },
}

/// A component that cannot be planned; nothing of the shop is changed then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{component}: {reason}")]
pub struct PlanError {
    pub component: ComponentId,
    pub reason: String,
}
