//! Redis (Valkey): a cluster of primaries with replicas, or a single server for the smallest shop. A cache: it keeps its
//! membership on disk but no data. Forming and healing is the driver's work, asked for by a task.

mod config;
mod health;
mod pod;
mod servers;
mod tasks;
#[cfg(test)]
mod tests;

use super::applied::{Backends, Owner, port};
use super::standing::{id, secret};
use super::workload::{Stateful, stateful_set};
use crate::contract::{Component, ComponentPlan, Handover, PlanError, Rollout};
use crate::health::Health;
use crate::names::{self, key};
use crate::object::{ComponentId, Object, Waiting};
use crate::observed::Observed;
use crate::shop::ValidatedShop;
pub use servers::replicas_now;
use servers::servers;
use shop_contract::port::{REDIS, REDIS_BUS};

const NAME: &str = "redis";
/// The ACL user of services, of replication and of the operator.
pub const USER: &str = "shop";

pub struct Redis;

impl Component for Redis {
    fn id(&self) -> ComponentId {
        id(NAME)
    }

    fn needs(&self) -> Vec<ComponentId> {
        Vec::new()
    }

    fn plan(&self, shop: &ValidatedShop, seen: &Observed) -> Result<ComponentPlan, PlanError> {
        let servers = servers(shop, seen);
        let mut plan = ComponentPlan {
            objects: objects(&owner(shop), servers.count, seen),
            ..ComponentPlan::default()
        };
        if shop.redis.cluster() {
            tasks::add(shop, seen, servers.count, &mut plan);
        }
        plan.waiting.extend(servers.waiting.map(|reason| Waiting {
            component: self.id(),
            reason,
        }));
        match servers.handover {
            // No restart meanwhile: it could ask for the same failover.
            Some(handover) => plan.tasks.push(handover),
            None => plan.rollouts.push(rollout(shop)),
        }
        Ok(plan)
    }

    fn health(&self, shop: &ValidatedShop, seen: &Observed) -> Health {
        health::health(shop, seen)
    }
}

fn rollout(shop: &ValidatedShop) -> Rollout {
    Rollout {
        stateful_set: names::redis(&shop.name),
        handover: Handover::Redis {
            user: USER.into(),
            password: secret(shop, key::REDIS_PASSWORD),
        },
        rehearse: vec![pod::PROGRAM.into(), "--version".into()],
    }
}

fn owner(shop: &ValidatedShop) -> Owner<'_> {
    Owner {
        shop,
        id: id(NAME),
        component: NAME,
        name: NAME.into(),
    }
}

fn objects(owner: &Owner<'_>, servers: u32, seen: &Observed) -> Vec<Object> {
    let (shop, redis) = (&owner.shop.name, &owner.shop.redis);
    let (name, pods) = (names::redis(shop), names::redis_pods(shop));
    let all = || Backends::Pods([].into());
    let mut objects = vec![
        owner.account(&name),
        owner.config_map(&name, &[(config::FILE, config::file(redis))]),
        owner.service(&name, all(), vec![port("redis", REDIS)]),
        owner.headless(&pods, all(), vec![port("redis", REDIS), port("bus", REDIS_BUS)]),
    ];
    if servers > 1 {
        objects.push(owner.budget(&name));
    }
    let wanted = Stateful {
        name: &name,
        pods_service: pods,
        replicas: servers,
        storage: &redis.storage,
        notes: [(names::SHARDS_ANNOTATION.to_owned(), redis.shards.to_string())].into(),
    };
    objects.push(stateful_set(owner, &wanted, pod::pod(owner), seen));
    objects
}
