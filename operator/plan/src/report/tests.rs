use super::*;
use crate::fixtures::{deployment, empty_world, evicted, inputs, pod, shop, without_image};
use crate::health::State;
use crate::observed::{ProofView, Seen};
use shop_api::status::ShardStatus;

fn plan(state: State) -> Plan {
    let health = |state, message: &str| Health::new(state, message, 1, 1);
    let shard = |index| ShardStatus {
        index,
        primary: Some("p".into()),
        in_sync: 1,
        replicas: 1,
        lag: None,
    };
    let orders = Health {
        shards: vec![shard(0), shard(1)],
        ..health(State::Ready, "")
    };
    let redis = if state == State::Ready {
        health(state, "")
    } else {
        health(state, "pod demo-redis-0 is starting")
    };
    Plan {
        health: [("postgres/orders".into(), orders), ("redis".into(), redis)].into(),
        ..Plan::default()
    }
}

fn proof(generation: i64, succeeded: bool) -> Seen<ProofView> {
    let tier = (!succeeded).then(|| "rabbitmq".to_owned());
    Seen::Known(ProofView {
        at: String::new(),
        generation,
        succeeded,
        tier,
        message: "not accepted after 10 s".into(),
    })
}

/// Reports, and gives back the object as the API server would hold it.
fn after(mut shop: ShopDeployment, plan: &Plan, seen: &Observed, second: i64) -> ShopDeployment {
    let validated = crate::fixtures::shop();
    let outcome = Outcome::Planned {
        shop: &validated,
        plan,
        trouble: None,
    };
    let now = inputs().now + jiff::SignedDuration::from_secs(second);
    shop.status = Some(report(&shop, outcome, seen, "0.1.0", now));
    shop
}

fn condition<'a>(shop: &'a ShopDeployment, kind: &str) -> (&'a str, &'a str) {
    let found = shop
        .status
        .as_ref()
        .unwrap()
        .conditions
        .iter()
        .find(|condition| condition.kind == kind);
    found.map_or(("", ""), |condition| (&condition.status, &condition.reason))
}

fn ready_shop() -> ShopDeployment {
    let seen = Observed {
        proof: proof(1, true),
        ..empty_world()
    };
    after(deployment("{}"), &plan(State::Ready), &seen, 0)
}

#[test]
fn ready_comes_with_the_first_test_order_and_not_before() {
    let coming = after(deployment("{}"), &plan(State::Progressing), &empty_world(), 0);
    assert_eq!(condition(&coming, "Ready"), ("False", "Progressing"));
    let untried = after(coming, &plan(State::Ready), &empty_world(), 1);
    assert_eq!(condition(&untried, "Ready"), ("False", "CheckoutPending"));
    let seen = Observed {
        proof: proof(1, true),
        ..empty_world()
    };
    let ready = after(untried, &plan(State::Ready), &seen, 2);
    assert_eq!(condition(&ready, "Ready"), ("True", "CheckoutSucceeds"));
    assert_eq!(
        (condition(&ready, "Reconciling").0, condition(&ready, "Stalled").0),
        ("False", "False")
    );
    assert_eq!(ready.status.unwrap().message, "serving");
}

#[test]
fn the_same_facts_later_give_the_same_status() {
    let ready = ready_shop();
    let seen = Observed {
        proof: proof(1, true),
        ..empty_world()
    };
    assert_eq!(
        after(ready.clone(), &plan(State::Ready), &seen, 3600).status,
        ready.status
    );
}

#[test]
fn a_fresh_operator_changes_nothing_before_it_has_tried() {
    let ready = ready_shop();
    assert_eq!(
        after(ready.clone(), &plan(State::Ready), &empty_world(), 60).status,
        ready.status
    );
}

#[test]
fn a_process_that_has_asked_nothing_yet_leaves_the_status() {
    let ready = ready_shop();
    let pods = Seen::Known(vec![pod("demo", "postgres", "orders-0", "demo-orders-0-0")]);
    let seen = Observed {
        pods,
        redis: Seen::Unknown("not asked yet".into()),
        ..empty_world()
    };
    assert_eq!(
        after(ready.clone(), &plan(State::Unavailable), &seen, 1).status,
        ready.status
    );
    assert_eq!(
        after(ready.clone(), &plan(State::Ready), &crate::fixtures::unknown_world(), 1).status,
        ready.status
    );
}

/// A test order that passed at the second, counted as `after` counts.
fn passed(second: i64) -> Seen<ProofView> {
    let at = (inputs().now + jiff::SignedDuration::from_secs(second)).to_string();
    match proof(1, true) {
        Seen::Known(proof) => Seen::Known(ProofView { at, ..proof }),
        Seen::Absent | Seen::Unknown(_) => panic!("the fixture is a proof"),
    }
}

#[test]
fn ready_rests_on_a_recent_test_order_while_something_is_unknown() {
    let at = |second| {
        let seen = Observed {
            proof: passed(0),
            ..empty_world()
        };
        after(ready_shop(), &plan(State::Unknown), &seen, second)
    };
    let recent = at(60);
    assert_eq!(condition(&recent, "Ready"), ("True", "CheckoutSucceeds"));
    assert_eq!(recent.status.unwrap().message, "serving; pod demo-redis-0 is starting");
    assert_eq!(condition(&at(600), "Ready"), ("Unknown", "NotObserved"));
    let again = Observed {
        proof: passed(630),
        ..empty_world()
    };
    let again = after(at(600), &plan(State::Unknown), &again, 631);
    assert_eq!(condition(&again, "Ready"), ("True", "CheckoutSucceeds"));
}

