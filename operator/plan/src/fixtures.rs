//! Shops and worlds for tests: builders with chained verbs, nothing that decides.

use crate::inputs::{Images, Inputs};
use crate::names;
use crate::observed::{Observed, PatroniMember, PatroniView, RabbitView, RedisMember, RedisView, Seen, ShardId};
use crate::shop::ValidatedShop;
use crate::validate::{Standing, validate};
use k8s_openapi::api::core::v1::Pod;
use serde_json::json;
use shop_api::{ShopDeployment, ShopDeploymentSpec};
use std::collections::BTreeMap;

pub fn inputs() -> Inputs {
    let image = |name: &str| format!("registry.example/{name}:1");
    Inputs {
        images: Images {
            postgres: image("postgres"),
            redis: image("redis"),
            rabbitmq: image("rabbitmq"),
            gateway: image("gateway"),
            user: image("user"),
            product: image("product"),
            order: image("order"),
            inventory: image("inventory"),
            payment: image("payment"),
            recommendation: image("recommendation"),
            books: image("books"),
            single: image("single"),
        },
        image_pull_secrets: vec![],
        version: "0.1.0".into(),
        operator_namespace: "shop-system".into(),
        now: jiff::Timestamp::from_second(1_764_000_000).expect("a second in 2025"),
    }
}

/// A `ShopDeployment` demo in namespace default, generation 1, with this spec in YAML.
pub fn deployment(spec: &str) -> ShopDeployment {
    let spec: ShopDeploymentSpec = serde_saphyr::from_str(spec).expect("the test's spec is YAML of the known layout");
    let mut shop = ShopDeployment::new("demo", spec);
    shop.metadata.namespace = Some("default".into());
    shop.metadata.uid = Some("0c4e0000-0000-4000-8000-000000000001".into());
    shop.metadata.generation = Some(1);
    shop
}

/// The validated shop of a spec in YAML.
pub fn shop_of(spec: &str) -> ValidatedShop {
    match validate(&deployment(spec), &inputs(), &Standing::default()) {
        Ok(shop) => shop,
        Err(problems) => panic!("the test's spec is invalid: {problems:?}"),
    }
}

/// The default (small) shop.
pub fn shop() -> ValidatedShop {
    shop_of("{}")
}

/// One of everything.
pub fn tiny_shop() -> ValidatedShop {
    shop_of("audience: {dailyActiveUsers: 10k}")
}

/// Every watch is complete and nothing exists.
pub fn empty_world() -> Observed {
    Observed {
        stateful_sets: Seen::Known(vec![]),
        deployments: Seen::Known(vec![]),
        pods: Seen::Known(vec![]),
        claims: Seen::Known(vec![]),
        secrets: Seen::Known(BTreeMap::new()),
        shard_map: Seen::Absent,
        postgres: BTreeMap::new(),
        redis: Seen::Absent,
        rabbitmq: Seen::Absent,
        proof: Seen::Absent,
        done: BTreeMap::new(),
    }
}

/// Nothing could be looked at.
pub fn unknown_world() -> Observed {
    fn unknown<T>() -> Seen<T> {
        Seen::Unknown("the test looks away".into())
    }
    Observed {
        stateful_sets: unknown(),
        deployments: unknown(),
        pods: unknown(),
        claims: unknown(),
        secrets: unknown(),
        shard_map: unknown(),
        redis: unknown(),
        rabbitmq: unknown(),
        proof: unknown(),
        ..empty_world()
    }
}

/// A pod of `<shop>-<name>` with the operator's labels, scheduled and ready.
pub fn pod(shop: &str, component: &str, name: &str, pod: &str) -> Pod {
    serde_json::from_value(json!({
        "metadata": {"name": pod, "uid": format!("uid-{pod}"), "labels": names::labels(shop, component, name), "annotations": {}},
        "spec": {"nodeName": "node1", "containers": [{"name": "main", "ports": [{"name": "patroni", "containerPort": 8008}]}]},
        "status": {"phase": "Running", "podIP": "10.0.0.1", "conditions": [
            {"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": "True"},
        ]},
    }))
    .expect("the fixture is a pod")
}

/// The same pod, waiting for an image that does not exist.
pub fn without_image(mut pod: Pod) -> Pod {
    pod.status = serde_json::from_value(json!({
        "phase": "Pending",
        "podIP": "10.0.0.1",
        "conditions": [{"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": "False"}],
        "containerStatuses": [{
            "name": "main", "image": "registry.example/none:1", "imageID": "", "ready": false, "restartCount": 0,
            "state": {"waiting": {"reason": "ImagePullBackOff", "message": "not found"}},
        }],
    }))
    .expect("the fixture is a pod's status");
    pod
}

/// What an eviction leaves of a pod: it has ended, and `controller` (a kind) makes another.
pub fn evicted(mut pod: Pod, controller: &str) -> Pod {
    pod.metadata.owner_references = serde_json::from_value(json!([
        {"apiVersion": "apps/v1", "kind": controller, "name": "its", "uid": "its", "controller": true},
    ]))
    .expect("the fixture is an owner");
    pod.status = serde_json::from_value(json!({
        "phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory.",
    }))
    .expect("the fixture is a pod's status");
    pod
}

/// A shard as Patroni sees it when all is well: pod 0 leads, pod 1 is the synchronous standby.
pub fn patroni(scope: &str, members: u16, leader: u16) -> PatroniView {
    let sync = if leader == 0 { 1 } else { 0 };
    let member = |index: u16| PatroniMember {
        name: names::pod(scope, index.into()),
        role: match index {
            _ if index == leader => "leader",
            _ if index == sync => "sync_standby",
            _ => "replica",
        }
        .into(),
        state: if index == leader { "running" } else { "streaming" }.into(),
        lag_bytes: Some(0),
        timeline: Some(1),
    };
    PatroniView {
        members: (0..members).map(member).collect(),
        paused: false,
    }
}

/// Every datastore of a shop as it is when all is well.
pub fn settled(shop: &ValidatedShop, mut seen: Observed) -> Observed {
    for database in &shop.databases {
        for index in 0..database.shards {
            let shard = ShardId {
                database: database.name.clone(),
                index,
            };
            let view = patroni(&names::scope(&shop.name, &shard), database.replicas + 1, 0);
            seen.postgres.insert(shard, Seen::Known(view));
        }
    }
    seen.redis = Seen::Known(redis(shop));
    let node = |index: u16| format!("rabbit@{}", names::pod(&names::rabbitmq(&shop.name), index.into()));
    let running_nodes = (0..shop.rabbitmq.nodes).map(node).collect();
    seen.rabbitmq = Seen::Known(RabbitView {
        running_nodes,
        missing: vec![],
        leaderless: vec![],
    });
    seen
}

/// Primaries first, then replicas, in order of the pods.
fn redis(shop: &ValidatedShop) -> RedisView {
    let (shards, servers) = (u32::from(shop.redis.shards), shop.redis.servers());
    let member = |index: u32| RedisMember {
        pod: Some(names::pod(&names::redis(&shop.name), index)),
        id: format!("id-{index}"),
        primary: index < shards,
        primary_id: (index >= shards).then(|| format!("id-{}", index % shards)),
        slots: if index < shards { 16384 / shop.redis.shards } else { 0 },
        linked: true,
    };
    RedisView {
        serving: true,
        slots_assigned: 16384,
        members: (0..servers).map(member).collect(),
        problems: vec![],
    }
}
