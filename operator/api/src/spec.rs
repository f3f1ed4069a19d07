//! The wish: everything a user may ask of a shop. Each field's doc says its unit, its default and what a change restarts;
//! `kubectl explain` prints it. Sections live in `component/`.

// Clippy takes the repeated keys of printer columns for repeated attributes.
#![allow(clippy::duplicated_attributes)]

pub use crate::component::email::{Email, EmailSecretRef, EmailTls};
pub use crate::component::gateway::{Gateway, GatewayServiceType};
pub use crate::component::postgres::{Database, Postgres, ShardedDatabase};
pub use crate::component::rabbitmq::RabbitMq;
pub use crate::component::redis::Redis;
pub use crate::component::resources::{ResourceList, Resources, Storage};
pub use crate::component::service::{Autoscaling, Service};
pub use crate::quantity::{Count, Quantity};
use crate::rule;
use crate::status::ShopDeploymentStatus;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A whole shop: databases, cache, broker, gateway and services, made, repaired and reported by the operator.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "shop-operator.io",
    version = "v1alpha1",
    kind = "ShopDeployment",
    namespaced
)]
#[kube(
    status = "ShopDeploymentStatus",
    shortname = "shop",
    category = "all",
    derive = "PartialEq"
)]
#[kube(
    doc = "A whole shop: databases, cache, broker, gateway and services, made, repaired and reported by the operator."
)]
#[kube(validation = rule::short_name())]
#[kube(printcolumn(
    name = "Ready",
    type_ = "string",
    json_path = r#".status.conditions[?(@.type=="Ready")].status"#
))]
#[kube(printcolumn(name = "Shards", type_ = "string", json_path = ".status.shards"))]
#[kube(printcolumn(name = "Primaries", type_ = "string", json_path = ".status.primaries"))]
#[kube(printcolumn(name = "Services", type_ = "string", json_path = ".status.services"))]
#[kube(printcolumn(name = "Version", type_ = "string", json_path = ".status.version"))]
#[kube(printcolumn(name = "Message", type_ = "string", json_path = ".status.message"))]
#[kube(printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"))]
#[kube(printcolumn(name = "Endpoint", type_ = "string", json_path = ".status.endpoint", priority = 1))]
#[kube(printcolumn(name = "Components", type_ = "string", json_path = ".status.summary", priority = 1))]
#[kube(printcolumn(
    name = "Map",
    type_ = "integer",
    json_path = ".status.shardMapGeneration",
    priority = 1
))]
#[serde(rename_all = "camelCase", default)]
pub struct ShopDeploymentSpec {
    /// Who the shop is for. It sizes everything that is not written below; whatever is written below wins.
    /// The sizes, by daily active users (default: small):
    /// tiny, up to 10k: one of everything, no standby, and all built-in services in one process (unless one of them is named
    /// in `services`). Small, up to 100k: orders 2 shards of 1+1, catalog and payments 1+0,
    /// Redis 3×(1+1), RabbitMQ 3, gateway and the services customers wait for 2 pods. Medium, up to 1M: orders 4 shards of 1+2, catalog 1+3,
    /// payments 1+1, services 3 to 4 pods. Large, up to 10M: orders 16 shards of 1+2, Redis 6×(1+1), RabbitMQ 5.
    /// Huge, above: orders 64 shards, Redis 12×(1+2).
    pub audience: Audience,
    /// The three databases: `catalog`, `orders` (sharded by customer) and `payments`.
    pub postgres: Postgres,
    /// The cache: sessions, carts, product pages.
    pub redis: Redis,
    /// The broker that carries events from the services to their workers.
    pub rabbitmq: RabbitMq,
    /// The one door customers come in by.
    pub gateway: Gateway,
    /// The mail server for mails to customers; default: none, mails are then kept and marked as not sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
    /// The built-in services by name (`user`, `product`, `order`, `inventory`, `payment`, `recommendation`, `books`), and
    /// services of your own (with `image` and `port`). A built-in service runs whether or not it is named here. At most 32.
    #[schemars(extend("maxProperties" = 32))]
    #[schemars(extend("x-kubernetes-validations" = [rule::own_services_are_complete(), rule::built_in_services_keep_their_port()]))]
    pub services: BTreeMap<String, Service>,
    /// Scale every workload to zero and keep all data; default false. Stops every pod; false starts them again.
    pub suspend: bool,
    /// Refuse deletion of this resource while true; default true. Restarts nothing. Volumes are kept in any case.
    pub deletion_protection: bool,
}

impl Default for ShopDeploymentSpec {
    fn default() -> Self {
        Self {
            audience: Audience::default(),
            postgres: Postgres::default(),
            redis: Redis::default(),
            rabbitmq: RabbitMq::default(),
            gateway: Gateway::default(),
            email: None,
            services: BTreeMap::new(),
            suspend: false,
            deletion_protection: true,
        }
    }
}

/// What the shop is for; sizes everything that is not written elsewhere. A change restarts what changes its size, one pod at
/// a time; what is fixed after creation (shards, volumes, nodes of the broker) keeps its size.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Audience {
    /// People who visit on one day: `250000` or `250k`; default 100k. Chooses the size.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub daily_active_users: Option<Count>,
    /// Requests in the busiest second; raises the size when it is more than a hundredth of the daily users.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peak_requests_per_second: Option<Count>,
    /// Orders placed on one day; sizes the volumes of `orders` and `payments` (4 KiB an order, kept two years, doubled).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub orders_per_day: Option<Count>,
    /// Products in the catalogue; sizes the volume of `catalog` (8 KiB a product, doubled).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub products: Option<Count>,
}
