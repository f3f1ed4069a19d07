//! spec → [`ValidatedShop`]: all problems at once, each with field, value and rule; defaults filled in from the audience.
//! Repeats what admission checks, because an object may be older than the rules. Looks at nothing but its arguments.

mod compute;
mod databases;
mod email;
mod problem;
mod services;
mod single;
mod standing;

pub use problem::{Problem, Problems};
pub use single::NAME as SINGLE;
pub use standing::Standing;

use crate::inputs::Inputs;
use crate::names;
use crate::shop::{Bytes, Gateway, RabbitMq, Redis, ValidatedShop};
use crate::topology::connections;
use crate::topology::sizing::{self, Sizes};
use shop_api::{ShopDeployment, ShopDeploymentSpec};

/// What a check reads.
struct Ask<'a> {
    shop: &'a str,
    spec: &'a ShopDeploymentSpec,
    inputs: &'a Inputs,
    standing: &'a Standing,
    sizes: Sizes,
}

pub fn validate(shop: &ShopDeployment, inputs: &Inputs, standing: &Standing) -> Result<ValidatedShop, Vec<Problem>> {
    let mut problems = Problems::default();
    let name = shop.metadata.name.clone().unwrap_or_default();
    check_name(&name, &mut problems);
    let ask = Ask {
        shop: &name,
        spec: &shop.spec,
        inputs,
        standing,
        sizes: sizing::sizes(&shop.spec.audience),
    };
    let validated = ValidatedShop {
        namespace: shop.metadata.namespace.clone().unwrap_or_else(|| "default".into()),
        uid: shop.metadata.uid.clone().unwrap_or_default(),
        map_generation: shop
            .status
            .as_ref()
            .and_then(|status| status.shard_map_generation)
            .unwrap_or_default(),
        generation: shop.metadata.generation.unwrap_or_default(),
        suspend: shop.spec.suspend,
        operator_namespace: inputs.operator_namespace.clone(),
        image_pull_secrets: inputs.image_pull_secrets.clone(),
        databases: databases::databases(&ask, &mut problems),
        redis: redis(&ask, &mut problems),
        rabbitmq: rabbitmq(&ask, &mut problems),
        gateway: gateway(&ask, &mut problems),
        email: email::email(&ask, &mut problems),
        services: services::services(&ask, &mut problems),
        name,
    };
    if problems.0.is_empty() {
        for problem in connections::budgets(&validated)
            .iter()
            .filter_map(connections::Budget::problem)
        {
            problems.add("spec.services", "connections", problem);
        }
    }
    if problems.0.is_empty() {
        Ok(validated)
    } else {
        Err(problems.0)
    }
}

fn check_name(name: &str, problems: &mut Problems) {
    let fits = name.len() <= names::MAX_SHOP_NAME && is_label(name);
    if !fits {
        let rule = "must have at most 30 characters: lower-case letters, digits and '-', starting with a letter";
        problems.add("metadata.name", name, rule);
    }
}

/// A DNS label that starts with a letter.
fn is_label(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && !name.ends_with('-')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

fn redis(ask: &Ask, problems: &mut Problems) -> Redis {
    let (spec, sizes) = (&ask.spec.redis, &ask.sizes);
    let shards = problems
        .fixed("spec.redis.shards", spec.shards, ask.standing.redis_shards)
        .unwrap_or(sizes.redis_shards);
    if !(shards == 1 || (3..=100).contains(&shards)) {
        problems.add(
            "spec.redis.shards",
            shards,
            "must be 1 (a single server) or between 3 and 100 (a cluster)",
        );
    }
    let sized = if shards == 1 { 0 } else { sizes.redis_replicas };
    let replicas = problems.between("spec.redis.replicas", spec.replicas, sized, (0, 4));
    if shards == 1 && replicas > 0 {
        problems.add(
            "spec.redis.replicas",
            replicas,
            "must be 0 when shards is 1: a single server has no replica",
        );
    }
    let (resources, memory) = compute::resources("spec.redis.resources", &spec.resources, sizes.redis, problems);
    let default = Bytes(memory.0 / 3 * 2);
    let max_memory = problems
        .bytes("spec.redis.maxMemory", spec.max_memory.as_ref())
        .unwrap_or(default);
    if max_memory > memory {
        problems.add(
            "spec.redis.maxMemory",
            max_memory,
            format!("must not exceed the memory limit {memory}"),
        );
    }
    let set = names::redis(ask.shop);
    let storage = compute::storage(
        "spec.redis.storage",
        &spec.storage,
        sizes.redis_storage,
        ask.standing.volumes.get(&set),
        problems,
    );
    let image = spec.image.clone().unwrap_or_else(|| ask.inputs.images.redis.clone());
    Redis {
        image,
        shards,
        replicas,
        storage,
        resources,
        max_memory,
    }
}

fn rabbitmq(ask: &Ask, problems: &mut Problems) -> RabbitMq {
    let (spec, sizes) = (&ask.spec.rabbitmq, &ask.sizes);
    let nodes = problems
        .fixed("spec.rabbitmq.nodes", spec.nodes, ask.standing.rabbitmq_nodes)
        .unwrap_or(sizes.rabbitmq_nodes);
    if ![1, 3, 5, 7].contains(&nodes) {
        problems.add("spec.rabbitmq.nodes", nodes, "must be one of 1, 3, 5, 7");
    }
    let (resources, _) = compute::resources("spec.rabbitmq.resources", &spec.resources, sizes.rabbitmq, problems);
    let set = names::rabbitmq(ask.shop);
    let standing = ask.standing.volumes.get(&set);
    let storage = compute::storage(
        "spec.rabbitmq.storage",
        &spec.storage,
        sizes.rabbitmq_storage,
        standing,
        problems,
    );
    let image = spec.image.clone().unwrap_or_else(|| ask.inputs.images.rabbitmq.clone());
    RabbitMq {
        image,
        nodes,
        storage,
        resources,
    }
}

fn gateway(ask: &Ask, problems: &mut Problems) -> Gateway {
    let (spec, sizes) = (&ask.spec.gateway, &ask.sizes);
    let (resources, _) = compute::resources("spec.gateway.resources", &spec.resources, sizes.gateway, problems);
    if let Some(port) = spec.node_port {
        problems.between("spec.gateway.nodePort", Some(port), port, (30000, 32767));
        if spec.service_type == shop_api::spec::GatewayServiceType::ClusterIP {
            problems.add(
                "spec.gateway.nodePort",
                port,
                "needs serviceType NodePort or LoadBalancer",
            );
        }
    }
    Gateway {
        image: spec.image.clone().unwrap_or_else(|| ask.inputs.images.gateway.clone()),
        replicas: problems.between("spec.gateway.replicas", spec.replicas, sizes.gateway_replicas, (1, 100)),
        resources,
        service_type: spec.service_type,
        node_port: spec.node_port,
        hostname: spec.hostname.clone(),
    }
}

#[cfg(test)]
mod tests;
