//! The environment of services, workers, autoscaling, and how their health is told.

use super::Service;
use crate::contract::Component;
use crate::fixtures::{empty_world, evicted, pod, shop, shop_of, tiny_shop, without_image};
use crate::health::State;
use crate::object::{Body, ComponentId};
use crate::observed::Seen;
use crate::shop::ValidatedShop;
use serde_json::Value;
use shop_contract::service::ALL;
use std::collections::{BTreeMap, BTreeSet};

fn service(name: &str) -> Service {
    Service {
        name: name.into(),
        built_in: ALL.iter().find(|known| known.name == name),
    }
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

/// The container's environment: name → its value, or `<secret>/<key>`.
fn environment(shop: &ValidatedShop, service: &str) -> BTreeMap<String, String> {
    let deployment = object(shop, service, "Deployment", &format!("demo-{service}")).unwrap();
    let env = deployment["spec"]["template"]["spec"]["containers"][0]["env"].clone();
    let read = |one: &Value| {
        let key = &one["valueFrom"]["secretKeyRef"];
        let secret = format!(
            "{}/{}",
            key["name"].as_str().unwrap_or_default(),
            key["key"].as_str().unwrap_or_default()
        );
        let value = one["value"].as_str().map_or(secret, str::to_owned);
        (one["name"].as_str().unwrap().to_owned(), value)
    };
    env.as_array().unwrap().iter().map(read).collect()
}

#[test]
fn payment_has_its_database_and_its_secret() {
    let payment = environment(&shop(), "payment");
    assert_eq!(payment["SHOP_PAYMENTS_HOST"], "demo-payments-0-pooler.default.svc");
    assert_eq!(payment["SHOP_PAYMENTS_PRIMARY_HOST"], "demo-payments-0.default.svc");
    assert_eq!(payment["SHOP_PAYMENTS_PASSWORD"], "demo-secrets/payments-password");
    assert_eq!(payment["SHOP_WEBHOOK_SECRET"], "demo-secrets/webhook-secret");
    assert!(!payment.contains_key("SHOP_CATALOG_PASSWORD") && !payment.contains_key("SHOP_ORDERS_PASSWORD"));
}

#[test]
fn order_finds_product_and_inventory() {
    let order = environment(&shop(), "order");
    assert_eq!(order["SHOP_PRODUCT_URL"], "http://demo-product.default.svc:8080");
    assert_eq!(order["SHOP_INVENTORY_URL"], "http://demo-inventory.default.svc:8080");
}

#[test]
fn standbys_of_the_catalogue_are_read_where_there_are_any() {
    assert!(!environment(&shop(), "product").contains_key("SHOP_CATALOG_REPLICA_HOST"));
    let product = environment(&shop_of("postgres: {catalog: {replicas: 1}}"), "product");
    assert_eq!(
        product["SHOP_CATALOG_REPLICA_HOST"],
        "demo-catalog-0-readers-pooler.default.svc"
    );
    assert_eq!(product["SHOP_CATALOG_REPLICA_PORT"], "6432");
}

#[test]
fn only_user_gets_the_mail_server() {
    let email = "email: {host: smtp.example.com, from: 'Shop <orders@example.com>', secretRef: {name: mail}}";
    let shop = shop_of(email);
    let user = environment(&shop, "user");
    let mail = ["HOST", "PORT", "TLS", "FROM", "USER", "PASSWORD", "AUTHORITY"]
        .map(|part| user[&format!("SHOP_SMTP_{part}")].as_str());
    assert_eq!(
        mail,
        [
            "smtp.example.com",
            "587",
            "starttls",
            "Shop <orders@example.com>",
            "mail/user",
            "mail/password",
            "mail/ca.crt"
        ]
    );
    assert!(
        !environment(&shop, "order")
            .keys()
            .any(|name| name.starts_with("SHOP_SMTP_"))
    );
    assert!(!environment(&crate::fixtures::shop(), "user").contains_key("SHOP_SMTP_HOST"));
}

#[test]
fn every_built_in_service_has_an_image_workers_and_a_schema() {
    let shop = shop();
    for known in ALL {
        let deployment = object(&shop, known.name, "Deployment", &format!("demo-{}", known.name)).unwrap();
        let pod = &deployment["spec"]["template"]["spec"];
        assert_eq!(
            pod["containers"][0]["image"],
            format!("registry.example/{}:1", known.name)
        );
        assert_eq!(pod["initContainers"][0]["args"][0], "migrate", "{}", known.name);
        for worker in known.workers {
            assert!(
                object(
                    &shop,
                    known.name,
                    "Deployment",
                    &format!("demo-{}-{worker}", known.name)
                )
                .is_some()
            );
        }
    }
}

#[test]
fn the_smallest_shop_is_one_process_with_everything() {
    let shop = tiny_shop();
    let deployment = object(&shop, "single", "Deployment", "demo-single").unwrap();
    assert_eq!(
        deployment["spec"]["template"]["spec"]["initContainers"][0]["args"][0],
        "migrate"
    );
    let single = environment(&shop, "single");
    for known in ALL {
        let missing: Vec<_> = environment(&shop_of("audience: {dailyActiveUsers: 100k}"), known.name)
            .into_keys()
            .filter(|name| !single.contains_key(name))
            .collect();
        assert!(missing.is_empty(), "{}: {missing:?}", known.name);
    }
    assert_eq!(single["SHOP_INVENTORY_URL"], "http://127.0.0.1:8080");
    assert_eq!(shop.services.len(), 1);
    let named = shop_of("{audience: {dailyActiveUsers: 10k}, services: {order: {replicas: 2}}}");
    assert_eq!(named.services.len(), ALL.len());
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
    let books = service("books").needs();
    let databases = ["postgres/orders", "postgres/catalog", "postgres/payments"];
    assert_eq!(books, databases.map(|id| ComponentId(id.into())));
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

#[test]
fn what_an_eviction_left_behind_degrades_nothing() {
    let shop = shop();
    let mut seen = empty_world();
    let user = shop.services.iter().find(|service| service.name == "user").unwrap();
    let running = |name: &str, label: &str| pod("demo", "service", label, name);
    let mut pods: Vec<_> = (0..user.replicas.min())
        .map(|index| running(&format!("demo-user-b{index}"), "user"))
        .collect();
    pods.extend((0..user.worker_replicas).map(|index| running(&format!("demo-user-work-b{index}"), "user-work")));
    pods.push(evicted(running("demo-user-a0", "user"), "ReplicaSet"));
    seen.pods = Seen::Known(pods);
    let health = service("user").health(&shop, &seen);
    assert_eq!((health.state, health.message.as_str()), (State::Ready, ""));
}
