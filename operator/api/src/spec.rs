//! The wish: everything a user may ask of a shop. Each field's doc says its unit, its default and what a change restarts.

use crate::status::ShopDeploymentStatus;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(group = "shop-operator.io", version = "v1alpha1", kind = "ShopDeployment", namespaced)]
#[kube(status = "ShopDeploymentStatus", shortname = "shop", category = "all", derive = "PartialEq")]
#[serde(rename_all = "camelCase", default)]
pub struct ShopDeploymentSpec {
    pub audience: Audience,
    pub postgres: Postgres,
    pub redis: Redis,
    pub rabbitmq: RabbitMq,
    pub gateway: Gateway,
    /// The built-in services by name (`user`, `product`, `order`), and services of your own (with `image` and `port`).
    pub services: BTreeMap<String, Service>,
    /// Scale every workload to zero and keep all data.
    pub suspend: bool,
    /// Refuse deletion of this resource while true.
    #[serde(default = "yes")]
    pub deletion_protection: bool,
}

/// What the shop is for; sizes everything that is not written below.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Audience {
    pub daily_active_users: Option<u64>,
    pub peak_requests_per_second: Option<u32>,
    pub orders_per_day: Option<u64>,
    pub products: Option<u64>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Postgres {
    pub image: Option<String>,
    pub catalog: Database,
    pub orders: ShardedDatabase,
    pub payments: Database,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Database {
    /// Standbys beside the primary.
    pub replicas: Option<u16>,
    pub storage: Storage,
    pub resources: Resources,
    /// postgresql.conf settings.
    pub parameters: BTreeMap<String, String>,
    /// A commit waits for a standby; `true` when there is one.
    pub synchronous: Option<bool>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ShardedDatabase {
    pub shards: Option<u16>,
    #[serde(flatten)]
    pub database: Database,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Storage {
    /// A Kubernetes quantity; sized by the audience.
    pub size: Option<String>,
    pub class_name: Option<String>,
}

/// Kubernetes quantities, as in a container's `resources`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Resources {
    pub requests: BTreeMap<String, String>,
    pub limits: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Redis {
    pub image: Option<String>,
    /// Primaries: 1 for a single server, 3 or more for a cluster.
    pub shards: Option<u16>,
    /// Replicas of each primary.
    pub replicas: Option<u16>,
    pub storage: Storage,
    pub resources: Resources,
    /// Memory for data, as a quantity.
    pub max_memory: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RabbitMq {
    pub image: Option<String>,
    /// Odd: 1, 3, 5 or 7.
    pub nodes: Option<u16>,
    pub storage: Storage,
    pub resources: Resources,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Gateway {
    pub image: Option<String>,
    pub replicas: Option<u16>,
    pub resources: Resources,
    pub service_type: GatewayServiceType,
    pub node_port: Option<u16>,
    /// The name customers call the shop by.
    pub hostname: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum GatewayServiceType {
    #[default]
    ClusterIP,
    NodePort,
    LoadBalancer,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Service {
    /// Needed for a service of your own; replaces the operator's default for a built-in one.
    pub image: Option<String>,
    /// Needed for a service of your own.
    pub port: Option<u16>,
    /// Path prefix the gateway sends to a service of your own.
    pub route: Option<String>,
    pub replicas: Option<u16>,
    pub autoscaling: Option<Autoscaling>,
    pub resources: Resources,
    /// Plain environment variables; names starting with `SHOP_` are the operator's.
    pub env: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Autoscaling {
    pub min_replicas: u16,
    pub max_replicas: u16,
    /// Percent of the requested CPU.
    #[serde(default = "seventy")]
    pub target_cpu_utilization: u16,
}

fn yes() -> bool {
    true
}
fn seventy() -> u16 {
    70
}
