//! What was seen of the world, next to what is wished for. "Unknown" is not "absent": nothing is destroyed on an Unknown.

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Seen<T> {
    Absent,
    /// Could not be looked at; says why.
    Unknown(String),
    Known(T),
}

impl<T> Seen<T> {
    pub fn known(&self) -> Option<&T> {
        match self {
            Seen::Known(value) => Some(value),
            Seen::Absent | Seen::Unknown(_) => None,
        }
    }
}

/// One database cluster: `catalog` or `payments` (always shard 0), or a shard of `orders`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ShardId {
    pub database: String,
    pub index: u16,
}

#[derive(Clone, Debug)]
pub struct Observed {
    /// Objects of this shop, from label-selected watches; `Unknown` until the first list is complete.
    pub stateful_sets: Seen<Vec<StatefulSet>>,
    pub deployments: Seen<Vec<Deployment>>,
    pub pods: Seen<Vec<Pod>>,
    pub claims: Seen<Vec<PersistentVolumeClaim>>,
    /// Generated secrets that exist: name → keys (values are never read into a plan, only their digests).
    pub secrets: Seen<BTreeMap<String, BTreeMap<String, String>>>,
    /// The shard map as it is published now. One that somebody spoilt counts as absent: only this operator writes it. One
    /// of a newer layout is unknown, and left alone.
    pub shard_map: Seen<shop_contract::shard_map::ShardMap>,
    /// Asked of Patroni's REST interface; absent while no pod runs.
    pub postgres: BTreeMap<ShardId, Seen<PatroniView>>,
    pub redis: Seen<RedisView>,
    pub rabbitmq: Seen<RabbitView>,
    /// The last proof order of each shard of `orders`.
    pub proof: Seen<ProofView>,
    /// Results of tasks that ran: task key → outcome, kept by the controller in memory.
    pub done: BTreeMap<String, TaskOutcome>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatroniView {
    pub members: Vec<PatroniMember>,
    pub paused: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatroniMember {
    /// The pod's name.
    pub name: String,
    /// `leader`, `sync_standby`, `quorum_standby`, `replica`, `standby_leader`.
    pub role: String,
    /// `running`, `streaming`, `starting`, `stopped`, `crashed`, `creating replica`, …
    pub state: String,
    pub lag_bytes: Option<u64>,
    pub timeline: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedisView {
    /// `cluster_state:ok` and every slot served, as seen by a majority of the members.
    pub serving: bool,
    pub slots_assigned: u16,
    pub members: Vec<RedisMember>,
    /// Why it is not as it should be, in words; empty when all is well.
    pub problems: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedisMember {
    /// The pod's name, when the address belongs to one.
    pub pod: Option<String>,
    pub id: String,
    pub primary: bool,
    pub primary_id: Option<String>,
    pub slots: u16,
    pub linked: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RabbitView {
    pub running_nodes: Vec<String>,
    /// What of the topology is missing or different; empty when all is there.
    pub missing: Vec<String>,
    /// Queues without a leader.
    pub leaderless: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofView {
    /// RFC 3339.
    pub at: String,
    /// The `metadata.generation` the shop had.
    pub generation: i64,
    pub succeeded: bool,
    /// `gateway`, `service/user`, `postgres/orders/1`, `rabbitmq`, …, when it failed.
    pub tier: Option<String>,
    pub message: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskOutcome {
    pub succeeded: bool,
    pub message: String,
    /// Digest of the task that ran: a changed task is run again.
    pub digest: String,
}
