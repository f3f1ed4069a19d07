//! The whole plan with all its components: what it consists of, and what holds whatever was seen.

mod succession;

use crate::fixtures::{self, empty_world, settled, shop, tiny_shop, unknown_world, without_image};
use crate::health::{Health, State};
use crate::object::Plan;
use crate::observed::{Observed, Seen};
use crate::shop::ValidatedShop;
use crate::task::Task;
use crate::topology::shards::even_map;
use crate::validate::{Standing, validate};
use crate::{check, names, plan, pod};
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::Pod;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn planned(shop: &ValidatedShop, seen: &Observed) -> Plan {
    let plan = plan(shop, seen).expect("every valid shop can be planned");
    check(&plan, seen).unwrap_or_else(|findings| panic!("{findings:?}"));
    plan
}

/// Nothing is held back in a world of which nothing is known but that no shard map is published.
fn everything(shop: &ValidatedShop) -> Plan {
    planned(
        shop,
        &Observed {
            shard_map: Seen::Absent,
            ..unknown_world()
        },
    )
}

/// The world after a plan was applied: every workload exists, every pod was made from its template and is ready.
fn applied(shop: &ValidatedShop, plan: &Plan) -> Observed {
    let of_kind = |kind: &'static str| {
        plan.objects
            .iter()
            .filter(move |object| object.kind() == kind)
            .filter_map(|object| object.applied().cloned())
    };
    let read = |value: Value| serde_json::from_value(value).expect("the plan holds objects Kubernetes knows");
    let sets: Vec<StatefulSet> = of_kind("StatefulSet").map(read).collect();
    let deployments: Vec<Deployment> = of_kind("Deployment")
        .map(|value| serde_json::from_value(value).expect("a Deployment"))
        .collect();
    let pods = of_kind("StatefulSet").flat_map(|set| pods_of(&set)).collect();
    let seen = Observed {
        stateful_sets: Seen::Known(sets),
        deployments: Seen::Known(deployments),
        pods: Seen::Known(pods),
        shard_map: Seen::Known(even_map(shop)),
        ..empty_world()
    };
    settled(shop, seen)
}

fn pods_of(set: &Value) -> Vec<Pod> {
    let name = set["metadata"]["name"].as_str().expect("a name");
    let pod = |ordinal| {
        let mut pod = fixtures::pod("demo", "", "", &names::pod(name, ordinal));
        pod.metadata.labels =
            serde_json::from_value(set["spec"]["template"]["metadata"]["labels"].clone()).expect("labels");
        pod.metadata.annotations =
            serde_json::from_value(set["spec"]["template"]["metadata"]["annotations"].clone()).expect("annotations");
        pod
    };
    (0..u32::try_from(set["spec"]["replicas"].as_u64().expect("replicas")).expect("few"))
        .map(pod)
        .collect()
}

fn disturbing(plan: &Plan) -> Vec<String> {
    plan.tasks
        .iter()
        .filter(|task| task.disturbs())
        .map(Task::key)
        .collect()
}