#[test]
fn a_test_order_that_cannot_be_placed_proves_nothing() {
    let tried = crate::observed::TaskOutcome {
        succeeded: false,
        message: "the Secret cannot be read".into(),
        digest: String::new(),
    };
    let mut seen = Observed {
        proof: Seen::Unknown("this process has not tried yet".into()),
        ..empty_world()
    };
    let untried = after(ready_shop(), &plan(State::Unknown), &seen, 60);
    assert_eq!(condition(&untried, "Ready"), ("True", "CheckoutSucceeds"));
    seen.done.insert(crate::task::PROVE.into(), tried);
    let in_vain = after(ready_shop(), &plan(State::Unknown), &seen, 60);
    assert_eq!(condition(&in_vain, "Ready"), ("Unknown", "NotObserved"));
}

#[test]
fn a_failed_test_order_names_the_tier() {
    let seen = Observed {
        proof: proof(1, false),
        ..empty_world()
    };
    let failed = after(ready_shop(), &plan(State::Ready), &seen, 60);
    assert_eq!(condition(&failed, "Ready"), ("False", "CheckoutFails"));
    assert_eq!(
        failed.status.unwrap().message,
        "a test order fails at rabbitmq: not accepted after 10 s"
    );
}

#[test]
fn a_stuck_update_stalls_but_the_shop_stays_ready() {
    let broken = without_image(pod("demo", "service", "order", "demo-order-6c4"));
    let seen = Observed {
        proof: proof(2, true),
        pods: Seen::Known(vec![broken]),
        ..empty_world()
    };
    let stuck = after(ready_shop(), &plan(State::Degraded), &seen, 60);
    assert_eq!(condition(&stuck, "Ready"), ("True", "ServingWithTrouble"));
    assert_eq!(condition(&stuck, "Stalled"), ("True", "PodCannotStart"));
    let wanted = "serving; pod demo-order-6c4: image registry.example/none:1 cannot be pulled";
    assert_eq!(stuck.status.unwrap().message, wanted);
}

#[test]
fn an_evicted_pod_of_a_deployment_is_over_and_one_of_a_stateful_set_is_not() {
    let with = |left: Pod| {
        let seen = Observed {
            proof: proof(1, true),
            pods: Seen::Known(vec![left]),
            ..empty_world()
        };
        after(ready_shop(), &plan(State::Ready), &seen, 60)
    };
    let over = with(evicted(pod("demo", "service", "order", "demo-order-6c4"), "ReplicaSet"));
    assert_eq!(condition(&over, "Stalled").0, "False");
    assert_eq!(condition(&over, "Ready"), ("True", "CheckoutSucceeds"));
    let lost = with(evicted(pod("demo", "redis", "redis", "demo-redis-0"), "StatefulSet"));
    assert_eq!(condition(&lost, "Stalled").0, "True");
}

#[test]
fn a_new_generation_reconciles_until_its_own_test_order() {
    let mut edited = ready_shop();
    edited.metadata.generation = Some(2);
    let seen = Observed {
        proof: proof(1, true),
        ..empty_world()
    };
    let on_the_way = after(edited, &plan(State::Ready), &seen, 60);
    assert_eq!(
        (
            condition(&on_the_way, "Ready").0,
            condition(&on_the_way, "Reconciling").0
        ),
        ("True", "True")
    );
    let unseen = after(on_the_way, &plan(State::Ready), &empty_world(), 61);
    assert_eq!(condition(&unseen, "Reconciling"), ("True", "CheckoutPending"));
    let seen = Observed {
        proof: proof(2, true),
        ..empty_world()
    };
    assert_eq!(
        condition(&after(unseen, &plan(State::Ready), &seen, 62), "Reconciling").0,
        "False"
    );
}

#[test]
fn an_invalid_spec_keeps_ready_and_says_everything() {
    let problem = |field: &str| Problem {
        field: field.into(),
        value: "2".into(),
        rule: "no".into(),
    };
    let mut shop = ready_shop();
    shop.metadata.generation = Some(2);
    let problems = [problem("spec.a"), problem("spec.b")];
    shop.status = Some(report(
        &shop,
        Outcome::Invalid(&problems),
        &empty_world(),
        "0.1.0",
        inputs().now,
    ));
    assert_eq!(condition(&shop, "Valid"), ("False", "SpecInvalid"));
    assert_eq!(
        (condition(&shop, "Ready").0, condition(&shop, "Stalled").0),
        ("True", "True")
    );
    let message = shop.status.unwrap().message;
    assert!(message.contains("spec.a") && message.contains("spec.b"), "{message}");
}

#[test]
fn a_time_moves_only_with_its_status() {
    let ready = ready_shop();
    let time = |shop: &ShopDeployment| {
        shop.status
            .as_ref()
            .unwrap()
            .conditions
            .iter()
            .find(|c| c.kind == "Ready")
            .unwrap()
            .last_transition_time
            .clone()
    };
    let seen = Observed {
        proof: proof(1, false),
        ..empty_world()
    };
    let failed = after(ready.clone(), &plan(State::Ready), &seen, 60);
    assert_ne!(time(&failed), time(&ready));
    assert_eq!(
        time(&after(failed.clone(), &plan(State::Ready), &seen, 120)),
        time(&failed)
    );
}

#[test]
fn recoverable_names_what_has_no_replica() {
    let ready = ready_shop();
    assert_eq!(condition(&ready, "Recoverable"), ("False", "SingleInstance"));
    assert_eq!(ready.status.unwrap().shards, format!("2/{}", shop().orders().shards));
}
