//! When the cluster is formed and healed, and that a serving cluster is never called unavailable.

use super::{NAME, Redis, config};
use crate::contract::Component;
use crate::fixtures::{empty_world, pod, settled, shop, tiny_shop, without_image};
use crate::health::State;
use crate::names;
use crate::observed::{Observed, RedisView, Seen};
use crate::shop::ValidatedShop;
use crate::task::Task;

fn with_pods(shop: &ValidatedShop, mut seen: Observed) -> Observed {
    let server = |ordinal: u32| pod(&shop.name, NAME, NAME, &names::pod(&names::redis(&shop.name), ordinal));
    seen.pods = Seen::Known((0..shop.redis.servers()).map(server).collect());
    seen
}

fn view(seen: &mut Observed) -> &mut RedisView {
    match &mut seen.redis {
        Seen::Known(view) => view,
        Seen::Absent | Seen::Unknown(_) => panic!("the fixture shows the cluster"),
    }
}

#[test]
fn a_whole_cluster_is_left_alone() {
    let shop = shop();
    let seen = with_pods(&shop, settled(&shop, empty_world()));
    assert!(Redis.plan(&shop, &seen).unwrap().tasks.is_empty());
    let health = Redis.health(&shop, &seen);
    assert_eq!((health.state, health.message.as_str()), (State::Ready, ""));
}

#[test]
fn a_new_cluster_waits_for_all_its_servers() {
    let shop = shop();
    let mut seen = with_pods(&shop, settled(&shop, empty_world()));
    *view(&mut seen) = RedisView {
        serving: false,
        slots_assigned: 0,
        members: vec![],
        problems: vec![],
    };
    assert!(matches!(
        Redis.plan(&shop, &seen).unwrap().tasks[..],
        [Task::EnsureRedis { .. }]
    ));
    if let Seen::Known(pods) = &mut seen.pods {
        pods.pop();
    }
    let plan = Redis.plan(&shop, &seen).unwrap();
    assert!(plan.tasks.is_empty());
    assert!(
        plan.waiting[0].reason.contains("of 6 servers run"),
        "{:?}",
        plan.waiting
    );
}

#[test]
fn nothing_is_done_on_a_guess() {
    let shop = shop();
    let mut seen = with_pods(&shop, empty_world());
    seen.redis = Seen::Unknown("no answer".into());
    assert!(Redis.plan(&shop, &seen).unwrap().tasks.is_empty());
    assert_eq!(Redis.health(&shop, &seen).state, State::Unknown);
}

#[test]
fn serving_with_a_problem_is_degraded_and_healed() {
    let shop = shop();
    let mut seen = with_pods(&shop, settled(&shop, empty_world()));
    if let Seen::Known(pods) = &mut seen.pods {
        pods[5] = without_image(pods[5].clone());
    }
    view(&mut seen).members[5].linked = false;
    let health = Redis.health(&shop, &seen);
    assert_eq!(health.state, State::Degraded);
    assert!(health.message.contains("demo-redis-5"), "{}", health.message);
    assert!(matches!(
        Redis.plan(&shop, &seen).unwrap().tasks[..],
        [Task::EnsureRedis { .. }]
    ));
}

#[test]
fn lost_slots_are_unavailable() {
    let shop = shop();
    let mut seen = with_pods(&shop, settled(&shop, empty_world()));
    view(&mut seen).serving = false;
    view(&mut seen).slots_assigned = 10922;
    let health = Redis.health(&shop, &seen);
    assert_eq!(health.state, State::Unavailable);
    assert!(health.message.contains("10922 of 16384"), "{}", health.message);
}

#[test]
fn a_single_server_is_no_cluster() {
    let mut shop = tiny_shop();
    (shop.redis.shards, shop.redis.replicas) = (1, 0);
    assert!(!config::file(&shop.redis).contains("cluster-enabled"));
    assert_eq!(
        Redis.health(&shop, &with_pods(&shop, empty_world())).state,
        State::Ready
    );
}
