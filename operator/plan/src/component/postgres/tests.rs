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
fn an_address_of_another_shard_is_nobodys() {
    let shop = shop();
    let sets = shop.databases.iter().flat_map(|database| {
        let postgres = Postgres {
            database: database.name.clone(),
        };
        let objects = postgres.plan(&shop, &empty_world()).unwrap().objects;
        objects.into_iter().filter(|object| object.kind() == "StatefulSet")
    });
    let listens = sets.map(|set| {
        let pod = set.applied().unwrap()["spec"]["template"]["spec"].clone();
        let ports = pod["containers"][0]["ports"].as_array().unwrap().clone();
        ports
            .iter()
            .map(|port| port["containerPort"].as_i64().unwrap())
            .collect::<Vec<_>>()
    });
    let listens: Vec<Vec<i64>> = listens.collect();
    let all: std::collections::BTreeSet<i64> = listens.iter().flatten().copied().collect();
    assert_eq!((listens.len(), all.len()), (4, 8), "{listens:?}");
}

#[test]
fn the_mark_that_is_set_is_the_one_that_is_taken_away() {
    let [mark, data] = [config::UNFINISHED.to_owned(), format!("{}/postgres", config::DATA)];
    for line in [format!("UNFINISHED = \"{mark}\"\n"), format!("DATA = \"{data}\"\n")] {
        assert!(config::START.contains(&line), "start.py has another {line}");
    }
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

/// The StatefulSet of `orders` shard 0 as it stands, with this many instances.
fn standing_set(instances: u32) -> k8s_openapi::api::apps::v1::StatefulSet {
    let set = serde_json::json!({
        "metadata": {"name": "demo-orders-0", "annotations": {crate::names::REPLICAS_ANNOTATION: instances.to_string()}},
        "spec": {"replicas": instances, "serviceName": "demo-orders-0-pods", "selector": {}, "template": {}},
    });
    serde_json::from_value(set).unwrap()
}

/// A shop that wants `wanted` instances where `instances` run and `leader` leads; all is well.
fn shrinking(instances: u16, wanted: u16, leader: u16) -> (ValidatedShop, Observed) {
    let many = |instances: u16| format!("postgres: {{orders: {{shards: 1, replicas: {}}}}}", instances - 1);
    let (before, after) = (
        crate::fixtures::shop_of(&many(instances)),
        crate::fixtures::shop_of(&many(wanted)),
    );
    let mut seen = running(&before);
    seen.stateful_sets = Seen::Known(vec![standing_set(instances.into())]);
    let shard = orders().shards(&after)[0].id.clone();
    seen.postgres
        .insert(shard, Seen::Known(patroni("demo-orders-0", instances, leader)));
    (after, seen)
}

/// How many instances are planned, to whom the primary goes, and what is waited for.
fn shrunk(shop: &ValidatedShop, seen: &Observed) -> (u64, Option<String>, Vec<String>) {
    let plan = orders().plan(shop, seen).unwrap();
    let set = plan
        .objects
        .iter()
        .find(|object| object.kind() == "StatefulSet")
        .unwrap();
    let to = plan.tasks.iter().find_map(|task| match task {
        Task::Switchover { to, .. } => Some(to.clone()),
        _ => None,
    });
    // The component's own step: a restart could plan the same switchover a second time.
    assert_eq!(plan.rollouts.is_empty(), to.is_some());
    let waiting = plan.waiting.into_iter().map(|waiting| waiting.reason).collect();
    (
        set.applied().unwrap()["spec"]["replicas"].as_u64().unwrap(),
        to,
        waiting,
    )
}

#[test]
fn fewer_standbys_never_take_the_primary() {
    let (shop, seen) = shrinking(2, 1, 0);
    assert_eq!(shrunk(&shop, &seen), (1, None, vec![]));
    let (shop, seen) = shrinking(2, 1, 1);
    let (instances, to, waiting) = shrunk(&shop, &seen);
    assert_eq!((instances, to.as_deref()), (2, Some("demo-orders-0-0")));
    assert!(
        waiting[0].contains("demo-orders-0-1") && waiting[0].contains("demo-orders-0-0"),
        "{waiting:?}"
    );
}

/// Patroni hands over to a synchronous standby only, and that may be one that is to go itself: it goes first.
#[test]
fn standbys_above_the_primary_go_before_it_hands_over() {
    let (shop, mut seen) = shrinking(4, 1, 1);
    let shard = orders().shards(&shop)[0].id.clone();
    let mut view = patroni("demo-orders-0", 4, 1);
    view.members[0].role = "replica".into();
    view.members[3].role = "sync_standby".into();
    seen.postgres.insert(shard, Seen::Known(view));
    let (instances, to, _) = shrunk(&shop, &seen);
    assert_eq!((instances, to), (2, None));
}

#[test]
fn whoever_stays_must_have_caught_up_before_anybody_goes() {
    let behind = |change: fn(&mut crate::observed::PatroniMember)| {
        let (shop, mut seen) = shrinking(3, 2, 0);
        let shard = orders().shards(&shop)[0].id.clone();
        let mut view = patroni("demo-orders-0", 3, 0);
        change(&mut view.members[1]);
        seen.postgres.insert(shard, Seen::Known(view));
        shrunk(&shop, &seen)
    };
    assert_eq!(behind(|_| {}).0, 2);
    let (instances, to, waiting) = behind(|member| member.state = "start failed".into());
    assert_eq!((instances, to), (3, None));
    assert!(waiting[0].contains("demo-orders-0-1"), "{waiting:?}");
    assert_eq!(behind(|member| member.lag_bytes = Some(1 << 30)).0, 3);
    assert_eq!(behind(|member| member.lag_bytes = None).0, 3);
}

#[test]
fn nobody_goes_while_who_leads_is_not_known() {
    let (shop, seen) = shrinking(2, 1, 0);
    let shard = orders().shards(&shop)[0].id.clone();
    let mut unknown = seen.clone();
    unknown.postgres.insert(shard, Seen::Unknown("no answer".into()));
    assert_eq!(shrunk(&shop, &unknown).0, 2);
    // The label is newer than the last answer: somebody has taken over since.
    let mut taken_over = seen;
    if let Seen::Known(pods) = &mut taken_over.pods {
        let labels = pods[1].metadata.labels.get_or_insert_default();
        labels.insert(config::ROLE_LABEL.into(), "primary".into());
    }
    assert_eq!(shrunk(&shop, &taken_over).0, 2);
}

#[test]
fn a_suspended_shop_wakes_with_the_instances_it_had() {
    let (shop, mut seen) = shrinking(2, 1, 1);
    if let Seen::Known(sets) = &mut seen.stateful_sets {
        sets[0].spec.as_mut().unwrap().replicas = Some(0);
    }
    seen.postgres.clear();
    assert_eq!(shrunk(&shop, &seen).0, 2);
}

#[test]
fn an_instance_that_has_to_stay_may_go_on_writing_its_state() {
    let (shop, seen) = shrinking(2, 1, 1);
    let ground = crate::component::ground::Ground.plan(&shop, &seen).unwrap();
    let role = ground.objects.iter().find(|object| object.kind() == "Role").unwrap();
    assert!(role.applied().unwrap().to_string().contains("demo-orders-0-1"));
}

#[test]
fn settings_reach_a_shard_whose_postgres_does_not_start() {
    let shop = shop();
    let mut seen = running(&shop);
    seen.done.clear();
    let shard = orders().shards(&shop)[0].id.clone();
    let mut view = patroni("demo-orders-0", 1, 0);
    view.members[0].state = "start failed".into();
    seen.postgres.insert(shard.clone(), Seen::Known(view));
    if let Seen::Known(pods) = &mut seen.pods {
        pods.retain(|pod| crate::pod::name(pod) != "demo-orders-0-1");
        pods[0].status.as_mut().unwrap().conditions = None;
    }
    let settings = |seen: &Observed| {
        let tasks = orders().plan(&shop, seen).unwrap().tasks;
        tasks.into_iter().find_map(|task| match task {
            Task::EnsurePatroniConfig { shard: of, pods, .. } if of == shard => Some(pods),
            _ => None,
        })
    };
    // At first Patroni takes them from its file, and has nothing yet that could be changed.
    assert_eq!(settings(&seen), None);
    let service = serde_json::json!({"metadata": {"labels": {"app.kubernetes.io/component": "service"}}});
    seen.deployments = Seen::Known(vec![serde_json::from_value(service).unwrap()]);
    let pods = settings(&seen).unwrap();
    assert_eq!(
        pods.iter().map(|pod| pod.pod.as_str()).collect::<Vec<_>>(),
        ["demo-orders-0-0"]
    );
    seen.postgres.insert(shard.clone(), Seen::Unknown("no answer".into()));
    assert_eq!(settings(&seen), None);
}