/// One line per object: what a reader checks a new component against.
fn listing(plan: &Plan) -> String {
    let line = |object: &crate::Object| {
        let replicas = object.applied().and_then(|body| body["spec"]["replicas"].as_u64());
        let replicas = replicas.map_or(String::new(), |replicas| format!(" ×{replicas}"));
        format!(
            "{:?} {} {}{replicas}  ({})",
            object.wave,
            object.kind(),
            object.name(),
            object.component
        )
    };
    plan.objects.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_a_small_shop_consists_of() {
    let shop = shop();
    let first = everything(&shop);
    insta::assert_snapshot!(listing(&first));
}

#[test]
fn what_a_tiny_shop_consists_of() {
    insta::assert_snapshot!(listing(&everything(&tiny_shop())));
}

#[test]
fn services_wait_for_their_datastores_at_first() {
    let plan = planned(&shop(), &empty_world());
    assert!(
        plan.objects
            .iter()
            .all(|object| object.kind() != "Deployment" || !object.component.0.starts_with("service/"))
    );
    assert!(
        plan.waiting
            .iter()
            .any(|waiting| waiting.reason.starts_with("waits for ")),
        "{:?}",
        plan.waiting
    );
    assert!(
        plan.objects
            .iter()
            .any(|object| object.name() == "demo-orders-0" && object.kind() == "StatefulSet")
    );
}

#[test]
fn a_lost_datastore_takes_no_running_service_away() {
    let shop = shop();
    let all = everything(&shop);
    let mut seen = applied(&shop, &all);
    seen.redis = Seen::Unknown("no answer".into());
    seen.postgres.clear();
    let later = planned(&shop, &seen);
    let names = |plan: &Plan| {
        plan.objects
            .iter()
            .map(|object| object.name().to_owned())
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(names(&later), names(&all));
}

#[test]
fn a_test_order_is_placed_also_while_a_datastore_cannot_be_looked_at() {
    let proves = |health: &[(&str, State)]| {
        let of = |(id, state): &(&str, State)| ((*id).into(), Health::new(*state, "", 1, 1));
        let health = health.iter().map(of).collect();
        crate::policy::proof::plan_proof(&shop(), &health).is_some()
    };
    assert!(proves(&[("gateway", State::Ready), ("redis", State::Unknown)]));
    assert!(!proves(&[("gateway", State::Ready), ("redis", State::Progressing)]));
    assert!(!proves(&[("gateway", State::Unknown), ("redis", State::Unavailable)]));
}

#[test]
fn what_cannot_be_read_is_kept() {
    let shop = shop();
    let seen = Observed {
        shard_map: Seen::Unknown("no answer".into()),
        ..applied(&shop, &everything(&shop))
    };
    let plan = planned(&shop, &seen);
    assert!(
        plan.objects
            .iter()
            .all(|object| object.name() != names::shard_map("demo"))
    );
    assert!(plan.keep.contains(&"shop".into()), "the published map would be pruned");
}

#[test]
fn the_plan_of_a_plans_result_restarts_nothing() {
    for shop in [shop(), tiny_shop()] {
        let seen = applied(&shop, &everything(&shop));
        assert!(disturbing(&planned(&shop, &seen)).is_empty());
    }
}

#[test]
fn a_newer_operator_version_alone_restarts_nothing() {
    let shop = shop();
    let seen = applied(&shop, &everything(&shop));
    let mut later = shop.clone();
    later.generation += 1;
    assert!(disturbing(&planned(&later, &seen)).is_empty());
}

#[test]
fn objects_are_what_kubernetes_knows() {
    for object in everything(&shop()).objects.iter().filter_map(crate::Object::applied) {
        assert!(
            object["apiVersion"].is_string() && object["metadata"]["namespace"] == "default",
            "{object}"
        );
        assert_eq!(
            object["metadata"]["ownerReferences"][0]["controller"],
            json!(true),
            "{}",
            object["metadata"]["name"]
        );
    }
}

/// What may have become of one pod.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Well,
    Outdated,
    Broken,
    BrokenAndOutdated,
    Gone,
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        4 => Just(Fate::Well),
        4 => Just(Fate::Outdated),
        1 => Just(Fate::Broken),
        1 => Just(Fate::BrokenAndOutdated),
        1 => Just(Fate::Gone),
    ]
}

