//! Whom to ask: the addresses of a shop's datastores, from the pods in the caches. Pure; makes no request.

use k8s_openapi::api::core::v1::Pod;
use shop_contract::port;
use shop_drivers::postgres::patroni;
use shop_drivers::redis;
use shop_plan::component::redis_replicas;
use shop_plan::observed::{Observed, ShardId};
use shop_plan::shop::ValidatedShop;
use shop_plan::task::PodAddress;
use shop_plan::{names, pod, topology};

/// Whom to ask. Made from what the caches hold, without a request.
pub struct Targets {
    pub(super) postgres: Vec<(ShardId, Vec<patroni::Address>)>,
    pub(super) redis: Vec<redis::Member>,
    pub(super) shape: redis::Shape,
    pub(super) rabbitmq: Option<String>,
    pub(super) nodes: u16,
    pub(super) secret: String,
}

impl Targets {
    /// Nobody runs yet; a new pod wakes the shop anyway.
    pub fn is_empty(&self) -> bool {
        self.redis.is_empty() && self.rabbitmq.is_none() && self.postgres.iter().all(|(_, pods)| pods.is_empty())
    }
}

pub fn targets(shop: &ValidatedShop, seen: &Observed) -> Targets {
    let shards = shop.databases.iter().flat_map(topology::shards::ids);
    let postgres = shards
        .map(|shard| {
            let pods = addressed(seen, "postgres", Some(&names::shard_name(&shard)));
            let members = pods.iter().filter_map(|(pod, _)| pod::patroni(pod));
            let address = |member: PodAddress| patroni::Address {
                name: member.pod,
                host: member.ip,
                port: member.port,
            };
            (shard, members.map(address).collect())
        })
        .collect();
    let member = |(pod, ip): &(&Pod, String)| redis::Member {
        pod: pod::name(pod).to_owned(),
        ip: ip.clone(),
        port: port::REDIS,
        node: pod::node(pod).unwrap_or_default().to_owned(),
    };
    let rabbits = addressed(seen, "rabbitmq", None);
    let ready = rabbits.iter().find(|(pod, _)| pod::is_ready(pod));
    Targets {
        postgres,
        redis: addressed(seen, "redis", None).iter().map(member).collect(),
        shape: redis::Shape {
            shards: shop.redis.shards,
            replicas: redis_replicas(shop, seen),
        },
        rabbitmq: ready.or(rabbits.first()).map(|(_, ip)| ip.clone()),
        nodes: shop.rabbitmq.nodes,
        secret: names::secret(&shop.name),
    }
}

/// Pods of a component that have an address and are not leaving.
fn addressed<'a>(seen: &'a Observed, component: &str, name: Option<&str>) -> Vec<(&'a Pod, String)> {
    let label = |pod: &Pod, key: &str| pod.metadata.labels.as_ref().and_then(|labels| labels.get(key)).cloned();
    let of = |pod: &&Pod| {
        label(pod, names::COMPONENT).as_deref() == Some(component)
            && name.is_none_or(|name| label(pod, names::NAME).as_deref() == Some(name))
            && !pod::is_leaving(pod)
    };
    let pods = seen.pods.known().into_iter().flatten().filter(of);
    pods.filter_map(|pod| Some((pod, pod::ip(pod)?.to_owned()))).collect()
}
