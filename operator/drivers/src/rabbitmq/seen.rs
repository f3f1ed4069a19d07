//! What the management interface tells, as plain values. Reads only; fields nobody compares are not kept.

use super::api::Api;
use super::{RabbitError, Wanted};
use futures::try_join;
use serde::Deserialize;
use serde_json::{Map, Value};
use shop_contract::event::VHOST;

#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub running_nodes: Vec<String>,
    pub vhost: bool,
    pub user: Option<User>,
    pub permissions: Vec<Permission>,
    pub exchanges: Vec<Exchange>,
    pub queues: Vec<Queue>,
    pub bindings: Vec<Binding>,
    pub policies: Vec<Policy>,
}

#[derive(Deserialize)]
struct Node {
    name: String,
    #[serde(default)]
    running: bool,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct User {
    #[serde(default)]
    pub password_hash: String,
    #[serde(default)]
    pub hashing_algorithm: String,
    /// A list, or, of old servers, one text.
    #[serde(default)]
    pub tags: Value,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Permission {
    pub user: String,
    pub vhost: String,
    pub configure: String,
    pub write: String,
    pub read: String,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Exchange {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub durable: bool,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Queue {
    pub name: String,
    #[serde(rename = "type", default)]
    pub kind: String,
    /// The node that leads; of quorum queues only.
    #[serde(default)]
    pub leader: Value,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Binding {
    pub source: String,
    pub destination: String,
    /// `queue` or `exchange`.
    #[serde(default)]
    pub destination_type: String,
    pub routing_key: String,
    /// What names the binding in an address.
    #[serde(default)]
    pub properties_key: String,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Policy {
    pub name: String,
    pub pattern: String,
    pub definition: Map<String, Value>,
}

pub(super) async fn read(api: &Api<'_>, wanted: &Wanted) -> Result<Seen, RabbitError> {
    let user_path = ["users", wanted.user.as_str()];
    let (nodes, user, permissions, vhost) = try_join!(
        api.get::<Vec<Node>>(&["nodes"]),
        api.get(&user_path),
        api.get::<Vec<Permission>>(&["permissions"]),
        api.get::<Value>(&["vhosts", VHOST]),
    )?;
    let mut seen = Seen {
        running_nodes: nodes
            .unwrap_or_default()
            .into_iter()
            .filter(|node| node.running)
            .map(|node| node.name)
            .collect(),
        vhost: vhost.is_some(),
        user,
        permissions: permissions
            .unwrap_or_default()
            .into_iter()
            .filter(|have| have.vhost == VHOST)
            .collect(),
        ..Seen::default()
    };
    if seen.vhost {
        let (exchanges, queues, bindings, policies) = try_join!(
            api.get(&["exchanges", VHOST]),
            api.get(&["queues", VHOST]),
            api.get(&["bindings", VHOST]),
            api.get(&["policies", VHOST]),
        )?;
        seen.exchanges = exchanges.unwrap_or_default();
        seen.queues = queues.unwrap_or_default();
        seen.bindings = bindings.unwrap_or_default();
        seen.policies = policies.unwrap_or_default();
    }
    Ok(seen)
}
