//! When the topology is made, and how the health of the nodes is told.

use super::{NAME, RabbitMq, config};
use crate::contract::Component;
use crate::digest::digest_of;
use crate::fixtures::{empty_world, pod, settled, shop};
use crate::health::State;
use crate::names;
use crate::observed::{Observed, Seen, TaskOutcome};
use crate::shop::ValidatedShop;

fn running(shop: &ValidatedShop, nodes: u32) -> Observed {
    let mut seen = settled(shop, empty_world());
    let node = |ordinal: u32| {
        pod(
            &shop.name,
            NAME,
            NAME,
            &names::pod(&names::rabbitmq(&shop.name), ordinal),
        )
    };
    seen.pods = Seen::Known((0..nodes).map(node).collect());
    let task = super::tasks::task(shop);
    let outcome = TaskOutcome {
        succeeded: true,
        message: String::new(),
        digest: digest_of(&task),
    };
    seen.done.insert(task.key(), outcome);
    seen
}

fn miss(seen: &mut Observed, what: &str) {
    if let Seen::Known(view) = &mut seen.rabbitmq {
        view.missing.push(what.into());
    }
}

#[test]
fn every_node_is_listed_by_its_long_name() {
    let text = config::file(&shop());
    assert!(
        text.contains("nodes.3 = rabbit@demo-rabbitmq-2.demo-rabbitmq-pods.default.svc\n"),
        "{text}"
    );
    assert!(text.contains("cluster_partition_handling = pause_minority\n"));
}

#[test]
fn all_well_plans_nothing() {
    let shop = shop();
    let seen = running(&shop, 3);
    assert!(RabbitMq.plan(&shop, &seen).unwrap().tasks.is_empty());
    assert_eq!(RabbitMq.health(&shop, &seen).state, State::Ready);
}

#[test]
fn what_somebody_deleted_is_made_again() {
    let shop = shop();
    let mut seen = running(&shop, 3);
    miss(&mut seen, "queue order.work");
    assert_eq!(RabbitMq.plan(&shop, &seen).unwrap().tasks.len(), 1);
    let health = RabbitMq.health(&shop, &seen);
    assert_eq!(health.state, State::Progressing);
    assert!(
        health.message.contains("queue order.work is missing"),
        "{}",
        health.message
    );
}

#[test]
fn a_minority_is_not_worked_on() {
    let shop = shop();
    let seen = running(&shop, 1);
    let plan = RabbitMq.plan(&shop, &seen).unwrap();
    assert!(plan.tasks.is_empty());
    assert!(
        plan.waiting[0].reason.contains("1 of 3 nodes run"),
        "{:?}",
        plan.waiting
    );
    assert_eq!(RabbitMq.health(&shop, &seen).state, State::Unavailable);
}

#[test]
fn one_lost_node_degrades() {
    let shop = shop();
    let health = RabbitMq.health(&shop, &running(&shop, 2));
    assert_eq!(health.state, State::Degraded);
    assert_eq!((health.ready, health.wanted), (2, 3));
}
