//! rabbitmq.conf: `key = value` lines. Passwords come by environment.

use crate::names;
use crate::shop::ValidatedShop;
use shop_contract::port::{AMQP, RABBITMQ_MANAGEMENT, RABBITMQ_METRICS};

pub const FILE: &str = "rabbitmq.conf";
pub const PLUGINS_FILE: &str = "enabled_plugins";

pub fn file(shop: &ValidatedShop) -> String {
    let nodes = (0..u32::from(shop.rabbitmq.nodes)).map(|ordinal| {
        (
            format!("cluster_formation.classic_config.nodes.{}", ordinal + 1),
            node(shop, ordinal),
        )
    });
    let always = ALWAYS
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let sized = [
        ("listeners.tcp.default".to_owned(), AMQP.to_string()),
        ("management.tcp.port".to_owned(), RABBITMQ_MANAGEMENT.to_string()),
        ("prometheus.tcp.port".to_owned(), RABBITMQ_METRICS.to_string()),
        ("vm_memory_high_watermark.absolute".to_owned(), memory(shop).to_string()),
        (
            "cluster_formation.target_cluster_size_hint".to_owned(),
            shop.rabbitmq.nodes.to_string(),
        ),
    ];
    always
        .chain(sized)
        .chain(nodes)
        .map(|(name, value)| format!("{name} = {value}\n"))
        .collect()
}

/// An Erlang term: the list of plugins.
pub fn plugins() -> String {
    "[rabbitmq_management,rabbitmq_prometheus].\n".into()
}

/// The long name of a node.
pub fn node(shop: &ValidatedShop, ordinal: u32) -> String {
    format!(
        "rabbit@{}",
        host(shop, &names::pod(&names::rabbitmq(&shop.name), ordinal))
    )
}

/// The name of a node's pod, without the cluster's own domain, which the resolver adds. `$(POD_NAME)` works for `pod`.
pub fn host(shop: &ValidatedShop, pod: &str) -> String {
    format!(
        "{pod}.{}",
        names::host(&shop.namespace, &names::rabbitmq_pods(&shop.name))
    )
}

/// Publishers are held back from here on: 60 % of the limit, because collecting garbage may double a process's heap.
fn memory(shop: &ValidatedShop) -> u64 {
    const UNLIMITED: u64 = 256 << 20;
    let resources = &shop.rabbitmq.resources;
    let quantity = |map: &Option<std::collections::BTreeMap<String, _>>| -> Option<u64> {
        let k8s_openapi::apimachinery::pkg::api::resource::Quantity(text) = map.as_ref()?.get("memory")?;
        crate::quantity::bytes(text).ok().map(|bytes| bytes.0)
    };
    quantity(&resources.limits)
        .or_else(|| quantity(&resources.requests))
        .map_or(UNLIMITED, |bytes| bytes / 10 * 6)
}

const ALWAYS: &[(&str, &str)] = &[
    ("cluster_formation.peer_discovery_backend", "classic_config"),
    ("cluster_partition_handling", "pause_minority"),
    ("default_queue_type", "quorum"),
    ("queue_leader_locator", "balanced"),
    // Seconds after which a silent node counts as gone; 60 by default.
    ("net_ticktime", "15"),
    ("heartbeat", "15"),
    ("disk_free_limit.absolute", "100MB"),
    ("collect_statistics_interval", "15000"),
    ("log.console", "true"),
    ("log.console.level", "warning"),
    ("log.file", "false"),
    ("loopback_users", "none"),
];
