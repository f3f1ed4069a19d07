//! Stories of a shop that grows out of its one process, and back: customers are served all the way.

use super::{applied, everything, planned};
use crate::fixtures::{pod, shop_of, tiny_shop};
use crate::names;
use crate::object::Plan;
use crate::observed::{Observed, Seen};
use crate::shop::ValidatedShop;
use k8s_openapi::api::core::v1::Pod;

fn grown() -> ValidatedShop {
    shop_of("{audience: {dailyActiveUsers: 10k}, services: {user: {replicas: 2}}}")
}

/// One ready pod of every Deployment of these components.
fn pods(plan: &Plan, of: impl Fn(&str) -> bool) -> Vec<Pod> {
    let made = |object: &crate::Object| {
        let template = &object.applied()?["spec"]["template"]["metadata"];
        let mut made = pod("demo", "", "", &format!("{}-7d9-x", object.name()));
        made.metadata.labels = serde_json::from_value(template["labels"].clone()).expect("labels");
        made.metadata.annotations = serde_json::from_value(template["annotations"].clone()).expect("annotations");
        Some(made)
    };
    let wanted = |object: &&crate::Object| object.kind() == "Deployment" && of(&object.component.0);
    plan.objects.iter().filter(wanted).filter_map(made).collect()
}

/// The world in which both shops' Deployments exist and these pods run beside the datastores'.
fn world(before: &ValidatedShop, after: &ValidatedShop, running: Vec<Pod>) -> Observed {
    let mut seen = applied(after, &everything(after));
    let old = applied(before, &everything(before)).deployments;
    let (Seen::Known(all), Seen::Known(old)) = (&mut seen.deployments, old) else {
        panic!("the world knows its Deployments")
    };
    let new: Vec<_> = all.iter().map(|one| one.metadata.name.clone()).collect();
    all.extend(old.into_iter().filter(|one| !new.contains(&one.metadata.name)));
    let Seen::Known(pods) = &mut seen.pods else {
        panic!("the world knows its pods")
    };
    pods.extend(running);
    seen
}

fn keeps(plan: &Plan, component: &str) -> bool {
    plan.keep.contains(&component.into())
}

fn has_gateway(plan: &Plan) -> bool {
    plan.objects
        .iter()
        .any(|object| object.name() == names::gateway("demo"))
}

fn handed_over(before: &ValidatedShop, after: &ValidatedShop, old: &str) {
    let (first, then) = (everything(before), everything(after));
    let serving = || pods(&first, |_| true);

    let starting = planned(after, &world(before, after, serving()));
    assert!(keeps(&starting, old), "{:?}", starting.keep);
    assert!(
        !has_gateway(&starting) && keeps(&starting, "gateway"),
        "the gateway sends to nobody"
    );
    assert!(
        starting.waiting.iter().any(|waiting| waiting.component.0 == "gateway"),
        "{:?}",
        starting.waiting
    );

    let services = |id: &str| id.starts_with("service/");
    let both = || serving().into_iter().chain(pods(&then, services)).collect::<Vec<_>>();
    let serve = planned(after, &world(before, after, both()));
    assert!(has_gateway(&serve), "{:?}", serve.waiting);
    assert!(
        keeps(&serve, old) && !serve.waiting.is_empty(),
        "an old gateway still sends to it"
    );

    let rolled = world(
        before,
        after,
        pods(&first, services)
            .into_iter()
            .chain(pods(&then, |_| true))
            .collect(),
    );
    let last = planned(after, &rolled);
    assert!(!keeps(&last, old) && !last.waiting.iter().any(|waiting| waiting.component.0 == "gateway"));

    let blind = Observed {
        pods: Seen::Unknown("no answer".into()),
        ..rolled
    };
    assert!(keeps(&planned(after, &blind), old), "unknown is not gone");
    let blind = Observed {
        deployments: Seen::Unknown("no answer".into()),
        ..blind
    };
    assert!(keeps(&planned(after, &blind), old), "unknown is not absent");

    let mut asleep = after.clone();
    asleep.suspend = true;
    assert!(
        !keeps(&planned(&asleep, &world(before, after, serving())), old),
        "its pods would run on"
    );
}

#[test]
fn the_one_process_serves_until_its_successors_do() {
    handed_over(&tiny_shop(), &grown(), "service/single");
}

#[test]
fn and_they_until_it_does() {
    handed_over(&grown(), &tiny_shop(), "service/order");
}

#[test]
fn a_shop_that_keeps_its_services_waits_for_nobody() {
    let shop = grown();
    let plan = planned(&shop, &world(&shop, &shop, vec![]));
    assert!(has_gateway(&plan) && !keeps(&plan, "gateway"));
}
