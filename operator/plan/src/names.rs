//! Object names, labels and addresses, each made here and nowhere else: `<shop>-<component>[-<shard>]`.
//! Comes in: the shop's name. Goes out: strings. Must not look at anything seen.

use crate::observed::ShardId;
use std::collections::BTreeMap;

/// A shop's name leaves room for the longest suffix in a 63-character DNS label.
pub const MAX_SHOP_NAME: usize = 30;

pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
pub const PART_OF: &str = "app.kubernetes.io/part-of";
pub const INSTANCE: &str = "app.kubernetes.io/instance";
pub const COMPONENT: &str = "app.kubernetes.io/component";
pub const NAME: &str = "app.kubernetes.io/name";
pub const OPERATOR: &str = "shop-operator";
/// Selects every object the operator made.
pub const MANAGED_SELECTOR: &str = "app.kubernetes.io/managed-by=shop-operator";
/// Label of a Patroni's pods and Endpoints: the scope that holds them together.
pub const SCOPE_LABEL: &str = "shop-operator.io/scope";
/// Annotation on every object: the [`crate::object::ComponentId`] that planned it.
pub const COMPONENT_ANNOTATION: &str = "shop-operator.io/component";
/// Annotation on every pod template: its digest, so that an outdated pod is known without guessing about defaults.
pub const TEMPLATE_ANNOTATION: &str = "shop-operator.io/template";
/// Annotation on a StatefulSet: its replicas when not suspended.
pub const REPLICAS_ANNOTATION: &str = "shop-operator.io/replicas";
/// Annotation on the StatefulSet of Redis and on its volume claims: its primaries.
pub const SHARDS_ANNOTATION: &str = "shop-operator.io/shards";
/// Annotation on a pod template: the digest of the config it reads, so that a change of the config replaces its pods.
pub const CONFIG_ANNOTATION: &str = "shop-operator.io/config";

/// Keys of the one generated Secret.
pub mod key {
    pub const POSTGRES_SUPERUSER: &str = "postgres-superuser";
    pub const POSTGRES_REPLICATION: &str = "postgres-replication";
    pub const POSTGRES_REWIND: &str = "postgres-rewind";
    pub const REDIS_PASSWORD: &str = "redis-password";
    pub const RABBITMQ_ADMIN: &str = "rabbitmq-admin";
    pub const RABBITMQ_SHOP: &str = "rabbitmq-shop";
    pub const ERLANG_COOKIE: &str = "erlang-cookie";
    pub const TOKEN_SEED: &str = "token-seed";
    pub const TOKEN_PUBLIC_KEY: &str = "token-public-key";
    pub const SYNTHETIC_KEY: &str = "synthetic-key";
    pub const WEBHOOK_SECRET: &str = "webhook-secret";

    /// The password of a database's role: `orders-password`.
    pub fn database_password(database: &str) -> String {
        format!("{database}-password")
    }
}

/// Labels of an object: `component` is the kind of thing (`postgres`), `name` which one (`orders-0`).
pub fn labels(shop: &str, component: &str, name: &str) -> BTreeMap<String, String> {
    let mut labels = selector(shop, component, name);
    labels.insert(MANAGED_BY.into(), OPERATOR.into());
    labels.insert(PART_OF.into(), "shop".into());
    labels
}

/// The part of [`labels`] a selector uses; never changes for the life of an object.
pub fn selector(shop: &str, component: &str, name: &str) -> BTreeMap<String, String> {
    [(INSTANCE, shop), (COMPONENT, component), (NAME, name)]
        .map(|(key, value)| (key.into(), value.into()))
        .into()
}

/// Selects every object the operator made for a shop.
pub fn managed_selector(shop: &str) -> String {
    format!("{MANAGED_SELECTOR},{INSTANCE}={shop}")
}
/// Selects what the Patronis of a shop run in (pods) and keep their state in (Endpoints).
pub fn patroni_selector(shop: &str) -> String {
    format!("{INSTANCE}={shop},{SCOPE_LABEL}")
}

pub fn secret(shop: &str) -> String {
    format!("{shop}-secrets")
}
pub fn shard_map(shop: &str) -> String {
    format!("{shop}-shard-map")
}

/// The value of the `name` label of one database cluster: `orders-0`.
pub fn shard_name(shard: &ShardId) -> String {
    format!("{}-{}", shard.database, shard.index)
}
/// Patroni's scope, its StatefulSet and its read-write Service: `demo-orders-0`.
pub fn scope(shop: &str, shard: &ShardId) -> String {
    format!("{shop}-{}", shard_name(shard))
}
pub fn postgres_pods(shop: &str, shard: &ShardId) -> String {
    format!("{}-pods", scope(shop, shard))
}
pub fn postgres_replicas(shop: &str, shard: &ShardId) -> String {
    format!("{}-replicas", scope(shop, shard))
}
/// What Patroni keeps its state in, beside the scope itself: Endpoints, each held by a Service of the same name.
pub fn patroni_state(shop: &str, shard: &ShardId) -> [String; 3] {
    ["config", "sync", "failover"].map(|part| format!("{}-{part}", scope(shop, shard)))
}
/// Patroni's account, role and role binding.
pub fn postgres_account(shop: &str) -> String {
    format!("{shop}-postgres")
}
/// The ConfigMap of one shard's Patroni.
pub fn patroni_config(shop: &str, shard: &ShardId) -> String {
    format!("{}-patroni", scope(shop, shard))
}
pub fn pooler(shop: &str, shard: &ShardId) -> String {
    format!("{}-pooler", scope(shop, shard))
}
/// The pooler in front of a shard's standbys.
pub fn readers_pooler(shop: &str, shard: &ShardId) -> String {
    format!("{}-readers-pooler", scope(shop, shard))
}

pub fn redis(shop: &str) -> String {
    format!("{shop}-redis")
}
pub fn redis_pods(shop: &str) -> String {
    format!("{shop}-redis-pods")
}
pub fn rabbitmq(shop: &str) -> String {
    format!("{shop}-rabbitmq")
}
pub fn rabbitmq_pods(shop: &str) -> String {
    format!("{shop}-rabbitmq-pods")
}
pub fn gateway(shop: &str) -> String {
    format!("{shop}-gateway")
}
pub fn service(shop: &str, service: &str) -> String {
    format!("{shop}-{service}")
}
pub fn worker(shop: &str, service: &str, worker: &str) -> String {
    format!("{shop}-{service}-{worker}")
}
/// Pod `ordinal` of a StatefulSet.
pub fn pod(stateful_set: &str, ordinal: u32) -> String {
    format!("{stateful_set}-{ordinal}")
}
/// The pod that tries a new template before the only pod of a datastore is restarted with it; one per template.
pub fn rehearsal(stateful_set: &str, digest: &str) -> String {
    format!("{stateful_set}-try-{}", digest.get(..8).unwrap_or(digest))
}

/// A Service's name inside the cluster, for clients in any namespace.
pub fn host(namespace: &str, service: &str) -> String {
    format!("{service}.{namespace}.svc")
}
