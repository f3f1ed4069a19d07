//! What the operator answers. Slow facts only: an idle shop's status does not change (lag and latency are metrics).

use crate::condition::Condition;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ShopDeploymentStatus {
    /// The `metadata.generation` this status speaks of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// One line a person reads first.
    pub message: String,
    /// The operator's version that wrote this.
    pub version: String,
    /// `ready/wanted`, for the printer columns.
    pub shards: String,
    pub primaries: String,
    pub services: String,
    /// Components that are ready, of all: `7/9 ready`.
    pub summary: String,
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub components: Vec<ComponentStatus>,
    /// Where the gateway answers inside the cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// The generation of the published shard map.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shard_map_generation: Option<u64>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ComponentStatus {
    /// `postgres/orders`, `redis`, `rabbitmq`, `gateway`, `service/order`.
    pub name: String,
    pub state: ComponentState,
    pub message: String,
    pub ready: u32,
    pub wanted: u32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shards: Vec<ShardStatus>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum ComponentState {
    Ready,
    /// Serves, with less redundancy or an unfinished change.
    Degraded,
    /// On its way for the first time, or waiting for what it needs.
    #[default]
    Progressing,
    Unavailable,
    Suspended,
    /// Could not be looked at.
    Unknown,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ShardStatus {
    pub index: u16,
    /// The pod that takes writes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub primary: Option<String>,
    /// Standbys a failover would lose nothing on.
    pub in_sync: u32,
    pub replicas: u32,
    /// `none`, `< 16 MiB`, `≥ 16 MiB`: steps, so that an idle shop's status does not change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lag: Option<String>,
}
