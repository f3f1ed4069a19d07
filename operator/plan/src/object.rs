//! What a plan consists of: plain, serialisable data that leaves the controller no choice.

use crate::task::Task;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A component, such as `postgres/orders`, `redis`, `service/order`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ComponentId(pub String);

/// Objects of a lower wave are applied first. Pruning runs in the opposite order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Wave {
    /// Service accounts, roles, secrets, config maps.
    Ground,
    /// Services, budgets, claims.
    Network,
    /// StatefulSets of datastores.
    Data,
    /// Deployments and autoscalers.
    Work,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Object {
    pub component: ComponentId,
    pub wave: Wave,
    pub body: Body,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Body {
    /// Server-side applied as it is: a whole object with apiVersion, kind and metadata.
    Applied(Value),
    /// A Secret whose missing keys are generated once; keys that exist are never changed.
    Generated { name: String, labels: std::collections::BTreeMap<String, String>, keys: Vec<GeneratedKey> },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GeneratedKey {
    pub key: String,
    pub how: Generator,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Generator {
    /// Letters and digits.
    Password { length: usize },
    /// base64 of 32 random bytes.
    Seed,
    /// base64 of the Ed25519 public key of another key's seed, in the same Secret.
    Ed25519PublicKeyOf { key: String },
}

/// Why a component cannot go on yet: a value, not an error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    pub component: ComponentId,
    pub reason: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    pub objects: Vec<Object>,
    pub tasks: Vec<Task>,
    pub waiting: Vec<Waiting>,
    /// Components whose objects must not be pruned now, because something about them is unknown.
    pub keep: Vec<ComponentId>,
}
