//! The environment of services, workers, autoscaling, and how their health is told.

use super::Service;
use crate::contract::Component;
use crate::fixtures::{empty_world, pod, shop, shop_of, without_image};
use crate::health::State;
use crate::object::{Body, ComponentId};
use crate::observed::Seen;
use crate::shop::ValidatedShop;
use serde_json::Value;
use std::collections::BTreeSet;

fn service(name: &str) -> Service {
    Service { name: name.into() }
}

fn object(shop: &ValidatedShop, service_name: &str, kind: &str, name: &str) -> Option<Value> {
    let plan = service(service_name).plan(shop, &empty_world()).unwrap();
    plan.objects.into_iter().find_map(|object| match object.body {
        Body::Applied(body) if body["kind"] == kind && body["metadata"]["name"] == name => Some(body),
        Body::Applied(_) | Body::Generated { .. } => None,
    })
}

fn variables(deployment: &Value) -> BTreeSet<String> {
    let container = &deployment["spec"]["template"]["spec"]["containers"][0];
    container["env"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_service_gets_what_it_uses_and_no_more() {
    let shop = shop();
    let user = variables(&object(&shop, "user", "Deployment", "demo-user").unwrap());
    let product = variables(&object(&shop, "product", "Deployment", "demo-product").unwrap());
    assert!(user.contains("SHOP_TOKEN_SEED") && user.contains("SHOP_SHARD_MAP"));
    assert!(!product.contains("SHOP_TOKEN_SEED") && !product.contains("SHOP_ORDERS_PASSWORD"));
    assert!(product.contains("SHOP_CATALOG_PRIMARY_HOST") && product.contains("SHOP_REDIS_MODE"));
}

#[test]
fn a_worker_runs_beside_the_api_without_a_service() {
    let shop = shop();
    let worker = object(&shop, "order", "Deployment", "demo-order-work").unwrap();
    let pod = &worker["spec"]["template"]["spec"];
    assert_eq!(pod["containers"][0]["args"][0], "work");
    assert_eq!(pod["initContainers"][0]["args"][0], "migrate");
    assert!(object(&shop, "order", "Service", "demo-order").is_some());
    assert!(object(&shop, "order", "Service", "demo-order-work").is_none());
}

#[test]
fn it_starts_after_the_datastores_it_uses() {
    let needs: Vec<ComponentId> = service("order").needs();
    assert_eq!(needs, ["postgres/orders", "rabbitmq"].map(|id| ComponentId(id.into())));
    assert!(service("reviews").needs().is_empty());
}

#[test]
fn an_autoscaler_owns_the_count() {
    let shop =
        shop_of("services: {product: {autoscaling: {minReplicas: 2, maxReplicas: 6, targetCpuUtilization: 70}}}");
    let deployment = object(&shop, "product", "Deployment", "demo-product").unwrap();
    assert!(deployment["spec"]["replicas"].is_null());
    let scaler = object(&shop, "product", "HorizontalPodAutoscaler", "demo-product").unwrap();
    assert_eq!(
        (&scaler["spec"]["minReplicas"], &scaler["spec"]["maxReplicas"]),
        (&2.into(), &6.into())
    );
}

#[test]
fn a_service_of_your_own_gets_your_environment() {
    let own = "services: {reviews: {image: 'registry.example/reviews:1', port: 3000, route: /r, env: {COLOUR: blue}}}";
    let shop = shop_of(own);
    let deployment = object(&shop, "reviews", "Deployment", "demo-reviews").unwrap();
    assert_eq!(variables(&deployment), BTreeSet::from(["COLOUR".to_owned()]));
    assert!(deployment["spec"]["template"]["spec"]["initContainers"].is_null());
}

#[test]
fn a_new_version_without_image_degrades_and_says_why() {
    let shop = shop();
    let wanted = shop
        .services
        .iter()
        .find(|service| service.name == "user")
        .unwrap()
        .replicas
        .min();
    let mut pods: Vec<_> = (0..wanted)
        .map(|index| pod("demo", "service", "user", &format!("demo-user-a{index}")))
        .collect();
    pods.push(without_image(pod("demo", "service", "user", "demo-user-b0")));
    let mut seen = empty_world();
    seen.pods = Seen::Known(pods);
    let health = service("user").health(&shop, &seen);
    assert_eq!(health.state, State::Degraded);
    assert!(
        health
            .message
            .contains("image registry.example/none:1 cannot be pulled"),
        "{}",
        health.message
    );
}

#[test]
fn a_worker_that_stands_still_degrades_its_service() {
    let shop = shop();
    let order = shop.services.iter().find(|service| service.name == "order").unwrap();
    let mut pods: Vec<_> = (0..order.replicas.min())
        .map(|index| pod("demo", "service", "order", &format!("demo-order-a{index}")))
        .collect();
    pods.push(without_image(pod(
        "demo",
        "service",
        "order-work",
        "demo-order-work-b0",
    )));
    let mut seen = empty_world();
    seen.pods = Seen::Known(pods);
    let health = service("order").health(&shop, &seen);
    assert_eq!(health.state, State::Degraded);
    assert!(health.message.contains("demo-order-work-b0"), "{}", health.message);
}
