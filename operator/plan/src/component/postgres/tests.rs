//! Patroni's settings, the pooler, and how the health of a database is told.

use super::pooler::Servers;
use super::{Postgres, config, parameters::parameters};
use crate::contract::Component;
use crate::fixtures::{empty_world, patroni, pod, settled, shop, tiny_shop, without_image};
use crate::health::State;
use crate::observed::{Observed, Seen, TaskOutcome};
use crate::shop::ValidatedShop;
use crate::task::Task;

fn orders() -> Postgres {
    Postgres {
        database: "orders".into(),
    }
}

/// All pods ready, all views fine, databases made.
fn running(shop: &ValidatedShop) -> Observed {
    let mut seen = settled(shop, empty_world());
    let mut pods = Vec::new();
    for shard in orders().shards(shop) {
        let name = crate::names::shard_name(&shard.id);
        let member = |ordinal: u32| {
            pod(
                &shop.name,
                "postgres",
                &name,
                &crate::names::pod(&shard.scope(), ordinal),
            )
        };
        pods.extend((0..=u32::from(shard.database.replicas)).map(member));
        let pooler = |index: u16| {
            pod(
                &shop.name,
                "postgres",
                &Servers::Primary.label(&shard),
                &format!("{name}-pooler-x{index}"),
            )
        };
        pods.extend((0..shard.database.pooler.replicas).map(pooler));
        let outcome = TaskOutcome {
            succeeded: true,
            message: String::new(),
            digest: String::new(),
        };
        seen.done.insert(super::tasks::database(&shard).key(), outcome);
    }
    seen.pods = Seen::Known(pods);
    seen
}

#[test]
fn memory_decides_and_the_user_wins() {
    let mut shop = shop();
    let database = shop
        .databases
        .iter_mut()
        .find(|database| database.name == "orders")
        .unwrap();
    database.memory = crate::shop::Bytes(1 << 30);
    database.parameters.insert("jit".into(), "on".into());
    let settings = parameters(database);
    assert_eq!(settings["shared_buffers"], "256MB");
    assert_eq!(settings["jit"], "on");
}

