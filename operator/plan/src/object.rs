//! What a plan consists of: plain, serialisable data that leaves the controller no choice.

use crate::health::Health;
use crate::task::Task;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

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
    Generated {
        name: String,
        labels: BTreeMap<String, String>,
        keys: Vec<GeneratedKey>,
    },
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
    /// How each component does, in the order of their names.
    pub health: BTreeMap<ComponentId, Health>,
}

impl Object {
    /// The whole object, unless it is a generated Secret.
    pub fn applied(&self) -> Option<&Value> {
        match &self.body {
            Body::Applied(value) => Some(value),
            Body::Generated { .. } => None,
        }
    }

    pub fn kind(&self) -> &str {
        self.applied()
            .map_or("Secret", |value| value["kind"].as_str().unwrap_or_default())
    }

    pub fn name(&self) -> &str {
        match &self.body {
            Body::Applied(value) => value["metadata"]["name"].as_str().unwrap_or_default(),
            Body::Generated {
                name,
                labels: _,
                keys: _,
            } => name,
        }
    }
}

impl std::fmt::Display for ComponentId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for ComponentId {
    fn from(id: &str) -> Self {
        Self(id.into())
    }
}
