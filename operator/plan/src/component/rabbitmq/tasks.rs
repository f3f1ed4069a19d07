//! When users and topology are made: after the start, and whenever something of them is seen missing.

use super::{ADMIN, NAME, USER};
use crate::component::standing::{due, id, secret, standing};
use crate::contract::ComponentPlan;
use crate::names::{self, key};
use crate::object::Waiting;
use crate::observed::Observed;
use crate::shop::ValidatedShop;
use crate::task::Task;

pub fn add(shop: &ValidatedShop, seen: &Observed, plan: &mut ComponentPlan) {
    if shop.suspend {
        return;
    }
    let waiting = |reason| Waiting {
        component: id(NAME),
        reason,
    };
    match standing(seen, NAME, NAME) {
        Err(why) => plan.waiting.push(waiting(format!("rabbitmq: {why}"))),
        Ok(pods) if pods.ready < majority(shop) => {
            let reason = format!("rabbitmq: {} of {} nodes run", pods.ready, shop.rabbitmq.nodes);
            plan.waiting.push(waiting(reason));
        }
        Ok(_) => {
            let missing = seen.rabbitmq.known().is_some_and(|view| !view.missing.is_empty());
            let task = task(shop);
            plan.tasks.extend(if missing { Some(task) } else { due(seen, task) });
        }
    }
}

pub fn majority(shop: &ValidatedShop) -> u32 {
    u32::from(shop.rabbitmq.nodes) / 2 + 1
}

pub fn task(shop: &ValidatedShop) -> Task {
    Task::EnsureRabbitMq {
        host: names::host(&shop.namespace, &names::rabbitmq(&shop.name)),
        admin_user: ADMIN.into(),
        admin_password: secret(shop, key::RABBITMQ_ADMIN),
        user: USER.into(),
        user_password: secret(shop, key::RABBITMQ_SHOP),
        nodes: shop.rabbitmq.nodes,
    }
}