#[test]
fn the_catalogues_standbys_have_a_pooler_of_their_own() {
    let shop = crate::fixtures::shop_of("postgres: {catalog: {replicas: 2}}");
    let names = |database: &str| {
        let postgres = Postgres {
            database: database.into(),
        };
        let plan = postgres.plan(&shop, &empty_world()).unwrap();
        let deployments = plan.objects.into_iter().filter(|object| object.kind() == "Deployment");
        deployments.map(|object| object.name().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        names("catalog"),
        ["demo-catalog-0-pooler", "demo-catalog-0-readers-pooler"]
    );
    assert_eq!(names("orders"), ["demo-orders-0-pooler", "demo-orders-1-pooler"]);
    let catalog = Postgres {
        database: "catalog".into(),
    };
    let plan = catalog.plan(&shop, &empty_world()).unwrap();
    let config = plan
        .objects
        .iter()
        .find(|object| object.kind() == "ConfigMap" && object.name() == "demo-catalog-0-readers-pooler");
    let text = config.and_then(|config| config.applied()).unwrap()["data"].to_string();
    assert!(text.contains("host=demo-catalog-0-replicas.default.svc"), "{text}");
}

#[test]
fn a_changed_parameter_restarts_no_pod() {
    let (before, mut after) = (shop(), shop());
    for database in &mut after.databases {
        database.parameters.insert("work_mem".into(), "32MB".into());
    }
    let digest = |shop: &ValidatedShop| crate::digest::digest_of(&config::fixed(&orders().shards(shop)[0]));
    assert_eq!(digest(&before), digest(&after));
    assert_ne!(
        config::file(&orders().shards(&before)[0]),
        config::file(&orders().shards(&after)[0])
    );
}

#[test]
fn all_well_is_ready_and_plans_no_database_twice() {
    let shop = shop();
    let health = orders().health(&shop, &running(&shop));
    assert_eq!((health.state, health.message.as_str()), (State::Ready, ""));
    assert_eq!(health.shards[0].primary.as_deref(), Some("demo-orders-0-0"));
    assert_eq!(health.shards[0].lag.as_deref(), Some("none"));
}

#[test]
fn tasks_wait_for_a_primary() {
    let shop = shop();
    let first = orders().plan(&shop, &empty_world()).unwrap();
    assert!(first.tasks.is_empty());
    assert!(
        first.waiting[0].reason.contains("no primary yet"),
        "{:?}",
        first.waiting
    );
    let mut seen = running(&shop);
    seen.done.clear();
    let tasks = orders().plan(&shop, &seen).unwrap().tasks;
    assert!(
        tasks
            .iter()
            .any(|task| matches!(task, Task::EnsureDatabase { database, .. } if database == "orders"))
    );
}

#[test]
fn the_database_counts_as_made_once_services_exist() {
    let shop = shop();
    let mut seen = running(&shop);
    seen.done.clear();
    assert_eq!(orders().health(&shop, &seen).state, State::Progressing);
    let service = serde_json::json!({"metadata": {"labels": {"app.kubernetes.io/component": "service"}}});
    seen.deployments = Seen::Known(vec![serde_json::from_value(service).unwrap()]);
    assert_eq!(orders().health(&shop, &seen).state, State::Ready);
}

#[test]
fn a_lost_standby_degrades_and_a_lost_primary_stops() {
    let shop = shop();
    let shards = orders().shards(&shop);
    let mut seen = running(&shop);
    let mut view = patroni(&shards[0].scope(), 2, 0);
    view.members.remove(1);
    seen.postgres.insert(shards[0].id.clone(), Seen::Known(view));
    let health = orders().health(&shop, &seen);
    assert_eq!(health.state, State::Degraded);
    assert!(
        health.message.ends_with("has no synchronous replica"),
        "{}",
        health.message
    );

    let mut view = patroni(&shards[0].scope(), 2, 0);
    view.members.remove(0);
    seen.postgres.insert(shards[0].id.clone(), Seen::Known(view));
    let health = orders().health(&shop, &seen);
    assert_eq!(health.state, State::Unavailable);
    assert!(health.message.contains("no primary"), "{}", health.message);
}

#[test]
fn an_image_that_does_not_exist_is_named() {
    let shop = shop();
    let mut seen = running(&shop);
    if let Seen::Known(pods) = &mut seen.pods {
        pods[1] = without_image(pods[1].clone());
    }
    let health = orders().health(&shop, &seen);
    assert_eq!(health.state, State::Degraded);
    assert!(
        health
            .message
            .contains("demo-orders-0-1: image registry.example/none:1"),
        "{}",
        health.message
    );
}

#[test]
fn what_cannot_be_seen_is_unknown() {
    let shop = shop();
    let mut seen = running(&shop);
    seen.pods = Seen::Unknown("the watch is not complete".into());
    assert_eq!(orders().health(&shop, &seen).state, State::Unknown);
}

#[test]
fn one_of_everything_has_no_budget_and_waits_for_no_standby() {
    let shop = tiny_shop();
    let shard = &orders().shards(&shop)[0];
    if shard.database.replicas == 0 {
        let plan = orders().plan(&shop, &empty_world()).unwrap();
        assert!(
            !plan
                .objects
                .iter()
                .any(|object| object.kind() == "PodDisruptionBudget" && object.name() == shard.scope())
        );
        assert!(config::file(shard).contains("\"synchronous_mode\": false"));
    }
}

#[test]
fn a_successor_waits_until_its_volume_is_free() {
    let shop = shop();
    let seen = empty_world();
    let plan = orders().plan(&shop, &seen).unwrap();
    let sets: Vec<_> = plan
        .objects
        .iter()
        .filter(|object| object.kind() == "StatefulSet")
        .collect();
    assert!(!sets.is_empty());
    for set in sets {
        let crate::object::Body::Applied(body) = &set.body else {
            panic!("a StatefulSet is applied")
        };
        let command = &body["spec"]["template"]["spec"]["containers"][0]["command"];
        assert_eq!(command[0], "/usr/bin/flock", "{command}");
        assert!(command[2].as_str().unwrap().starts_with(config::DATA), "{command}");
    }
}
