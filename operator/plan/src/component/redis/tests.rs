//! When the cluster is formed and healed, and that a serving cluster is never called unavailable.

use super::{NAME, Redis, config};
use crate::contract::Component;
use crate::fixtures::{empty_world, pod, settled, shop, shop_of, tiny_shop, without_image};
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

/// Three pairs run, servers 0 to 2 lead; the spec wants no replicas any more.
fn shrinking() -> (ValidatedShop, Observed) {
    let (before, after) = (shop_of("redis: {replicas: 1}"), shop_of("redis: {replicas: 0}"));
    let mut seen = with_pods(&before, settled(&before, empty_world()));
    let set = serde_json::json!({
        "metadata": {"name": "demo-redis", "annotations": {names::REPLICAS_ANNOTATION: "6"}},
        "spec": {"replicas": 6, "serviceName": "demo-redis-pods", "selector": {}, "template": {}},
    });
    seen.stateful_sets = Seen::Known(vec![serde_json::from_value(set).unwrap()]);
    (after, seen)
}

/// `new` leads what `old` led, which follows it from now on.
fn takes_over(view: &mut RedisView, new: usize, old: usize) {
    let slots = std::mem::take(&mut view.members[old].slots);
    let (old_id, new_id) = (view.members[old].id.clone(), view.members[new].id.clone());
    for member in &mut view.members {
        if member.id == old_id || member.primary_id.as_ref() == Some(&old_id) {
            (member.primary, member.primary_id) = (false, Some(new_id.clone()));
        }
    }
    let member = &mut view.members[new];
    (member.primary, member.primary_id, member.slots) = (true, None, slots);
}

/// How many servers are planned, who hands over to whom, and what is waited for.
fn shrunk(shop: &ValidatedShop, seen: &Observed) -> (u64, Option<[String; 2]>, Vec<String>) {
    let plan = Redis.plan(shop, seen).unwrap();
    let is_set = |object: &&crate::Object| object.kind() == "StatefulSet";
    let set = plan
        .objects
        .iter()
        .find(is_set)
        .and_then(crate::Object::applied)
        .unwrap();
    let handover = plan.tasks.iter().find_map(|task| match task {
        Task::RedisFailover { primary, replica, .. } => Some([primary.pod.clone(), replica.pod.clone()]),
        _ => None,
    });
    // The component's own step: a restart could plan the same failover a second time.
    assert_eq!(plan.rollouts.is_empty(), handover.is_some());
    let waiting = plan.waiting.into_iter().map(|waiting| waiting.reason).collect();
    (set["spec"]["replicas"].as_u64().unwrap(), handover, waiting)
}

#[test]
fn replicas_go_at_once_when_they_lead_nothing() {
    let (shop, seen) = shrinking();
    assert_eq!(shrunk(&shop, &seen), (3, None, vec![]));
}

#[test]
fn a_server_that_leads_hands_over_before_it_goes() {
    let (shop, mut seen) = shrinking();
    takes_over(view(&mut seen), 4, 1);
    let (servers, handover, waiting) = shrunk(&shop, &seen);
    assert_eq!(servers, 6);
    assert_eq!(handover, Some(["demo-redis-4", "demo-redis-1"].map(str::to_owned)));
    assert!(waiting[0].contains("demo-redis-4"), "{waiting:?}");
    assert_eq!(Redis.health(&shop, &seen).state, State::Ready);
    takes_over(view(&mut seen), 1, 4);
    assert_eq!(shrunk(&shop, &seen), (3, None, vec![]));
}

/// Servers 3 and 4 are a pair that would go whole; server 1 follows 0 beside them and can lead in their place.
#[test]
fn a_pair_that_would_go_whole_is_led_by_a_server_that_stays() {
    let (shop, mut seen) = shrinking();
    takes_over(view(&mut seen), 3, 0);
    takes_over(view(&mut seen), 4, 1);
    let members = &mut view(&mut seen).members;
    (members[0].primary_id, members[1].primary_id) = (Some("id-4".into()), Some("id-2".into()));
    members[5].primary_id = Some("id-3".into());
    // First who has a follower of its own.
    let (_, handover, _) = shrunk(&shop, &seen);
    assert_eq!(handover, Some(["demo-redis-4", "demo-redis-0"].map(str::to_owned)));
    takes_over(view(&mut seen), 0, 4);
    let (servers, handover, _) = shrunk(&shop, &seen);
    assert_eq!(
        (servers, handover),
        (6, Some(["demo-redis-3", "demo-redis-1"].map(str::to_owned)))
    );
}

#[test]
fn no_server_goes_while_who_leads_is_not_known_or_the_cluster_is_ill() {
    let (shop, mut seen) = shrinking();
    view(&mut seen).serving = false;
    assert_eq!(shrunk(&shop, &seen).0, 6);
    let (shop, mut seen) = shrinking();
    takes_over(view(&mut seen), 4, 1);
    view(&mut seen).problems.push("to do: something".into());
    let plan = Redis.plan(&shop, &seen).unwrap();
    let [Task::EnsureRedis { replicas, .. }] = &plan.tasks[..] else {
        panic!("it is healed first: {:?}", plan.tasks)
    };
    assert_eq!(*replicas, 1, "as it stands, so that nobody who is silent is forgotten");
    for unknown in [Seen::Unknown("no answer".into()), Seen::Absent] {
        seen.redis = unknown;
        let (servers, handover, waiting) = shrunk(&shop, &seen);
        assert_eq!((servers, handover), (6, None));
        assert!(waiting.iter().any(|why| why.contains("6 servers stay")), "{waiting:?}");
    }
}

#[test]
fn a_cluster_that_was_never_formed_shrinks_freely() {
    let (shop, mut seen) = shrinking();
    *view(&mut seen) = RedisView {
        serving: false,
        slots_assigned: 0,
        members: vec![],
        problems: vec![],
    };
    assert_eq!(shrunk(&shop, &seen).0, 3);
}