fn meet(mut pod: Pod, fate: Fate) -> Option<Pod> {
    if matches!(fate, Fate::Outdated | Fate::BrokenAndOutdated) {
        pod.metadata.annotations = None;
    }
    match fate {
        Fate::Well | Fate::Outdated => Some(pod),
        Fate::Broken | Fate::BrokenAndOutdated => Some(without_image(pod)),
        Fate::Gone => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    /// Names stay unique and nothing rests on the unknown (both in `check`); one step at a time in a component; a pod that
    /// serves is restarted only while every other pod of its component does.
    #[test]
    fn whatever_happened_to_the_pods(fates in prop::collection::vec(fate(), 24), blind in any::<[bool; 4]>()) {
        let shop = shop();
        let mut seen = applied(&shop, &everything(&shop));
        let pods: Vec<Pod> = seen.pods.known().cloned().unwrap_or_default();
        let met: Vec<Pod> = pods.into_iter().zip(fates.into_iter().cycle()).filter_map(|(pod, fate)| meet(pod, fate)).collect();
        seen.pods = if blind[0] { Seen::Unknown("blind".into()) } else { Seen::Known(met.clone()) };
        if blind[1] { seen.redis = Seen::Unknown("blind".into()); }
        if blind[2] { seen.rabbitmq = Seen::Unknown("blind".into()); }
        if blind[3] { seen.postgres.values_mut().for_each(|view| *view = Seen::Unknown("blind".into())); }

        let plan = planned(&shop, &seen);
        prop_assert!(!blind[0] || disturbing(&plan).is_empty());
        let component = |pod: &Pod| pod.metadata.labels.as_ref().and_then(|all| all.get(names::COMPONENT).cloned());
        for task in &plan.tasks {
            let Task::RestartPod { pod: name, .. } = task else { continue };
            let restarted = met.iter().find(|candidate| pod::name(candidate) == name).expect("it exists");
            let set = name.rsplit_once('-').map(|(set, _)| format!("{set}-")).expect("an ordinal");
            let mut others = met.iter().filter(|other| pod::name(other).starts_with(&set));
            prop_assert!(!pod::is_ready(restarted) || others.all(pod::is_ready), "{name} is restarted while another is away");
        }
        let redis = plan.tasks.iter().filter(|task| matches!(task, Task::RedisFailover { .. })).count();
        prop_assert!(redis <= 1);
        let restarts = plan.tasks.iter().filter(|task| matches!(task, Task::RestartPod { .. })).count();
        let components = met.iter().filter_map(component).collect::<BTreeSet<_>>().len() + 2;
        prop_assert!(restarts <= components, "{restarts} restarts at once in {components} components");
    }
}

/// Volumes as the StatefulSets of a plan ask for them: they stay when everything else is lost.
fn with_claims(plan: &Plan, mut seen: Observed) -> Observed {
    let sets = plan.objects.iter().filter(|object| object.kind() == "StatefulSet");
    let claims = sets.filter_map(crate::Object::applied).flat_map(|set| {
        let template = set["spec"]["volumeClaimTemplates"][0].clone();
        let set = set["metadata"]["name"].as_str().expect("a name").to_owned();
        [0, 1].map(|ordinal| {
            let mut claim = template.clone();
            claim["metadata"]["name"] = json!(format!("data-{}", names::pod(&set, ordinal)));
            serde_json::from_value(claim).expect("a claim")
        })
    });
    seen.claims = Seen::Known(claims.collect());
    seen
}

#[test]
fn a_lost_stateful_set_is_made_again_as_it_was() {
    let shop = shop();
    let all = everything(&shop);
    let larger = fixtures::deployment("audience: {dailyActiveUsers: 10M}");
    for lost in ["demo-orders-1", "demo-orders-0", "demo-redis", "demo-rabbitmq"] {
        let mut seen = with_claims(&all, applied(&shop, &all));
        if let Seen::Known(sets) = &mut seen.stateful_sets {
            sets.retain(|set| set.metadata.name.as_deref() != Some(lost));
        }
        let standing = Standing::of("demo", &seen).expect("all is known");
        let again = validate(&larger, &fixtures::inputs(), &standing).expect("it is valid");
        let shape = |shop: &ValidatedShop| {
            let storage = shop.databases.iter().map(|database| database.storage.size);
            let volumes: Vec<_> = storage
                .chain([shop.redis.storage.size, shop.rabbitmq.storage.size])
                .collect();
            (shop.orders().shards, shop.redis.shards, shop.rabbitmq.nodes, volumes)
        };
        assert_eq!(shape(&again), shape(&shop), "{lost} is lost");
        let map = |plan: &Plan| {
            plan.objects
                .iter()
                .find(|object| object.name() == "demo-shard-map")
                .cloned()
        };
        assert_eq!(map(&planned(&again, &seen)), map(&all), "{lost} is lost");
    }
}

/// The API server refuses a change of the claims, and a set that only lost its labels is still there.
#[test]
fn a_running_set_keeps_the_claims_it_was_made_with() {
    let shop = shop();
    let mut seen = applied(&shop, &everything(&shop));
    let Seen::Known(sets) = &mut seen.stateful_sets else {
        panic!("the world knows its sets")
    };
    for set in sets {
        let claims = set
            .spec
            .as_mut()
            .and_then(|spec| spec.volume_claim_templates.as_mut())
            .expect("claims");
        claims[0].metadata.annotations = None;
    }
    let notes = |seen: &Observed| {
        let plan = planned(&shop, seen);
        let mut sets = plan.objects.iter().filter(|object| object.kind() == "StatefulSet");
        let redis = sets.find(|object| object.name() == "demo-redis");
        let body = redis.and_then(crate::Object::applied).expect("the set");
        body["spec"]["volumeClaimTemplates"][0]["metadata"]["annotations"].clone()
    };
    assert_eq!(notes(&empty_world()), json!({names::SHARDS_ANNOTATION: "3"}));
    assert_eq!(notes(&seen), Value::Null);
    let claim = json!({"metadata": {"name": "data-demo-redis-0"}});
    seen.claims = Seen::Known(vec![serde_json::from_value(claim).expect("a claim")]);
    seen.stateful_sets = Seen::Known(vec![]);
    assert_eq!(notes(&seen), Value::Null);
}
