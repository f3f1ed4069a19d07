//! RabbitMQ: nodes that find each other by name and hold quorum queues. Users and topology are made through the
//! management API by a task, and made again when somebody deletes them.

mod config;
mod health;
mod pod;
mod tasks;
#[cfg(test)]
mod tests;

use super::applied::{Backends, Owner, port};
use super::standing::id;
use super::workload::{Stateful, stateful_set};
use crate::contract::{Component, ComponentPlan, Handover, PlanError, Rollout};
use crate::health::Health;
use crate::names;
use crate::object::{ComponentId, Object};
use crate::observed::Observed;
use crate::shop::ValidatedShop;
use shop_contract::port::{AMQP, RABBITMQ_CLUSTER, RABBITMQ_EPMD, RABBITMQ_MANAGEMENT, RABBITMQ_METRICS};

const NAME: &str = "rabbitmq";
/// Administers through the management API; the operator's own.
pub const ADMIN: &str = "operator";
/// Of the services.
pub const USER: &str = "shop";

pub struct RabbitMq;

impl Component for RabbitMq {
    fn id(&self) -> ComponentId {
        id(NAME)
    }

    fn needs(&self) -> Vec<ComponentId> {
        Vec::new()
    }

    fn plan(&self, shop: &ValidatedShop, seen: &Observed) -> Result<ComponentPlan, PlanError> {
        let owner = Owner {
            shop,
            id: self.id(),
            component: NAME,
            name: NAME.into(),
        };
        let mut plan = ComponentPlan {
            objects: objects(&owner, seen),
            ..ComponentPlan::default()
        };
        tasks::add(shop, seen, &mut plan);
        plan.rollouts.push(Rollout {
            stateful_set: names::rabbitmq(&shop.name),
            handover: Handover::RabbitMq {
                nodes: shop.rabbitmq.nodes,
            },
            rehearse: ["/usr/bin/erl", "-noshell", "-eval", "halt()."]
                .map(str::to_owned)
                .into(),
        });
        Ok(plan)
    }

    fn health(&self, shop: &ValidatedShop, seen: &Observed) -> Health {
        health::health(shop, seen)
    }
}

fn objects(owner: &Owner<'_>, seen: &Observed) -> Vec<Object> {
    let (shop, rabbitmq) = (owner.shop, &owner.shop.rabbitmq);
    let (name, pods) = (names::rabbitmq(&shop.name), names::rabbitmq_pods(&shop.name));
    let all = || Backends::Pods([].into());
    let between = [("epmd", RABBITMQ_EPMD), ("cluster", RABBITMQ_CLUSTER)].map(|(name, number)| port(name, number));
    let clients = [
        ("amqp", AMQP),
        ("management", RABBITMQ_MANAGEMENT),
        ("metrics", RABBITMQ_METRICS),
    ];
    let mut objects = vec![
        owner.account(&name),
        owner.config_map(
            &name,
            &[
                (config::FILE, config::file(shop)),
                (config::PLUGINS_FILE, config::plugins()),
            ],
        ),
        owner.service(&name, all(), clients.map(|(name, number)| port(name, number)).into()),
        owner.headless(&pods, all(), between.into()),
    ];
    if rabbitmq.nodes > 1 {
        objects.push(owner.budget(&name));
    }
    let wanted = Stateful {
        name: &name,
        pods_service: pods,
        replicas: u32::from(rabbitmq.nodes),
        storage: &rabbitmq.storage,
        notes: [].into(),
    };
    objects.push(stateful_set(owner, &wanted, pod::pod(owner), seen));
    objects
}
