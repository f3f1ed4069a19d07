//! A shop whose spec was accepted: every default filled in, every quantity parsed, every image chosen.
//! Builders of objects read nothing but this and what was seen.

use k8s_openapi::api::core::v1::ResourceRequirements;
use serde::Serialize;
use shop_api::spec::GatewayServiceType;
use shop_contract::service::BuiltIn;
use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ValidatedShop {
    pub name: String,
    pub namespace: String,
    /// Empty in an offline plan.
    pub uid: String,
    pub generation: i64,
    /// Generation of the shard map as the status last told it; 0 before the first.
    pub map_generation: u64,
    /// All workloads are scaled to zero (done once, by `plan()`, for every component).
    pub suspend: bool,
    pub operator_namespace: String,
    /// Names of Secrets in the shop's namespace; empty: images need none.
    pub image_pull_secrets: Vec<String>,
    /// `catalog`, `orders`, `payments`, in this order.
    pub databases: Vec<Database>,
    pub redis: Redis,
    pub rabbitmq: RabbitMq,
    pub gateway: Gateway,
    /// `None`: mails are kept and marked as not sent.
    pub email: Option<Email>,
    /// The built-in ones first, then the user's own by name.
    pub services: Vec<Service>,
}

/// Bytes; printed as a Kubernetes quantity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Bytes(pub u64);

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Storage {
    pub size: Bytes,
    /// `None`: the cluster's default class.
    pub class_name: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Database {
    /// `catalog`, `orders` or `payments`.
    pub name: String,
    pub image: String,
    pub shards: u16,
    /// Standbys beside the primary, per shard.
    pub replicas: u16,
    pub storage: Storage,
    pub resources: ResourceRequirements,
    /// What Postgres may count on: the memory limit, else the request. `shared_buffers` is a quarter of it.
    pub memory: Bytes,
    /// The user's postgresql.conf settings; none of them is one the operator sets itself.
    pub parameters: BTreeMap<String, String>,
    /// A commit waits for a standby.
    pub synchronous: bool,
    /// `max_connections` of each instance.
    pub max_connections: u32,
    pub pooler: Pooler,
}

/// PgBouncer in front of each shard's primary.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pooler {
    pub replicas: u16,
    /// Connections one PgBouncer holds to Postgres (`default_pool_size`).
    pub pool_size: u32,
    /// Clients one PgBouncer accepts (`max_client_conn`).
    pub max_clients: u32,
    pub resources: ResourceRequirements,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Redis {
    pub image: String,
    /// 1: a single server without cluster mode.
    pub shards: u16,
    pub replicas: u16,
    pub storage: Storage,
    pub resources: ResourceRequirements,
    /// `maxmemory` of each server.
    pub max_memory: Bytes,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RabbitMq {
    pub image: String,
    pub nodes: u16,
    pub storage: Storage,
    pub resources: ResourceRequirements,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Gateway {
    pub image: String,
    pub replicas: u16,
    pub resources: ResourceRequirements,
    pub service_type: GatewayServiceType,
    pub node_port: Option<u16>,
    pub hostname: Option<String>,
}

/// The mail server.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Email {
    pub host: String,
    pub port: u16,
    /// As [`shop_contract::env::SMTP_TLS`] wants it.
    pub tls: &'static str,
    pub from: String,
    /// The user's own Secret with the keys `user` and `password`.
    pub secret: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Service {
    pub name: String,
    /// `None`: the user's own.
    #[serde(serialize_with = "built_in_name")]
    pub built_in: Option<&'static BuiltIn>,
    pub image: String,
    pub port: u16,
    /// Path prefixes the gateway sends here.
    pub routes: Vec<String>,
    pub replicas: Replicas,
    /// Pods of each background worker.
    pub worker_replicas: u16,
    pub resources: ResourceRequirements,
    pub env: BTreeMap<String, String>,
    /// Connections one process may hold to each shard, to the catalogue, to its replicas and to the payments.
    pub pool_size: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Replicas {
    Fixed(u16),
    /// A HorizontalPodAutoscaler owns the count: the Deployment must carry no `replicas`.
    Auto {
        min: u16,
        max: u16,
        target_cpu_percent: u16,
    },
}

impl Replicas {
    pub fn min(self) -> u16 {
        match self {
            Replicas::Fixed(count) => count,
            Replicas::Auto {
                min,
                max: _,
                target_cpu_percent: _,
            } => min,
        }
    }
    pub fn max(self) -> u16 {
        match self {
            Replicas::Fixed(count) => count,
            Replicas::Auto {
                min: _,
                max,
                target_cpu_percent: _,
            } => max,
        }
    }
}

impl ValidatedShop {
    pub fn database(&self, name: &str) -> &Database {
        self.databases
            .iter()
            .find(|database| database.name == name)
            .expect("validation fills in all three databases")
    }
    pub fn orders(&self) -> &Database {
        self.database(shop_contract::database::ORDERS)
    }
}

impl Redis {
    pub fn cluster(&self) -> bool {
        self.shards > 1
    }
    /// Servers in all.
    pub fn servers(&self) -> u32 {
        u32::from(self.shards) * (1 + u32::from(self.replicas))
    }
}

impl std::fmt::Display for Bytes {
    /// The shortest exact quantity: `20Gi`, `512Mi`, `1000`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (suffix, unit) in [("Ti", 1 << 40), ("Gi", 1 << 30), ("Mi", 1 << 20), ("Ki", 1_u64 << 10)] {
            if self.0 >= unit && self.0.is_multiple_of(unit) {
                return write!(f, "{}{suffix}", self.0 / unit);
            }
        }
        write!(f, "{}", self.0)
    }
}

fn built_in_name<S: serde::Serializer>(built_in: &Option<&'static BuiltIn>, out: S) -> Result<S::Ok, S::Error> {
    out.collect_str(built_in.map_or("", |known| known.name))
}
